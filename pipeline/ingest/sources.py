"""Where reviews come from: names on the command line to sources, and a source to its records.

A record is a dict of its columns as text, or a Broken one: what could not be read keeps its raw text and a reason,
so that nothing is lost. Text formats are read with Python's csv and json modules, which tell where a record begins
and ends even in damaged exports; Parquet is read by DuckDB.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from pipeline.ingest.formats.decode import decode
from pipeline.ingest.formats.delimited import read_delimited
from pipeline.ingest.formats.excel import read_excel
from pipeline.ingest.formats.hub import read_hub
from pipeline.ingest.formats.json import read_json
from pipeline.ingest.formats.parquet import read_parquet
from pipeline.ingest.formats.record import ReadOptions, Record

EXTENSIONS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")
csv.field_size_limit(2**31 - 1)  # a review has no upper length


def expand(reviews: Sequence[str]) -> list[str]:
    """Files (and hub names) behind --reviews values, in order, each once. Raises InputError for what is not there."""
    found: dict[str, None] = {}
    for value in reviews:
        if value.startswith("hf:"):
            found[value] = None
            continue
        if os.path.isdir(value):
            files = sorted(str(path) for path in Path(value).rglob("*") if path.is_file() and _kind(path) in EXTENSIONS)
            if not files:
                raise InputError(
                    f"The folder {value} holds no reviews. Known files: {', '.join(EXTENSIONS)}, also .gz."
                )
        elif os.path.exists(value):
            files = [value]
        else:
            files = sorted(name for name in glob.glob(value, recursive=True) if os.path.isfile(name))
            if not files and glob.has_magic(value):
                raise InputError(f"Nothing matches {value}. Check the pattern, or name a file.")
            if not files:
                raise InputError(f"There is no file {value}. Check the path given with --reviews.")
        for name in files:
            if _kind(Path(name)) not in EXTENSIONS:
                raise InputError(f"{name}: what kind of file is this? Known: {', '.join(EXTENSIONS)}, also .gz.")
            if os.path.getsize(name) == 0:
                raise InputError(f"{name} is empty. Export it again, or name another file.")
            found[os.path.normpath(name).replace(os.sep, "/")] = None
    return list(found)


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else suffixes[-1] if suffixes else ""


def content_hash(source: str) -> str:
    """sha256 of a file; of a hub data set, its name (a revision can be part of it)."""
    if source.startswith("hf:"):
        return hashlib.sha256(source.encode()).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_records(source: str, options: ReadOptions, warehouse: Warehouse) -> Iterator[Record]:
    """The records of one source, in order. Raises InputError when the source as a whole cannot be read."""
    if source.startswith("hf:"):
        return read_hub(source)
    kind = _kind(Path(source))
    if kind == ".parquet":
        return read_parquet(source, warehouse)
    if kind == ".xlsx":
        return read_excel(source)
    text = decode(source, options.encoding)
    if not text.strip():
        raise InputError(f"{source} is empty. Export it again, or name another file.")
    if kind in (".json", ".jsonl", ".ndjson"):
        return read_json(source, text)
    return read_delimited(source, kind, text, options)
