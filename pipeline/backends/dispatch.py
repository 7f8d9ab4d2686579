"""Who reads a text: the first classifier that knows its language, or nobody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.backends import registry
from pipeline.core.profile import Sentiment
from pipeline.core.stage import Row
from pipeline.reader.base import LanguageClassifier


def readable(row: Row, languages: tuple[str, ...]) -> bool:
    """Whether a model of these languages may judge this row. A text too short to tell its language is judged when
    it is written in ASCII, as English mostly is.
    """
    if not languages or row["language"] in languages:
        return True
    return row["language"] is None and "en" in languages and row["text"].isascii()


def unsupported(row: Row) -> str:
    return f"the model does not read this language ({row['language'] or 'unknown'})"


def classify_sentiment(
    rows: Sequence[Row], config: Sentiment
) -> list[tuple[LanguageClassifier, str, np.ndarray] | None]:
    """Per row (text, language) who judged it, as which model, and the three probabilities: nan where the model is not
    sure enough to speak. None where nobody reads the language.
    """
    judged: list[tuple[LanguageClassifier, str, np.ndarray] | None] = [None] * len(rows)
    for reader in registry.sentiment(config):
        at = [index for index, row in enumerate(rows) if judged[index] is None and readable(row, reader.languages)]
        if at:
            classifier = reader.load()
            values = classifier.probabilities([rows[index]["text"] for index in at])
            for index, probabilities in zip(at, values, strict=True):
                judged[index] = (reader, classifier.model, probabilities)
    return judged
