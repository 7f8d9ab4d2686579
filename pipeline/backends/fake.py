"""Backends for tests: instant, deterministic, and clearly not real. Their output depends on the text alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Self

import numpy as np

from pipeline.backends.base import ClassifierBackend, Request, Written
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.profile import Emotions, Feedback, Judge, Profile, Sentiment


class FakeClassifier(ClassifierBackend):
    """Probabilities from a hash of the text. Of exclusive labels (sentiment), the first is near certain for a text with
    "bad" in it, the last for any other.
    """

    model = "fake"

    def __init__(self, labels: tuple[str, ...], exclusive: bool) -> None:
        self.labels, self.exclusive = labels, exclusive

    @classmethod
    def from_section(cls, section: Sentiment | Emotions) -> Self:
        """Sentiment is exclusive, emotions are not."""
        exclusive = isinstance(section, Sentiment)
        return cls(SENTIMENTS if exclusive else EMOTIONS, exclusive)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels)."""
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

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Self:
        """The same for every section."""
        return cls()

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order."""
        return [self._write(str(request.review["text"])) for request in requests]

    def _write(self, review: str) -> Written:
        if "[no answer]" in review:
            return Written("", "", error="the model wrote nothing")
        steps = f"1. Look into: {review[:40]}\n2. Write back to the customer within a day."
        text = f"The customer was unhappy.\n\n{steps}"
        return Written(text, text)
