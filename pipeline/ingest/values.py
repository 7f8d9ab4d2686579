"""Parses stars and labels from the text of their columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.core.labels import SENTIMENT_WORDS, SENTIMENTS
from pipeline.text.language import any_of, languages

LONGEST = 200  # characters; nothing longer is a rating or a date

# --- Stars ---


class Rating(NamedTuple):
    """A rating as written: 8 of at most 10. `best` is None where only the column's scale can tell."""

    value: float
    best: float | None = None


_NUMBERS = {word: float(n) for language in languages().values() for n, word in enumerate(language.numbers, 1)}
_NUMBER = rf"(\d{{1,3}}(?:\.\d+|,\d{{1,2}})?|{'|'.join(_NUMBERS)})"
_STARS = rf"(?:[\s-]?{any_of('stars')})?"
_OUT_OF = rf"\s*(?:\(\s*)?(?:/|{any_of('out_of')})\s*"
_BEFORE = rf"(?:{any_of('rated')}\s?:?\s*)?"
# Each has a group for the value and, but for the first, one for the best rating.
_PLAIN = re.compile(rf"{_BEFORE}{_NUMBER}{_STARS}|{_NUMBER}\s?[★⭐]|[★⭐]\s?{_NUMBER}")
_OF_BEST = re.compile(rf"{_BEFORE}{_NUMBER}{_STARS}{_OUT_OF}{_NUMBER}{_STARS}\s*\)?")
_BEST_FIRST = re.compile(rf"(?:星|별)?\s*{_NUMBER}\s*{any_of('out_of_before')}\s*{_NUMBER}\D?")
_PERCENT = re.compile(rf"{_NUMBER}\s?%")
_BUBBLES = re.compile(r"(?:ui_bubble_rating )?bubble_(\d\d)")
_GLYPHS = re.compile(r"([★⭐\s]+)([☆✩\s]*)")


def parse_stars(value: str | None) -> Rating | None:
    """The rating in "4 stars", "4,5", "★★★☆☆", "five", "8/10", "80%" or "4 von 5"; None if the value is not one rating, or
    exceeds its own best.
    """
    if not value or len(value) > LONGEST:
        return None
    text = unicodedata.normalize("NFKC", value.replace("½", ".5").replace("\ufe0f", "")).strip().lower()
    rating = _in_signs(text) or _in_numbers(text)
    return rating if rating and (rating.best is None or (rating.best >= 3 and rating.value <= rating.best)) else None


def _in_signs(text: str) -> Rating | None:
    match = _GLYPHS.fullmatch(text)
    if not match:
        return None
    full, empty = (len("".join(part.split())) for part in match.groups())
    return Rating(float(full), float(full + empty) if empty else None)


def _in_numbers(text: str) -> Rating | None:
    if match := _PLAIN.fullmatch(text):
        return Rating(_float(match[match.lastindex or 1]))
    if match := _PERCENT.fullmatch(text):
        return Rating(_float(match[1]), 100.0)
    if match := _BUBBLES.fullmatch(text):
        return Rating(_float(match[1]), 50.0)
    if match := _OF_BEST.fullmatch(text):
        return Rating(_float(match[1]), _float(match[2]))
    if match := _BEST_FIRST.fullmatch(text):
        return Rating(_float(match[2]), _float(match[1]))
    return None


def _float(text: str) -> float:
    return _NUMBERS[text] if text in _NUMBERS else float(text.replace(",", "."))


_BEST = {"1-5": 5.0, "0-4": 4.0, "0-10": 10.0, "10-50": 50.0, "1-100": 100.0}


def star_scale(ratings: Iterable[Rating | None], zero_based: bool) -> str:
    """The scale of a column's ratings without a best of their own: "0-4" if declared; else the smallest of "1-5", "0-10",
    "10-50" (the bubbles of Tripadvisor) and "1-100" that at most a tenth of them exceed; "unknown" if none fits.
    """
    if zero_based:
        return "0-4"
    given = sorted((rating.value for rating in ratings if rating and rating.best is None), reverse=True)
    if not given:
        return "1-5"
    high = given[len(given) // 10]
    if given[0] <= 1 and any(value % 1 for value in given):
        return "unknown"  # a probability
    if high <= 10:
        return "1-5" if high <= 5 else "0-10"
    if high > 50:
        return "1-100" if high <= 100 else "unknown"
    bubbles = sum(10 <= value <= 50 and value % 5 == 0 for value in given)
    return "10-50" if 50 in given and bubbles >= 0.9 * len(given) else "unknown"


def to_five(rating: Rating | None, scale: str) -> float | None:
    """A rating on the scale from 1 to 5, by its own best or else that of a `star_scale`; None if it is outside, or 0 where
    0 is no mark.
    """
    if rating is None or (best := rating.best or _BEST.get(scale)) is None or rating.value > best:
        return None
    if scale == "0-4" and best == 4:
        return rating.value + 1
    if rating.value == 0:
        return 1.0 if best == 10 else None
    stars = rating.value * 5 / best
    return max(stars, 1.0) if stars >= 0.5 or best >= 10 else None  # 0.5 is the lowest of scales with halves


# --- Labels ---


def label_names(values: Iterable[str | None], mapped: bool) -> dict[str, str]:
    """{value of a label column: sentiment}. Numbers count only if the user mapped the column: {0, 1} are negative and
    positive, {0, 1, 2} all three.
    """
    distinct = {value.strip().lower() for value in values if value and value.strip()}
    if mapped and distinct and distinct <= {"0", "1"}:
        return {"0": "negative", "1": "positive"}
    if mapped and distinct and distinct <= {"0", "1", "2"}:
        return {str(number): name for number, name in enumerate(SENTIMENTS)}
    return {value: SENTIMENT_WORDS[value] for value in distinct if value in SENTIMENT_WORDS}
