"""Where reviews come from: the sources behind --reviews values, and the records of a source.

A record is a dict of its columns as text. One that cannot be read is Broken, with its raw text and a reason, so that
nothing is lost.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest import formats
from pipeline.ingest.formats.hub import read_hub
from pipeline.ingest.formats.record import Item, Layout, ReadOptions, Record


def expand(reviews: Sequence[str]) -> list[str]:
    """The files and hub names behind --reviews values, in order, each once.

    Raises InputError for a file that is missing, empty or of an unknown format, and for a pattern or folder without files.
    """
    sources: dict[str, None] = {}
    for value in reviews:
        if value.startswith("hf:"):
            sources[value] = None
            continue
        for name in _files(value):
            if not formats.is_known(Path(name)):
                raise InputError(f"{name}: what kind of file is this? Known: {formats.KNOWN}.")
            if os.path.getsize(name) == 0:
                raise InputError(f"{name} is empty. Export it again, or name another file.")
            sources[os.path.normpath(name).replace(os.sep, "/")] = None
    return list(sources)


def _files(value: str) -> list[str]:
    """The files that a path or pattern names; of a folder, those of a known format."""
    if os.path.isdir(value):
        files = sorted(str(path) for path in Path(value).rglob("*") if path.is_file() and formats.is_known(path))
        if not files:
            raise InputError(f"The folder {value} holds no reviews. Known files: {formats.KNOWN}.")
        return files
    if os.path.exists(value):
        return [value]
    files = sorted(name for name in glob.glob(value, recursive=True) if os.path.isfile(name))
    if not files and len(parts := value.split()) > 1 and all(map(_names_files, parts)):
        return [
            name for part in parts for name in _files(part)
        ]  # several files in one value, as in REVIEWS="a.csv b.csv"
    if not files and glob.has_magic(value):
        raise InputError(f"Nothing matches {value}. Check the pattern, or name a file.")
    if not files:
        raise InputError(f"There is no file {value}. Check the path given with --reviews.")
    return files


def _names_files(value: str) -> bool:
    return bool(os.path.exists(value) or glob.glob(value, recursive=True))


def content_hash(source: str) -> str:
    """sha256 of a file's bytes; for a hub data set, of its name."""
    if source.startswith("hf:"):
        return hashlib.sha256(source.encode()).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_items(source: str, options: ReadOptions) -> Iterator[Item]:
    """The records and layouts of one source, in order. Raises InputError if the source as a whole cannot be read."""
    return read_hub(source) if source.startswith("hf:") else formats.read(Path(source), options)


def read_records(source: str, options: ReadOptions) -> Iterator[Record]:
    """The records of one source, in order, without its layouts."""
    return (item for item in read_items(source, options) if not isinstance(item, Layout))
