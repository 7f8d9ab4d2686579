"""Parsers that a file is too much for. In a module of their own, which their process imports in no time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def hanging(upload: Path, *arguments: object) -> Iterator[list[Any]]:
    """A parser that a file has caught in a regular expression, which holds the interpreter."""
    (upload.parent / "hangs").touch()
    re.match(r"(a|a)*$", "a" * 200 + "b")
    raise AssertionError("unreachable")
    yield []


def dying(upload: Path, *arguments: object) -> Iterator[list[Any]]:
    os._exit(9)
    yield []


def failing(upload: Path, *arguments: object) -> Iterator[list[Any]]:
    raise LookupError("a customer's words")
    yield []
