"""What readers of all formats yield: records as dicts of texts, or Broken, with the raw text and a reason; and Layouts."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.ingest.columns import looks_like_header


@dataclass(frozen=True)
class Broken:
    """A record that could not be read."""

    raw: str
    reason: str


Record = dict[str, str | None] | Broken


@dataclass(frozen=True)
class Layout:
    """How the records that follow it were laid out: a reader yields one before the first record of each part."""

    encoding: str | None = None  # of a text file
    delimiter: str | None = None
    header_line: int | None = None  # in its part, from 1; None: no header
    part: str | None = None  # the sheet of a workbook, the keys that lead to a JSON list, the table of a database


Item = Record | Layout


@dataclass(frozen=True)
class ReadOptions:
    """The user's settings for reading a file. `mapping`: field -> column."""

    header: bool | None = None  # None: detected from the first row
    encoding: str | None = None
    delimiter: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names, trimmed; a missing name is replaced by the position, a repeated one gets it as a suffix."""
    result: list[str] = []
    for position, name in enumerate(names, 1):
        name = name.strip().lstrip("\ufeff") or str(position)
        result.append(name if name not in result else f"{name}_{position}")
    return result


HEADER_WITHIN = 20  # rows


def find_header(rows: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> int | None:
    """The position of the header in the first rows of a table, None if there is none.

    Nearly always it is the first row. Below title lines it is, within HEADER_WITHIN rows, the first that has a usual or
    mapped column name, more filled cells than any row above it, and no fewer cells than the rows below it.
    """
    for position, row in enumerate(rows[:HEADER_WITHIN]):
        if looks_like_header(row, mapping) and (position == 0 or _stands_out(rows, position)):
            return position
    return None


def _stands_out(rows: Sequence[Sequence[str]], position: int) -> bool:
    filled = [[place for place, cell in enumerate(row, 1) if cell.strip()] for row in rows]
    header = filled[position]
    return (
        not any(cell.strip().isdigit() for cell in rows[position])
        and all(len(cells) < len(header) for cells in filled[:position])
        and all(max(cells, default=0) <= max(header) for cells in filled[position:])
    )


def as_text(value: Any) -> str | None:
    """A value of a typed format as text, None if it is None: lists and objects as JSON, bytes as UTF-8 if valid, since
    some writers do not declare their strings.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # JSON can spell half a character (a lone surrogate)
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=as_text)
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            return value.decode()
    return str(value)
