"""What readers of all formats yield: records as dicts of texts, or Broken, with the raw text and a reason; Layouts before
them, and Tallies after them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

_LONGEST_NAME = 300  # characters; a survey's question is shorter


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


@dataclass(frozen=True)
class Tally:
    """How many records a part holds at least, counted without the parser that has read them; it follows the last of them."""

    records: int


Item = Record | Layout | Tally


def is_record(item: Item) -> TypeGuard[Record]:
    """Whether an item is a record, be it a broken one."""
    return not isinstance(item, (Layout, Tally))


@dataclass(frozen=True)
class ReadOptions:
    """The user's settings for reading a file. `mapping`: field -> column."""

    header: bool | None = None  # None: detected from the first row
    encoding: str | None = None
    delimiter: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


def short_name(name: str) -> str:
    """A column's name of a length that patterns may see; the end of a longer one is a hash, so that no two become one."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{name[:_LONGEST_NAME]}…{digest}"


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names, trimmed; a missing name is replaced by the position, a repeated one gets it as a suffix."""
    result: dict[str, None] = {}
    for position, name in enumerate(names, 1):
        name = short_name(name.strip().lstrip("\ufeff")) or str(position)
        while name in result:
            name = f"{name}_{position}"
        result[name] = None
    return list(result)


def as_text(value: Any) -> str | None:
    """A value of a typed format as text, None if it is None: lists and objects as JSON, bytes as UTF-8 if valid, since
    some writers do not declare their strings.
    """
    if value is None:
        return None
    if isinstance(value, Broken):
        return value.raw
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # JSON can spell half a character (a lone surrogate)
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=as_text)
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            return value.decode()
    return str(value)
