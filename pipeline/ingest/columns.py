"""Which column of a source holds what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.values import parse_stars

FIELDS = ("text", "title", "stars", "label", "reviewed_at", "business", "product", "language")

# Common names, the likeliest first; compared in lower case without blanks, dashes and underscores.
NAMES: dict[str, list[str]] = {
    "text": [
        "text",
        "reviewtext",
        "review",
        "reviewbody",
        "content",
        "textcontent",
        "body",
        "comment",
        "comments",
        "verifiedreviews",
        "texte",
        "reviewcontent",
        "description",
        "feedback",
        "message",
        "texto",
        "kommentar",
        "bewertung",
        "avis",
        "opinion",
        "opinión",
    ],
    "title": ["title", "reviewtitle", "reviewname", "titre", "titreavis", "headline", "summary", "subject", "titulo"],
    "stars": [
        "stars",
        "reviewrating",
        "rating",
        "starrating",
        "score",
        "overall",
        "note",
        "reviewscorebadge",
        "reviewscore",
        "puntuacion",
        "calificacion",
        "ratings",
    ],
    "label": ["label", "sentiment", "polarity"],
    "reviewed_at": [
        "reviewedat",
        "reviewdate",
        "date",
        "datetime",
        "at",
        "reviewtime",
        "createdat",
        "timestamp",
        "published",
        "fecha",
        "datum",
        "time",
        "eventtime",
        "dateofstay",
    ],
    "business": [
        "business",
        "businessname",
        "hotelname",
        "enterprise",
        "company",
        "restaurant",
        "place",
        "placename",
        "store",
        "shop",
        "hotel",
        "name",
        "businessid",
        "placeid",
    ],
    "product": [
        "product",
        "productname",
        "item",
        "contentname",
        "variation",
        "clothingid",
        "asin",
        "productid",
        "itemname",
        "sku",
        "roomtypeblock",
    ],
    "language": ["language", "lang", "locale"],
}

_SPLIT = re.compile(r"[\s_\-]+")


def plain(name: str) -> str:
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
    return any(plain(cell) in known for cell in row)


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
    by_plain_name: dict[str, str] = {}
    for name in names:
        by_plain_name.setdefault(plain(name), name)
    for field in FIELDS:
        if field in chosen:
            continue
        candidates = [by_plain_name[name] for name in NAMES[field] if name in by_plain_name]
        candidates = [name for name in candidates if name not in taken]
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
