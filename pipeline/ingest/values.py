"""Parses stars, dates and labels from the text of their columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from pipeline.core.labels import SENTIMENT_WORDS, SENTIMENTS
from pipeline.text.language import any_of, languages

# --- Stars ---

_NUMBERS = {word: float(n) for language in languages().values() for n, word in enumerate(language.numbers, 1)}
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)")
_STARS = re.compile(rf"\s*{any_of('stars')}?")
_OUT_OF = re.compile(rf"(\d+(?:[.,]\d+)?)\s*(?:/|{any_of('out_of')})\s*(\d+)", re.IGNORECASE)


def parse_stars(value: str | None) -> float | None:
    """The number in a rating, on the column's scale: "4 stars", "4,5", "★★★☆☆", "five"; "8/10" is converted to 4. None if
    there is none.
    """
    text = (value or "").strip().lower()
    if "★" in text or "⭐" in text:
        return float(text.count("★") + text.count("⭐"))
    if (word := text.split(" ")[0]) in _NUMBERS:
        return _NUMBERS[word]
    if match := _OUT_OF.search(text):
        maximum = float(match[2])
        return float(match[1].replace(",", ".")) * 5 / maximum if maximum else None
    match = _NUMBER.match(text)
    if not match or not _STARS.fullmatch(text, match.end()):
        return None
    return float(match[1].replace(",", "."))


def star_scale(values: Iterable[float | None], zero_based: bool) -> str:
    """The scale of a column: "0-4" if declared, "0-10" if more than a tenth of the values are above 5, else "1-5"."""
    if zero_based:
        return "0-4"
    given = [value for value in values if value is not None]
    above = sum(5 < value <= 10 for value in given)
    return "0-10" if above > len(given) / 10 else "1-5"


def to_five(value: float | None, scale: str) -> float | None:
    """A value of a `star_scale` on the scale from 1 to 5; None if it is outside."""
    if value is None:
        return None
    value = {"0-4": value + 1, "0-10": value / 2, "1-5": value}[scale]
    if 0.5 <= value < 1:
        value = 1.0  # the lowest rating of scales with halves
    return value if 1 <= value <= 5 else None


# --- Dates ---

_MONTHS = {  # month in any language -> in English, which dateutil reads
    month: english
    for language in languages().values()
    for month, english in zip(language.months, languages()["en"].months, strict=False)
}
_DATE_WORD = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]*|am|pm|utc|gmt|z|t|st|nd|rd|th",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{2,4})")
_WORD = re.compile(r"[^\W\d_]+")
_RELATIVE = re.compile(rf"\b{any_of('relative')}\b", re.IGNORECASE)


def day_first(values: Iterable[str | None]) -> bool:
    """Whether 3/4/2020 means 3 April in a column, decided over all its values; if they leave it open, the month is first."""
    firsts, seconds = 0, 0
    dotted = False
    for value in values:
        if value and (match := _SLASHED.match(value)):
            firsts = max(firsts, int(match[1]))
            seconds = max(seconds, int(match[2]))
            dotted |= value.strip()[len(match[1])] == "."
    return (firsts > 12 and seconds <= 12) or (dotted and seconds <= 12)


def _date_word(word: str) -> str:
    """The English name of a month, another word of a date as it is, or a space for any other ("Published on")."""
    english = _MONTHS.get(word.lower(), word)
    return english if _DATE_WORD.fullmatch(english) else " "


def parse_date(value: str | None, dayfirst: bool) -> datetime | None:
    """A date without time zone (converted to UTC if one is given); None for relative and incomplete dates, never a guess."""
    from dateutil import parser

    text = (value or "").strip()
    if not text or _RELATIVE.search(text):
        return None
    if re.fullmatch(r"\d{10}(\d{3})?(\.\d+)?", text):
        seconds = float(text) / (1000 if len(text.split(".")[0]) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    if not re.search(r"\d{4}|\d{1,2}\D+\d{1,2}|\d{1,2}\D+\w+\D+\d{2}", text):
        return None
    text = _WORD.sub(lambda match: _date_word(match[0]), text)
    try:
        iso = re.match(r"\d{4}-", text)
        moment = parser.parse(text, dayfirst=dayfirst and not iso, default=datetime(2000, 1, 1))
    except (ValueError, OverflowError, TypeError):
        return None
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment if 1990 <= moment.year <= 2100 else None


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
