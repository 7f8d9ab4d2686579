"""Which column holds what, and how stars, dates and labels are read from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.errors import InputError
from pipeline.labels import SENTIMENTS

FIELDS = ("text", "title", "stars", "label", "reviewed_at", "business", "product", "language")

# Common names, the likeliest first; compared in lower case without blanks, dashes and underscores.
NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "reviewtext", "review", "reviewbody", "content", "textcontent", "body", "comment", "comments",
             "verifiedreviews", "texte", "reviewcontent", "description", "feedback", "message", "texto", "kommentar",
             "bewertung", "avis", "opinion", "opinión"),
    "title": ("title", "reviewtitle", "reviewname", "titre", "titreavis", "headline", "summary", "subject", "titulo"),
    "stars": ("stars", "reviewrating", "rating", "starrating", "score", "overall", "note", "reviewscorebadge",
              "reviewscore", "puntuacion", "calificacion", "ratings"),
    "label": ("label", "sentiment", "polarity"),
    "reviewed_at": ("reviewedat", "reviewdate", "date", "datetime", "at", "reviewtime", "createdat", "timestamp",
                    "published", "fecha", "datum", "time", "eventtime", "dateofstay"),
    "business": ("business", "businessname", "hotelname", "enterprise", "company", "restaurant", "place", "placename",
                 "store", "shop", "hotel", "name", "businessid", "placeid"),
    "product": ("product", "productname", "item", "contentname", "variation", "clothingid", "asin", "productid",
                "itemname", "sku", "roomtypeblock"),
    "language": ("language", "lang", "locale"),
}  # fmt: skip

_SPLIT = re.compile(r"[\s_\-]+")


def fold(name: str) -> str:
    """A column name without case, blanks, dashes and underscores."""
    return _SPLIT.sub("", name.strip().lower())


def looks_like_header(row: Sequence[str], mapping: Mapping[str, str]) -> bool:
    """Whether a first row names columns: it holds a mapped or a common name. Columns mapped by number mean it does not."""
    columns = [column for value in mapping.values() for column in value.split("+")]
    if columns and all(column.isdigit() for column in columns):
        return False
    if any(cell.strip() in columns for cell in row):
        return True
    known = {name for names in NAMES.values() for name in names}
    return any(fold(cell) in known for cell in row)


def choose(
    names: Sequence[str], mapping: Mapping[str, str], sample: Sequence[Mapping[str, Any]], source: str
) -> dict[str, str]:
    """Field -> column (or "a+b" for text) of a source with these column names.

    What is mapped is taken as it is; the rest is found by NAMES, each column at most once. `sample` are some of its
    records: a text column must hold prose. Raises InputError for an unknown field or column, and without a text column.
    """
    shown = ", ".join(names) or "none"
    for field, value in mapping.items():
        if field not in FIELDS:
            raise InputError(f"--map {field}={value}: there is no field {field!r}. Fields: {', '.join(FIELDS)}.")
        for column in value.split("+"):
            if column not in names:
                raise InputError(f"--map {field}={value}: {source} has no column {column!r}. Its columns: {shown}.")
    chosen = dict(mapping)
    taken = {column for value in mapping.values() for column in value.split("+")}
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(fold(name), name)
    for field in FIELDS:
        if field in chosen:
            continue
        candidates = [folded[name] for name in NAMES[field] if name in folded and folded[name] not in taken]
        if field == "text":
            candidates = [name for name in candidates if _prose(name, sample) > 0]
            candidates.sort(key=lambda name: -(_prose(name, sample) > 12))  # stable: the documented order decides
        if field == "stars":
            candidates = [name for name in candidates if any(parse_stars(row.get(name)) is not None for row in sample)]
        if candidates:
            chosen[field] = candidates[0]
            taken.add(candidates[0])
    if "text" not in chosen:
        raise InputError(
            f"{source} has no column with a usual name for the review's text. Its columns: {shown}. Say which with --map text=COLUMN."
        )
    return chosen


def _prose(name: str, sample: Sequence[Mapping[str, Any]]) -> float:
    """Average number of letters in a column."""
    values = [row[name] for row in sample if row.get(name)]
    return sum(sum(map(str.isalpha, value)) for value in values) / len(values) if values else 0.0


# --- Stars ---

_WORDS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0}
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)")
_OUT_OF = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:/|out of|von|sur|de|of)\s*(\d+)", re.IGNORECASE)


def parse_stars(value: str | None) -> float | None:
    """The number in a rating, on its own scale: "4 stars", "4,5", "★★★☆☆", "five"; "8/10" is brought to five."""
    text = (value or "").strip().lower()
    if "★" in text or "⭐" in text:
        return float(text.count("★") + text.count("⭐"))
    if text.split(" ")[0] in _WORDS:
        return _WORDS[text.split(" ")[0]]
    if match := _OUT_OF.search(text):
        most = float(match[2])
        return float(match[1].replace(",", ".")) * 5 / most if most else None
    match = _NUMBER.match(text)
    if not match or not re.fullmatch(r"\s*(stars?|sterne?|étoiles?|estrellas?)?", text[match.end() :]):
        return None
    return float(match[1].replace(",", "."))


def star_scale(values: Iterable[float | None], zero_based: bool) -> str:
    """How a column counts: "1-5", "0-4" (declared), "0-10" when more than a tenth of the values lie above 5."""
    if zero_based:
        return "0-4"
    given = [value for value in values if value is not None]
    above = sum(5 < value <= 10 for value in given)
    return "0-10" if above > len(given) / 10 else "1-5"


def to_five(value: float | None, scale: str) -> float | None:
    """1 to 5, or None outside."""
    if value is None:
        return None
    value = {"0-4": value + 1, "0-10": value / 2, "1-5": value}[scale]
    if 0.5 <= value < 1:
        value = 1.0  # the lowest mark of scales with halves
    return value if 1 <= value <= 5 else None


# --- Dates ---

_MONTHS = {
    "januar": "january", "februar": "february", "märz": "march", "marts": "march", "mai": "may", "maj": "may",
    "juni": "june", "juli": "july", "oktober": "october", "dezember": "december", "janvier": "january",
    "février": "february", "mars": "march", "avril": "april", "juin": "june", "juillet": "july", "août": "august",
    "septembre": "september", "octobre": "october", "novembre": "november", "décembre": "december", "enero": "january",
    "febrero": "february", "marzo": "march", "abril": "april", "mayo": "may", "junio": "june", "julio": "july",
    "agosto": "august", "septiembre": "september", "octubre": "october", "noviembre": "november", "diciembre": "december",
}  # fmt: skip
_DATE_WORD = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]*|am|pm|utc|gmt|z|t|st|nd|rd|th",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"^\s*(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{2,4})")
_WORD = re.compile(r"[^\W\d_]+")
_RELATIVE = re.compile(r"\b(ago|vor|siden|hace|il y a|yesterday|today|gestern|heute)\b", re.IGNORECASE)


def day_first(values: Iterable[str | None]) -> bool:
    """Whether 3/4/2020 is the 3rd of April in a column: decided over all its values, month first when nothing tells."""
    firsts, seconds = 0, 0
    dotted = False
    for value in values:
        if value and (match := _SLASHED.match(value)):
            firsts = max(firsts, int(match[1]))
            seconds = max(seconds, int(match[2]))
            dotted |= value.strip()[len(match[1])] == "."
    return (firsts > 12 and seconds <= 12) or (dotted and seconds <= 12)


def _date_word(word: str) -> str:
    """A month's English name, a word that dates are made of, or nothing ("Published on", "Publiée le")."""
    english = _MONTHS.get(word.lower(), word)
    return english if _DATE_WORD.fullmatch(english) else " "


def parse_date(value: str | None, dayfirst: bool) -> datetime | None:
    """A point in time without zone (UTC where a zone was given), or None: relative and partial dates are not invented."""
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

_LABELS = {
    "negative": "negative", "neg": "negative", "neutral": "neutral", "neu": "neutral", "mixed": "neutral",
    "positive": "positive", "pos": "positive",
}  # fmt: skip


def label_names(values: Iterable[str | None], mapped: bool) -> dict[str, str]:
    """What each value of a label column means. Words are known; numbers only when the column was mapped:
    {0, 1} is negative and positive, {0, 1, 2} all three.
    """
    found = {value.strip().lower() for value in values if value and value.strip()}
    if mapped and found and found <= {"0", "1"}:
        return {"0": "negative", "1": "positive"}
    if mapped and found and found <= {"0", "1", "2"}:
        return {str(number): name for number, name in enumerate(SENTIMENTS)}
    return {value: _LABELS[value] for value in found if value in _LABELS}
