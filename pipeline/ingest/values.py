"""Parses stars and labels from the text of their columns."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.core.labels import SENTIMENT_WORDS, SENTIMENTS, from_stars
from pipeline.ingest.names import plain
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
_SIGNED = re.compile(r"[+-]\d{1,3}(?:[.,]\d+)?")
_PERCENT = re.compile(rf"{_NUMBER}\s?%")
_BUBBLES = re.compile(r"(?:ui_bubble_rating )?bubble_(\d\d)")
_WORDED = re.compile(r"([1-5])\s*(?:[-–—=:.)]|\(|\s)\s*(\D+?)\)?")  # "5 - Very satisfied", "1 (Poor)"
_BRACKETED = re.compile(r"[\[(]([^\[\]()]+)[\])]")
_GLYPHS = re.compile(r"([★⭐\s]+)([☆✩\s]*)")


def parse_stars(value: str | None) -> Rating | None:
    """The rating in "4 stars", "4,5", "+4", "★★★☆☆", "five", "8/10", "80%" or "4 von 5"; None if the value is not one rating, or
    exceeds its own best.
    """
    if not value or len(value) > LONGEST:
        return None
    text = unicodedata.normalize("NFKC", value.replace("½", ".5").replace("\ufe0f", "")).strip().lower()
    if match := _BRACKETED.fullmatch(text):
        text = match[1].strip()
    rating = _in_signs(text) or _in_numbers(text) or _in_words(text)
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
    if _SIGNED.fullmatch(text):
        return Rating(_float(text))
    if match := _PERCENT.fullmatch(text):
        return Rating(_float(match[1]), 100.0)
    if match := _BUBBLES.fullmatch(text):
        return Rating(_float(match[1]), 50.0)
    if match := _OF_BEST.fullmatch(text):
        return Rating(_float(match[1]), _float(match[2]))
    if match := _BEST_FIRST.fullmatch(text):
        return Rating(_float(match[2]), _float(match[1]))
    return None


def _in_words(text: str) -> Rating | None:
    """The rating in "5 - Very satisfied", if the words agree that 5 is the best: in German schools it is the worst but one."""
    match = _WORDED.fullmatch(text)
    if not match or match[2] not in SENTIMENT_WORDS:
        return None
    value = float(match[1])
    return Rating(value, 5.0) if SENTIMENT_WORDS[match[2]] == from_stars(value) else None


def _float(text: str) -> float:
    return _NUMBERS[text] if text in _NUMBERS else float(text.replace(",", "."))


# Scale -> its lowest and highest mark. On the first, sites with half stars start from 0.5.
SCALES = {
    "1-5": (0.5, 5.0),
    "0-4": (0.0, 4.0),
    "0-5": (0.0, 5.0),
    "0-10": (0.0, 10.0),
    "1-10": (1.0, 10.0),
    "10-50": (10.0, 50.0),
    "1-100": (1.0, 100.0),
}
_BOUNDS = re.compile(r"(?<!\d)([01]|10)\s?(?:-|–|to|bis|à|a)\s?(4|5|6|7|10|50|100)(?!\d)")  # "rating (1-10)"
_GRADES = {"note", "noten", "schulnote", "gesamtnote", "durchschnittsnote"}
_OUT_OF_TEN = re.compile(r"(?:(?<!\d)/|\b(?:out of|von|sur|sobre|su)) ?10(?![\d/])")
_PROMOTER = re.compile(
    r"\bnps(?: ?score| ?rating)?\b|net promoter|\blikel(?:y|ihood)\b.*\brecommend|\brecommend.*\blikel(?:y|ihood)\b"
    r"|wahrscheinlich.*(?:weiter)?empf(?:e|ie)hl|probab.*(?:recom|consigl)|waarschijnlijk.*aanbevel"
)


def star_scale(
    ratings: Iterable[Rating | None], column: str = "", declared: str | None = None, language: str | None = None
) -> str:
    """The scale of a column's ratings without a best of their own, one of SCALES or "unknown".

    It is the declared one, or that in the name of the column ("rating 1-10", "NPS"), unless more than a
    tenth of the ratings are outside. Without these it is the smallest of "1-5", "0-10", "10-50" (the bubbles of Tripadvisor)
    and "1-100" that at most a tenth of the ratings exceed. It is "unknown" where the best rating is 6 or 7, as 6, 7 and 10 may be
    the highest mark, and for school grades in German (the source's main `language`), of which 1 is the best.
    """
    given = sorted((rating.value for rating in ratings if rating and rating.best is None), reverse=True)
    if declared:
        return declared if declared in SCALES and _fits(given, declared) else "unknown"
    if language == "de" and plain(column) in _GRADES and given and given[0] <= 6:
        return "unknown"
    named = _named_scale(column)
    if named and given and (named == "unknown" or _fits(given, named)):
        return named
    return _smallest_scale(given)


def _named_scale(column: str) -> str | None:
    name = column.lower().replace("_", " ")
    if bounds := _BOUNDS.search(name):
        scale = f"{bounds[1]}-{bounds[2]}".replace("0-100", "1-100")
        return scale if scale in SCALES else "unknown"
    return "0-10" if _OUT_OF_TEN.search(name) or _PROMOTER.search(name) else None


def _fits(given: Sequence[float], scale: str) -> bool:
    """Whether at most a tenth of the ratings are outside a scale; 0 and -1 often stand for none."""
    low, high = SCALES[scale]
    return 10 * sum(value > 0 and not low <= value <= high for value in given) <= len(given)


def _is_signed(given: Sequence[float]) -> bool:
    """Whether ratings, the highest first, reach as far below zero as above: 1 is then good and no single star."""
    return given[0] <= -given[-1] and 10 * sum(value < 0 for value in given) > len(given)


def _smallest_scale(given: Sequence[float]) -> str:
    """The scale of ratings, the highest first, by these alone."""
    if not given:
        return "1-5"
    high = given[len(given) // 10]
    if _is_signed(given) or (given[0] <= 1 and any(value % 1 for value in given)):
        return "unknown"  # votes against and for, or a probability
    if high <= 10:
        return "1-5" if high <= 5 else "0-10" if given[0] > 7 else "unknown"
    if high > 50:
        return "1-100" if high <= 100 else "unknown"
    bubbles = sum(10 <= value <= 50 and value % 5 == 0 for value in given)
    return "10-50" if 50 in given and bubbles >= 0.9 * len(given) else "unknown"


def unfit(ratings: Iterable[Rating | None], scale: str) -> list[float]:
    """Up to three different ratings without a best of their own that are outside a scale; all are if it is "unknown"."""
    values = (rating.value for rating in ratings if rating and rating.best is None)
    outside = (value for value in values if to_five(Rating(value), scale) is None)
    return list(dict.fromkeys(outside))[:3]


def describe_scale(scale: str, ratings: Iterable[Rating | None]) -> str:
    """A scale in a short phrase for people, with a rating that no smaller one explains: "0 to 10, as 9 shows"."""
    values = [rating.value for rating in ratings if rating and rating.best is None]
    if scale not in SCALES:
        return f"unknown: no scale fits {_example(values)}" if values else "unknown"
    low, high = scale.split("-")
    smaller = {"10": 5, "50": 10, "100": 50}.get(high)
    shown = [value for value in values if smaller and smaller < value <= float(high)]
    return f"{low} to {high}" + (f", as {_example(shown)} shows" if shown else "")


def _example(values: Sequence[float]) -> str:
    """The highest rating, as people write it."""
    return f"{max(values):g}"


def to_five(rating: Rating | None, scale: str) -> float | None:
    """A rating on the scale from 1 to 5, by its own best or else that of a `star_scale`; None if it is outside, or 0 where
    0 is no mark.
    """
    if rating is None:
        return None
    low, best = (0.0, rating.best) if rating.best else SCALES.get(scale, (0.0, 0.0))
    if not low <= rating.value <= best:
        return None
    if scale == "0-4" and best == 4:
        return rating.value + 1
    if rating.value == 0:
        return 1.0 if best == 10 or scale == "0-5" else None
    stars = rating.value * 5 / best
    return (
        max(stars, 1.0) if stars >= 0.5 or best >= 10 or scale == "0-5" else None
    )  # 0.5: the lowest of scales with halves


# --- Labels ---


_YES_NO = {
    "positive": """
        yes y true t up oui sí si sì sim ja jo tak ano áno да так evet ya はい 是 会 推荐 推薦 예 네 نعم כן igen da kyllä ναι có ใช่ हाँ
        wahr vrai verdadero vero verdadeiro recommend empfohlen recommandé recomendado consigliato
    """,
    "negative": """
        no n false f down non não nao nein nee nej nei nie ne нет ні hayır tidak いいえ 否 不会 不推荐 不推薦 아니오 아니요 لا לא nem nu ei όχι
        không ไม่ नहीं falsch faux falso
    """,
}
_VOTES = {word: sentiment for sentiment, words in _YES_NO.items() for word in words.split()}
_VOTE_COLUMN = re.compile(
    r"recom+[ae]nd|thumb|voted ?up|upvote|empf[eio]+hl|consigli|aanbev|anbefal|rekom+end|polec|рекоменд|推荐|推薦|おすすめ|추천"
)
_NEGATED = re.compile(r"\b(?:not|un|nicht|pas|non?|nie|не|do(?:es)?n['’]?t)\b|unrecom")
_SKIN_TONE = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
# What stands where a customer was not asked or did not answer.
_NO_LABEL = frozenset(
    ("offered", "unoffered", "none", "null", "nan", "n/a", "na", "-", "unknown", "unrated", "not rated")
)
_NUMBERED = {
    frozenset("01"): {"0": "negative", "1": "positive"},
    frozenset("012"): {str(number): name for number, name in enumerate(SENTIMENTS)},
    frozenset(("-1", "0", "1")): {"-1": "negative", "0": "neutral", "1": "positive"},
}


def label_names(values: Iterable[str | None], mapped: bool, column: str = "") -> dict[str, str]:
    """{value of a label column in lower case: sentiment}; empty if more than a tenth of the values mean nothing, unless the
    user `mapped` the column.

    "yes" and "no" count only if it was mapped, or if its name is that of a recommendation or a thumb. Numbers count only if
    it was mapped: {0, 1} are negative and positive, {0, 1, 2} all three, and so are {-1, 0, 1}.
    """
    counts = Counter(value.strip().lower() for value in values if value and value.strip())
    for value in _NO_LABEL:
        counts.pop(value, None)
    names = _meanings(counts, mapped, column)
    unknown = sum(count for value, count in counts.items() if value not in names)
    return {} if not mapped and 10 * unknown > counts.total() else names


def unknown_labels(values: Iterable[str | None], mapped: bool = False, column: str = "") -> list[str]:
    """Up to three different values of a label column that have no meaning, as written."""
    written = dict.fromkeys(value.strip() for value in values if value and value.strip())
    names = _meanings({value.lower() for value in written}, mapped, column)
    return [value for value in written if value.lower() not in names and value.lower() not in _NO_LABEL][:3]


def is_vote(column: str) -> bool:
    """Whether a column's name is that of a recommendation or a thumb."""
    name = column.lower().replace("_", " ").replace("-", " ")
    vote = _VOTE_COLUMN.search(name)
    return bool(vote and not _NEGATED.search(name[: vote.end()]))


def _meanings(values: Iterable[str], mapped: bool, column: str) -> dict[str, str]:
    """Of the values that are understood, the sentiment of each."""
    distinct = set(values)
    if mapped and (numbers := _numbered(distinct)):
        return numbers
    words = SENTIMENT_WORDS
    if mapped or is_vote(column):
        words = SENTIMENT_WORDS | _VOTES
    plain = {value: _SKIN_TONE.sub("", value).strip(" .!").replace("’", "'") for value in distinct}
    return {value: words[word] for value, word in plain.items() if word in words}


def _numbered(distinct: set[str]) -> dict[str, str]:
    """The sentiments of a column of numbers: of the first set that holds them all. {1, 2} alone can be counted from 0 or 1."""
    plain = {value: value.removesuffix(".0") for value in distinct}
    for numbers, names in _NUMBERED.items():
        if plain and numbers.issuperset(plain.values()) and ("0" in plain.values() or "2" not in plain.values()):
            return {value: names[number] for value, number in plain.items()}
    return {}
