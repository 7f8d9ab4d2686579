"""What comes piece by piece from a server, saved as a file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pipeline.core.errors import InputError

LIMIT = 3600.0  # seconds for one file or table
Piece = TypeVar("Piece")


def within_limit(pieces: Iterable[Piece], name: str) -> Iterator[Piece]:
    """The pieces, as they come. Raises InputError if they take longer than LIMIT; `name` is for the message."""
    deadline = time.monotonic() + LIMIT
    for piece in pieces:
        yield piece
        if time.monotonic() > deadline:
            raise InputError(f"{name} was not here after {LIMIT:.0f} s. Download it yourself, and name the file.")


def save(chunks: Iterable[bytes], file: Path, name: str) -> None:
    """Writes the chunks to `file`. Raises InputError if they take longer than LIMIT, or hold nothing."""
    with file.open("wb") as out:
        out.writelines(within_limit(chunks, name))
    if file.stat().st_size == 0:
        raise InputError(f"{name} is empty. Export it again, or name another file.")


def suffix(name: str) -> str:
    """The end of a file's name that tells its format, such as .csv or .csv.gz."""
    return "".join(
        character for character in "".join(Path(name).suffixes[-2:]) if character.isalnum() or character == "."
    )
