"""Rows that cross rooms, as the queries in `warehouse/stages/` give them. Keys are the columns of these queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Required, TypedDict


class Review(TypedDict):
    """What the stages that read every review get."""

    review_id: str  # a hash of the review's content
    text: str
    language: str | None  # ISO 639-1; None: unknown


class RatedReview(Review):
    """With what it was rated, for stages that fall back on it."""

    stars: float | None  # 1 to 5, halves possible


class ThemeMention(TypedDict):
    """One theme of a review."""

    theme: str  # id of an aspect or of a discovered theme; "" where the review has none
    evidence: str | None  # a span of the review, letter for letter
    sentiment: str | None  # negative, neutral or positive; None where nothing tells
    score: float | None  # positive minus negative probability, -1 to 1


class UnhappyReview(TypedDict, total=False):
    """A row of the macro `unhappy`. Whoever reads one accepts any but the text missing or None."""

    text: Required[str]
    review_id: str
    language: str | None
    stars: float | None
    business: str | None
    product: str | None
    emotions: list[str] | None  # labels, the most probable first
    themes: list[ThemeMention] | None  # the most negative first
    on_text: Callable[[str], None] | None  # not from the query: see `pipeline.backends.base.Request`
