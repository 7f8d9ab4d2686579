"""Backends for tests: instant, deterministic, and clearly not real. What they say depends on the text alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from pipeline.backends.base import Request, Written


class FakeClassifier:
    """Probabilities drawn from a hash of the text, but one with "bad" in it is surely negative and others positive."""

    model = "fake"

    def __init__(self, labels: tuple[str, ...], exclusive: bool) -> None:
        self.labels, self.exclusive = labels, exclusive

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        values = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        for row, text in enumerate(texts):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            values[row] = np.random.default_rng(seed).random(len(self.labels)) * 0.6
            if self.exclusive:
                values[row, 0 if "bad" in text.lower() else -1] = 10.0
        return values / values.sum(axis=1, keepdims=True) if self.exclusive else values


class FakeGenerator:
    """Two suggestions that quote the review's first words. `[no answer]` in a review makes it fail, as models do."""

    model = "fake"

    def write(self, requests: Sequence[Request]) -> list[Written]:
        written = []
        for request in requests:
            text = str(request.review["text"])
            if "[no answer]" in text:
                written.append(Written("", "", error="the model wrote nothing"))
                continue
            answer = (
                f"The customer was unhappy.\n\n1. Look into: {text[:40]}\n2. Write back to the customer within a day."
            )
            written.append(Written(answer, answer))
        return written
