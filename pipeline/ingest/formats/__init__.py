"""One module per file format; READERS says which reads what. To add a format, write its module and a line here.

A reader takes a file and ReadOptions and yields the file's Records in order, before them their Layout, and after them a
Tally where they can be counted in another way. It raises
InputError, at once or while reading, if the file as a whole cannot be read. All read gzipped files too, through `open_bytes` or `seekable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.core.registry import implementation
from pipeline.ingest.formats.record import Item, ReadOptions

Reader = Callable[[Path, ReadOptions], Iterator[Item]]

READERS: Mapping[str, str] = {
    ".csv": "pipeline.ingest.formats.delimited:read_csv",
    ".tsv": "pipeline.ingest.formats.delimited:read_tsv",
    ".txt": "pipeline.ingest.formats.delimited:read_txt",
    ".json": "pipeline.ingest.formats.json:read_json",
    ".jsonl": "pipeline.ingest.formats.json:read_json",
    ".ndjson": "pipeline.ingest.formats.json:read_json",
    ".parquet": "pipeline.ingest.formats.parquet:read_parquet",
    ".xlsx": "pipeline.ingest.formats.excel:read_excel",
    ".zip": "pipeline.ingest.formats.archive:read_zip",
}
KNOWN = f"{', '.join(READERS)}, also .gz"  # for messages


def extension(path: Path) -> str:
    """The extension in lower case, with its dot; that of x.csv.gz is .csv."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else suffixes[-1] if suffixes else ""


def is_known(path: Path) -> bool:
    """Whether a reader exists for the format."""
    return extension(path) in READERS


def read(path: Path, options: ReadOptions) -> Iterator[Item]:
    """The records, layouts and tallies of a file of a known format, in order. Raises InputError if it cannot be read."""
    reader: Reader = implementation(READERS, extension(path))
    return reader(path, options)
