"""What a reader of any format yields: a record as a dict of texts, or a Broken one with its raw text and a reason."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Broken:
    """A record that could not be read."""

    raw: str
    reason: str


Record = dict[str, str | None] | Broken


@dataclass(frozen=True)
class ReadOptions:
    """What the user said about a file; `mapping` is field -> column."""

    header: bool | None = None  # None: look at the first line
    encoding: str | None = None
    delimiter: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names as given, trimmed; unnamed ones by position, repeated ones numbered."""
    result: list[str] = []
    for position, name in enumerate(names, 1):
        name = name.strip().lstrip("\ufeff") or str(position)
        result.append(name if name not in result else f"{name}_{position}")
    return result


def as_text(value: Any) -> str | None:
    """A value of a typed format as a text file would hold it: lists and objects as JSON, bytes as the UTF-8 that they are
    where a writer did not declare its texts as such.
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
