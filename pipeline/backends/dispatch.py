"""Which texts a classifier may read, by their language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.backends import registry
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Sentiment


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


def classify_sentiment(rows: Sequence[Mapping[str, Any]], section: Sentiment) -> np.ndarray:
    """Probabilities of SENTIMENTS, float32, shape (rows, 3), of rows with `text` and `language`; nan for a row in a language
    that the section does not name. Loads the model if there is anything to read.
    """
    values = np.full((len(rows), len(SENTIMENTS)), np.nan, dtype=np.float32)
    indexes = [index for index, row in enumerate(rows) if readable(row, section.languages)]
    if indexes:
        values[indexes] = registry.sentiment(section).probabilities([rows[index]["text"] for index in indexes])
    return values
