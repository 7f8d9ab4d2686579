"""Rows that cross rooms. Their keys are the columns of the queries in `warehouse/stages/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Required, TypedDict

DIGITS = 4  # of a probability or a score, in every table


def short(value: Any) -> float:
    """The one form in which a probability or a score is decided on and stored, so that both always agree: DIGITS digits. What
    lies behind them may depend on the processor.
    """
    return round(float(value), DIGITS)


class Review(TypedDict):
    """Input of the stages that read every review."""

    review_id: str  # a hash of the review's content
    text: str
    language: str | None  # ISO 639-1; None: unknown


class RatedReview(Review):
    """A review with its rating, for stages that fall back on it."""

    stars: float | None  # 1 to 5, halves possible


class SentenceTheme(TypedDict):
    """A theme that a sentence may speak of, and the shortest piece of it that says so (characters of the review)."""

    theme: str
    probability: float
    negative: float  # of what is said about it, if it is there: the three sum to 1
    neutral: float
    positive: float
    start: int
    end: int


class Sentence(TypedDict):
    """A sentence text[start:end] of a review, as the reader reads it in its context. Raw probabilities."""

    start: int
    end: int
    negative: float  # of the sentence by itself: the three sum to 1
    neutral: float
    positive: float
    wish: float  # that it asks for an improvement
    vector: bytes  # float16, unit length
    themes: list[SentenceTheme]  # the most probable first


class Reading(TypedDict):
    """What a review says, as the reader reads it. Raw probabilities."""

    stars: list[float]  # of one to five stars
    sentiment: list[float]  # of SENTIMENTS
    emotions: list[float]  # of EMOTIONS, as its writer feels them
    vector: bytes  # float16, unit length
    sentences: list[Sentence]


class ThemeMention(TypedDict):
    """One theme of a review."""

    theme: str  # id of an aspect or of a discovered theme; "" where the review has none
    evidence: str | None  # a verbatim span of the review
    sentiment: str | None  # negative, neutral or positive; None: unknown
    score: float | None  # positive minus negative probability, -1 to 1
    problem: str | None  # of the library of problems, what a complaint is a case of; None: none is sure


class UnhappyReview(TypedDict, total=False):
    """A row of the macro `unhappy`. Any key except the text may be missing or None."""

    text: Required[str]
    review_id: str
    language: str | None
    stars: float | None
    business: str | None
    product: str | None
    emotions: list[str] | None  # most probable first
    themes: list[ThemeMention] | None  # most negative first
    on_text: Callable[[str], None] | None  # not a column: see `pipeline.backends.base.Request`
