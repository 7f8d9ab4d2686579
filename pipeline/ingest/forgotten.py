"""What was forgotten (`review-insights forget`) stays forgotten when its source is read again: see also replace.sql."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.core.warehouse import Warehouse

_WRITTEN = ("text", "title", "liked", "disliked", "reply", "author", "id")  # fields that are somebody's own
_KEPT = ("text", "liked", "disliked", "reply", "author", "native_id")  # columns of store.reviews that hold them


def authors(warehouse: Warehouse) -> frozenset[str]:
    """Hashes of the authors none of whose reviews may be read."""
    rows = warehouse.query("SELECT DISTINCT author FROM store.forgotten WHERE review_id IS NULL")
    return frozenset(row["author"] for row in rows)


def remove_samples(fields: Iterable[Mapping[str, Any]], reviews: Iterable[Mapping[str, Any]]) -> list[str]:
    """Removes the samples that show words of `reviews` (rows of store.reviews) from the fields of a source, as interpret.summary
    gives them, in place; returns those removed.
    """
    written = [" ".join(review[name].split()) for review in reviews for name in _KEPT if review[name]]
    removed = []
    for field in fields:
        if field["name"] in _WRITTEN and written:
            shown = [
                sample for sample in field["samples"] if any(sample.removesuffix("…") in words for words in written)
            ]
            field["samples"][:] = [sample for sample in field["samples"] if sample not in shown]
            removed += shown
    return removed
