"""Backends for tests: instant, deterministic, and clearly not real. Their output depends on the text alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Self

import numpy as np

from pipeline.backends.base import ClassifierBackend, ReaderBackend, Request, Written
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.profile import Emotions, Feedback, Judge, Profile, Reader, Sentiment
from pipeline.core.rows import Reading, Sentence, SentenceTheme
from pipeline.reader.decide import ANY, Rules
from pipeline.text.sentences import sentence_spans
from pipeline.themes.taxonomy import load_aspects
from pipeline.themes.terms import find_mentions


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


class FakeReader(ReaderBackend):
    """Themes by the playbook's words; a sentence with "bad" in it is negative, any other positive."""

    model = "fake"

    @classmethod
    def from_section(cls, section: Reader) -> Self:
        """The same for every section."""
        return cls()

    @classmethod
    def identity(cls, section: Reader) -> str:
        """Always the same."""
        return "fake"

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One Reading per text, in order."""
        emotions = FakeClassifier(EMOTIONS, exclusive=False).probabilities(texts)
        return [
            Reading(
                stars=[0.2] * 5,
                sentiment=list(_certain(text)),
                emotions=[float(value) for value in values],
                vector=_vector(text),
                sentences=_sentences(text),
            )
            for text, values in zip(texts, emotions, strict=True)
        ]

    def rules(self) -> Rules:
        """Neutral ones: what a reading says is taken as it is."""
        return Rules(
            temperature=1.0,
            bias=(0.0, 0.0, 0.0),
            stars=dict.fromkeys("12345", (0.0, 0.0, 0.0)),
            sure={ANY: 0.0},
            emotions=dict.fromkeys(EMOTIONS, 0.5),
            complaint={"bias": 0.0, "strength": 1.0, "stars": 0.0},
            least={ANY: 0.5},
            themes={},
            praise=0.5,
            mention=0.5,
            shares={aspect.id: 0.02 for aspect in load_aspects()},
            prior=0.0,
        )


def _certain(text: str) -> tuple[float, float, float]:
    return (0.98, 0.01, 0.01) if "bad" in text.lower() else (0.01, 0.01, 0.98)


def _vector(text: str) -> bytes:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    values = np.random.default_rng(seed).normal(size=384)
    return (values / np.linalg.norm(values)).astype(np.float16).tobytes()


def _sentences(text: str) -> list[Sentence]:
    mentions = find_mentions(text, "en", load_aspects())
    found = []
    for start, end in sentence_spans(text):
        negative, neutral, positive = _certain(text[start:end])
        themes = [
            SentenceTheme(
                theme=mention.aspect_id,
                probability=0.99,
                negative=negative,
                neutral=neutral,
                positive=positive,
                start=start,
                end=end,
            )
            for mention in mentions
            if (mention.start, mention.end) == (start, end)
        ]
        found.append(
            Sentence(
                start=start,
                end=end,
                negative=negative,
                neutral=neutral,
                positive=positive,
                wish=0.0,
                vector=_vector(text[start:end]),
                themes=themes,
            )
        )
    return found


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
