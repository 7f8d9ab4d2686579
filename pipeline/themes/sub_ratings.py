"""What customers rate beside the review as a whole: "Seat Comfort: 1" says more about the seats than the review's stars do."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from pipeline.ingest.names import plain
from pipeline.ingest.values import Rating, parse_stars
from pipeline.themes.taxonomy import Aspect


def of_themes(attributes: Mapping[str, str] | None, themes: Mapping[str, str]) -> dict[str, float]:
    """Theme -> its rating in a review, as stars from 1 to 5. `themes`: see `columns`.

    Ratings that do not say what the best one is are out of five; or out of ten, where one of the review's exceeds five.
    """
    named = [(themes[name], value) for key, value in (attributes or {}).items() if (name := plain(key)) in themes]
    parsed = [(theme, rating) for theme, value in named if (rating := parse_stars(value))]
    best = 10.0 if any(rating.best is None and rating.value > 5 for _, rating in parsed) else 5.0
    return {theme: stars for theme, rating in parsed if (stars := _stars(rating, best)) is not None}


def _stars(rating: Rating, best: float) -> float | None:
    of = rating.best or best
    if not 0 < rating.value <= of:  # none of them begins with 0: that stands for a rating not given
        return None
    return max(1.0, 5 * rating.value / of)


def columns(aspects: Iterable[Aspect]) -> dict[str, str]:
    """The name of a column, made plain -> the theme that its ratings are about."""
    return dict(_columns(tuple(aspects)))


@functools.lru_cache(maxsize=4)  # asked for every batch
def _columns(aspects: tuple[Aspect, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((plain(name), aspect.id) for aspect in aspects for name in aspect.ratings)
