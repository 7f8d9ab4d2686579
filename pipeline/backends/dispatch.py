"""Which classifier reads a text: the first that knows its language, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline.backends import registry
from pipeline.core.profile import Sentiment
from pipeline.reader.base import LanguageClassifier


class Classified(NamedTuple):
    """The sentiment of one text, and the classifier that gave it."""

    classifier: LanguageClassifier
    model: str
    probabilities: np.ndarray  # of SENTIMENTS, float32; nan where the model is not sure enough

    @property
    def is_sure(self) -> bool:
        """Whether the model gave probabilities at all."""
        return not np.isnan(self.probabilities[0])

    @property
    def score(self) -> float:
        """Positive minus negative probability, -1 to 1; nan where the model is not sure enough."""
        return float(self.probabilities[2] - self.probabilities[0])


def readable(row: Mapping[str, Any], languages: tuple[str, ...]) -> bool:
    """Whether a model of these languages (ISO 639-1; empty: all) can read a row with `text` and `language`. Text of unknown
    language, as most short texts are, is taken for English if it is ASCII.
    """
    if not languages or row["language"] in languages:
        return True
    return row["language"] is None and "en" in languages and row["text"].isascii()


def language_error(row: Mapping[str, Any]) -> str:
    """The error message for a row whose language the model does not read."""
    return f"the model does not read this language ({row['language'] or 'unknown'})"


def classify_sentiment(rows: Sequence[Mapping[str, Any]], section: Sentiment) -> list[Classified | None]:
    """Per row with `text` and `language`, the result of the first classifier that reads the language; None where none does."""
    results: list[Classified | None] = [None] * len(rows)
    for candidate in registry.sentiment(section):
        indexes = [
            index for index, row in enumerate(rows) if results[index] is None and readable(row, candidate.languages)
        ]
        if indexes:
            classifier = candidate.load()
            values = classifier.probabilities([rows[index]["text"] for index in indexes])
            for index, probabilities in zip(indexes, values, strict=True):
                results[index] = Classified(candidate, classifier.model, probabilities)
    return results
