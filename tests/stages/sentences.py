"""Sentences as the reader reads them, made by hand."""

from __future__ import annotations

import numpy as np

from pipeline.core.rows import Sentence, SentenceTheme

Polarity = tuple[float, float, float]  # of negative, neutral, positive
BAD, GOOD = (0.9, 0.05, 0.05), (0.05, 0.05, 0.9)


def about(theme: str, text: str, piece: str, probability: float = 0.9, polarity: Polarity = BAD) -> SentenceTheme:
    """A theme of a sentence, proved by this piece of the review's text."""
    start = text.index(piece)
    negative, neutral, positive = polarity
    return SentenceTheme(
        theme=theme,
        probability=probability,
        negative=negative,
        neutral=neutral,
        positive=positive,
        start=start,
        end=start + len(piece),
    )


def sentence(text: str, words: str, *themes: SentenceTheme, polarity: Polarity = BAD) -> Sentence:
    """The sentence of a review that consists of these words."""
    start = text.index(words)
    negative, neutral, positive = polarity
    return Sentence(
        start=start,
        end=start + len(words),
        negative=negative,
        neutral=neutral,
        positive=positive,
        wish=0.0,
        vector=np.eye(1, 384, dtype=np.float16).tobytes(),
        themes=list(themes),
    )
