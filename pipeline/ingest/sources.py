"""Where reviews come from: the sources behind --reviews values, and the records of a source.

A record is a dict of its columns as text. One that cannot be read is Broken, with its raw text and a reason, so that
nothing is lost.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest import formats, places, sample
from pipeline.ingest.formats.hub import read_hub
from pipeline.ingest.formats.record import Item, Layout, ReadOptions, Record, is_record
from pipeline.ingest.places import address


def expand(reviews: Sequence[str]) -> list[str]:
    """The files, addresses and hub names behind --reviews values, in order, each once. Addresses may hold secrets.

    Raises InputError for a file that is missing, empty or of an unknown format, for a pattern or folder without files, and
    for an address of an unknown kind.
    """
    sources: dict[str, None] = {}
    for value in reviews:
        if value.startswith("hf:"):
            sources[value] = None
            continue
        if address.scheme(value):
            sources |= dict.fromkeys(places.expand(value))
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


@dataclass(frozen=True)
class Opened:
    """A source that can be read, as often as need be, while it is open."""

    name: str  # as messages and the warehouse have it: the address without passwords and signatures
    content_hash: str  # sha256 of a file's bytes or a table's rows; of a hub data set, of its name
    items: Callable[[ReadOptions], Iterator[Item]]  # as `read_items`


@contextlib.contextmanager
def opened(source: str) -> Iterator[Opened]:
    """Opens one of the sources that `expand` returns. What is not on this machine is fetched once, into a temporary file.

    Raises InputError if it cannot be had; reading its items does if it cannot be read.
    """
    if source.startswith("hf:"):
        yield Opened(source, hashlib.sha256(source.encode()).hexdigest(), lambda options: read_hub(source))
    elif address.scheme(source):
        with tempfile.TemporaryDirectory(prefix="reviews-") as folder:
            fetched = places.fetch(source, Path(folder))
            name = address.masked(source)
            yield Opened(name, _hash(fetched.file), functools.partial(_fetched_items, fetched, name))
    else:
        name = sample.NAME if sample.is_sample(source) else _in_utf8(source)
        yield Opened(name, _hash(Path(source)), functools.partial(formats.read, Path(source)))


def _in_utf8(name: str) -> str:
    """A file's name as a text: its bytes that are not UTF-8 as escapes, since no database and no page could hold them."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetched_items(fetched: places.Fetched, name: str, options: ReadOptions) -> Iterator[Item]:
    """The items of a local copy, with the table of a database as their part, and its own name in messages."""
    if fetched.part:
        yield Layout(part=fetched.part)
    try:
        for item in formats.read(fetched.file, options):
            if not (fetched.part and isinstance(item, Layout)):
                yield item
    except InputError as error:
        raise InputError(str(error).replace(str(fetched.file), name)) from error


def content_hash(source: str) -> str:
    """The `content_hash` of one source."""
    with opened(source) as it:
        return it.content_hash


def read_items(source: str, options: ReadOptions) -> Iterator[Item]:
    """The records, layouts and tallies of one source, in order. Raises InputError if the source as a whole cannot be read."""
    with opened(source) as it:
        yield from it.items(options)


def read_records(source: str, options: ReadOptions) -> Iterator[Record]:
    """The records of one source, in order, and nothing else."""
    return filter(is_record, read_items(source, options))
