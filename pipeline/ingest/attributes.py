"""Which columns of a source reviews can be grouped by."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.ingest.names import NAMES, plain
from pipeline.ingest.personal import is_identifier, is_personal

if TYPE_CHECKING:
    from pipeline.ingest.exports import Export

_MOST_PARTS = 20  # of a dotted name
_LONGEST, _PROSE = 80, 30  # characters at most; letters on average
_DISTINCT, _ALWAYS = 1000, 20  # different values at most; so many are fine however few the rows
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{10}(\d{3})?(\.\d+)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?")
_COUNTS = re.compile(
    r"counts?$|votes|likes|helpful|thumbsup|(numberof|num|total)reviews|wordcount|^(average|total)(rating|score)$"
)
_NO_ATTRIBUTES = ("text", "title", "liked", "disliked", "stars", "reviewed_at", "id", "author", "reply", "replied_at")


def attributes(
    names: Sequence[str],
    chosen: Mapping[str, str],
    export: Export | None,
    values: Mapping[str, Sequence[str | None]],
) -> list[str]:
    """The columns by which reviews can be grouped (country, app version, device, seat), in the source's order.

    `values`: some thousand values per column. Left out are fields and what the export ignores, columns that could have
    been a field (the place's rating beside the customer's), personal data, identifiers, counts, dates, lists, copies of
    another column, and columns of long texts or of too many different values.
    """
    used = {column for value in chosen.values() for column in value.split("+")}
    ignored = set(map(plain, export.ignored)) if export else set()
    kept: list[str] = []
    seen = set(used)
    for name in names:
        filled = [value for value in values.get(name, ()) if value and value.strip()]
        if name in used or plain(name) in ignored or not _has_few_short(filled):
            continue
        if _may_group(name) and not is_personal(name, filled) and not is_copy(name, seen, values):
            kept.append(name)
            seen.add(name)
    return kept


def _has_few_short(filled: Sequence[str]) -> bool:
    """Whether values are few and short enough to be those of groups, and neither lists nor moments."""
    distinct = set(filled)
    few = len(distinct) <= _DISTINCT and (len(distinct) <= _ALWAYS or 2 * len(distinct) <= len(filled))
    if not filled or not few or letters(filled) > _PROSE:
        return False
    return all(
        len(value) <= _LONGEST and not value.startswith(("[", "{")) and not _MOMENT.fullmatch(value.strip())
        for value in distinct
    )


def _may_group(name: str) -> bool:
    """Whether a column's name speaks of no field, count or identifier, nor of the place ("place.id", "averageRating")."""
    short = plain(name)
    usual = any(short in NAMES[field] for field in _NO_ATTRIBUTES)
    return not (usual or short.startswith("place.") or _COUNTS.search(short) or is_identifier(name))


def is_copy(name: str, others: Container[str], values: Mapping[str, Sequence[str | None]]) -> bool:
    """Whether a column repeats another one: values of nested JSON stand under a short and a long name."""
    parts = name.split(".")
    if len(parts) > _MOST_PARTS:
        return False
    halves = [(parts[:cut], parts[cut:]) for cut in range(1, len(parts))]
    shorter = [".".join(half) for pair in halves for half in pair]
    return any(other in others and values.get(name) == values.get(other) for other in shorter)


def letters(values: Sequence[str]) -> float:
    """Average number of letters in a column's values."""
    return sum(sum(map(str.isalpha, value)) for value in values) / len(values) if values else 0.0
