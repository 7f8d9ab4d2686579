"""Which column of a source holds what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.values import parse_stars

FIELDS = ("text", "title", "stars", "label", "reviewed_at", "business", "product", "language")

# Common names, most likely first; compared in lower case without spaces, dashes and underscores.
_NAMES = {
    "text": """
        text reviewtext review reviewbody content textcontent body comment comments verifiedreviews texte reviewcontent
        description feedback message texto kommentar bewertung avis opinion opinión
    """,
    "title": "title reviewtitle reviewname titre titreavis headline summary subject titulo",
    "stars": """
        stars reviewrating rating starrating score overall note reviewscorebadge reviewscore puntuacion calificacion ratings
        im:rating reviewstars sterne
    """,
    "label": "label sentiment polarity",
    "reviewed_at": """
        reviewedat reviewdate date datetime at reviewtime createdat timestamp published fecha datum time eventtime dateofstay
        createtime publishtime createddate updated reviewsubmitdateandtime reviewcreated(utc)
    """,
    "business": """
        business businessname hotelname enterprise company restaurant place placename store shop hotel webshopname name businessid placeid
    """,
    "product": """
        product productname item contentname variation clothingid asin productid itemname sku roomtypeblock
    """,
    "language": "language lang locale reviewerlanguage",
}
NAMES = {field: names.split() for field, names in _NAMES.items()}

_SPLIT = re.compile(r"[\s_\-]+")


def plain(name: str) -> str:
    """A column name in lower case, without spaces, dashes and underscores."""
    return _SPLIT.sub("", name.strip().lower())


def choose(
    names: Sequence[str], mapping: Mapping[str, str], sample: Sequence[Mapping[str, Any]], source: str
) -> dict[str, str]:
    """Field -> column (or "a+b" for text) of a source with the columns `names`.

    `mapping` is taken as it is; other fields are found by NAMES, each column used at most once. `sample`: some records,
    as a text column must hold prose. Raises InputError for an unknown field or column, and if no column can be the text.
    """
    listed = ", ".join(names) or "none"
    for field, value in mapping.items():
        if field not in FIELDS:
            raise InputError(f"--map {field}={value}: there is no field {field!r}. Fields: {', '.join(FIELDS)}.")
        for column in value.split("+"):
            if column not in names:
                raise InputError(f"--map {field}={value}: {source} has no column {column!r}. Its columns: {listed}.")
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
            candidates.sort(key=lambda name: -(_prose(name, sample) > 12))  # stable: then in the order of NAMES
        if field == "stars":
            candidates = [name for name in candidates if any(parse_stars(row.get(name)) is not None for row in sample)]
        if field == "business":
            candidates = [name for name in candidates if plain(name) != "name" or _recurs(name, sample)]
        if candidates:
            chosen[field] = candidates[0]
            taken.add(candidates[0])
    if "text" not in chosen:
        usual = [by_plain_name[name] for name in NAMES["text"] if name in by_plain_name]
        empty = next((name for name in usual if name not in taken), None)
        if empty:
            raise InputError(
                f"{source}: the column {empty} holds no text. Its columns: {listed}. If another one does: --map text=COLUMN."
            )
        raise InputError(
            f"{source} has no column with a usual name for the review's text. Its columns: {listed}. Say which with --map text=COLUMN."
        )
    return chosen


def _recurs(name: str, sample: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each value of a column stands in two records or more on average: a place's name does, a customer's does not."""
    values = [row[name] for row in sample if row.get(name)]
    return len(values) >= 2 * len(set(values))


def _prose(name: str, sample: Sequence[Mapping[str, Any]]) -> float:
    """Average number of letters in a column's values."""
    values = [row[name] for row in sample if row.get(name)]
    return sum(sum(map(str.isalpha, value)) for value in values) / len(values) if values else 0.0
