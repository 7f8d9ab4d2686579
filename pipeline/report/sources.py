"""How each source was understood, in words: for the command line and for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Fields that a reader expects; the others are shown only where they were found.
_EXPECTED = ("text", "stars", "reviewed_at", "business", "product", "language")
_LISTED = 30  # columns in a line
_ONE_SAMPLE = ("text", "title", "liked", "disliked", "reply", "id")  # shows what such a column holds
HEADINGS = ("field", "column", "as read", "understood")


@dataclass(frozen=True)
class Described:
    """A source in words. `rows`: under HEADINGS; `lines`: what else there is to say, the notes last; `concerns`: of all that,
    what people should look at before they rely on the rest.
    """

    source: str
    rows: list[tuple[str, str, str, str]]
    lines: list[str]
    concerns: list[str]


def describe(source: Mapping[str, Any]) -> Described:
    """A source by its row of the view `sources`, JSON columns decoded."""
    lines = [counts(source), *_layouts(source["layouts"])]
    if source["export"]:
        lines.insert(0, f"known export: {source['export']}")
    if source["attributes"]:
        lines.append(f"kept as attributes: {_listed(source['attributes'])}")
    if source["unused"]:
        lines.append(f"not used: {_listed(source['unused'])}")
    found = {field["name"] for field in source["fields"] if field["column"]}
    expected = set(_EXPECTED) - ({"text"} if found & {"liked", "disliked"} else set())
    rows = [_row(field) for field in source["fields"] if field["name"] in found | expected]
    notes = [f"note: {note}" for note in source["notes"]]
    return Described(source["source"], rows, [*lines, *notes], [*_assumed(source["fields"]), *source["notes"]])


def _listed(columns: Sequence[str]) -> str:
    more = [f"and {len(columns) - _LISTED} more"] if len(columns) > _LISTED else []
    return ", ".join([*columns[:_LISTED], *more])


def counts(source: Mapping[str, Any]) -> str:
    """What became of the records of a source."""
    parts = [
        f"{source['accepted']:,} accepted",
        f"{source['rejected']:,} rejected",
        f"{source['duplicates']:,} duplicates",
    ]
    parts += [f"{source['rating_only']:,} ratings without words"] if source["rating_only"] else []
    return f"{source['rows']:,} records: {', '.join(parts)}"


def _assumed(fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """How a field is read where an option would settle it: nothing in the source does."""
    return [
        f"{field['name']}: column {field['column']} is read {field['how']}" for field in fields if "--" in field["how"]
    ]


def _row(field: Mapping[str, Any]) -> tuple[str, str, str, str]:
    if not field["column"]:
        return field["name"], "not found", "", field["how"]
    samples = field["samples"][: 1 if field["name"] in _ONE_SAMPLE else None]
    shown = "" if field["name"] == "author" else " | ".join(samples)  # only hashes are kept of names
    return field["name"], field["column"], shown, _understood(field)


def _understood(field: Mapping[str, Any]) -> str:
    filled, understood = field["filled"], field["understood"]
    if not filled:
        return "empty"
    if not understood:
        return f"none of {filled:,}"
    share = f"{understood:,} of {filled:,} ({int(100 * understood / filled)} %)"
    return "; ".join(filter(None, (f"all {filled:,}" if understood == filled else share, field["how"])))


def _layouts(layouts: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line per part of the source, at most five."""
    lines = [line for layout in layouts[:5] if (line := _layout(layout))]
    return lines + ([f"and {len(layouts) - 5} more parts"] if len(layouts) > 5 else [])


def _layout(layout: Mapping[str, Any]) -> str:
    delimiter = "tab" if layout["delimiter"] == "\t" else f"'{layout['delimiter']}'" if layout["delimiter"] else None
    return ", ".join(
        text
        for text in (
            layout["part"],
            f"encoding {layout['encoding']}" if layout["encoding"] else None,
            f"delimiter {delimiter}" if delimiter else None,
            f"header in line {layout['header_line']}" if layout["header_line"] else None,
            "no header" if layout["delimiter"] and not layout["header_line"] else None,
        )
        if text
    )
