"""Rows as CSV, JSON, Parquet and XLSX, written batch by batch so that a hundred thousand need little memory.

The same rows give the same bytes. Cells that a spreadsheet would run as a formula are neutralised in CSV and XLSX.
CSV and Parquet are written by Arrow, JSON by the standard library; DuckDB's COPY is no faster, and the connection
to the warehouse must not write files.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import itertools
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, TypeAlias

from pipeline.core.errors import InputError
from pipeline.report import workbook

FORMATS = ("csv", "json", "parquet", "xlsx")
Row = Sequence[Any]

_BATCH = 1000  # rows
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class _Batch:
    """A batch of rows; the cells that CSV and XLSX share are computed once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    @functools.cached_property
    def cells(self) -> list[list[Any]]:
        return [[_cell(value) for value in row] for row in self.rows]


_Put: TypeAlias = Callable[[_Batch], None]  # how an open file takes rows


def write(files: Mapping[str, Path], names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes `rows`, read once, to each of `files`: format -> path. `types`: DuckDB's names of the columns' types.

    Raises InputError if a file cannot be written, or if an XLSX sheet cannot hold that many rows.
    """
    for path in files.values():
        if _is_warehouse(path):
            raise InputError(f"{path} is a DuckDB file, and would be overwritten. Name another file.")
    openers = {"csv": _csv, "json": _json, "parquet": _parquet, "xlsx": _xlsx}
    try:
        with contextlib.ExitStack() as stack:
            parts = {form: stack.enter_context(_whole(path)) for form, path in files.items()}
            puts = [stack.enter_context(openers[form](part, names, types)) for form, part in parts.items()]
            remaining = iter(rows)
            while chunk := list(itertools.islice(remaining, _BATCH)):
                batch = _Batch(chunk)
                for put in puts:
                    put(batch)
    except OSError as error:
        named = str(error.filename)
        failed = next((path for path in files.values() if path.name in named), next(iter(files.values())))
        raise InputError(f"{failed} cannot be written ({error.strerror or error}). Name another file.") from error


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place once it is whole. One that a killed process left is written over."""
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):  # a device, such as /dev/stdout
        yield path
        return
    path = path.resolve()  # a link stays one
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _is_warehouse(path: Path) -> bool:
    """Whether a DuckDB file lies there: its magic bytes follow a checksum of eight."""
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return False


# --- Values ---


def neutralise(value: Any) -> Any:
    """Puts an apostrophe before a text that a spreadsheet would run as a formula (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _cell(value: Any) -> Any:
    """A value as one cell: None, a number, a date or a neutralised text; lists of texts are joined, deeper values are JSON."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return neutralise("; ".join(value))
    return neutralise(_text(value))


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # JSON has no nan
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


def _text(value: Any) -> str | None:
    """A value for a text column; structs, maps and nested lists as JSON."""
    if value is None or isinstance(value, str):
        return value
    return _ENCODER.encode(_plain(value)) if isinstance(value, list | dict | tuple) else str(value)


def _distinct(names: Sequence[str]) -> list[str]:
    """Unique column names: a query may repeat one, JSON and Parquet must not."""
    return [name if name not in names[:at] else f"{name}_{at + 1}" for at, name in enumerate(names)]


def _arrow(kind: str) -> Any:
    """Arrow's type for a DuckDB type; text for what is written as JSON."""
    import pyarrow as pa

    if kind.endswith("[]") and "(" not in kind:
        return pa.list_(_arrow(kind.removesuffix("[]")))
    plain = {
        "BOOLEAN": pa.bool_(),
        "TINYINT": pa.int8(),
        "SMALLINT": pa.int16(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "HUGEINT": pa.decimal128(38),
        "FLOAT": pa.float32(),
        "DOUBLE": pa.float64(),
        "DATE": pa.date32(),
        "TIMESTAMP": pa.timestamp("us"),
    }
    return plain.get(kind, pa.string())


def _column(values: Sequence[Any], kind: Any) -> Any:
    import pyarrow as pa

    return pa.array(map(_text, values) if kind == pa.string() else values, kind)


# --- Formats ---


def write_csv(file: IO[str], names: Sequence[str], rows: Iterable[Row]) -> None:
    """CSV for the screen: no byte order mark, and quotes only where needed."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([neutralise(name) for name in names])
    writer.writerows([_cell(value) for value in row] for row in rows)


@contextlib.contextmanager
def _csv(path: Path, names: Sequence[str], types: Sequence[str]) -> Iterator[_Put]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    kinds = [kind if any(test(kind) for test in numeric) else pa.string() for kind in map(_arrow, types)]
    schema = pa.schema(list(zip(_distinct([neutralise(name) for name in names]), kinds, strict=True)))

    def put(batch: _Batch) -> None:
        arrays = map(_column, zip(*batch.cells, strict=True), kinds)
        writer.write_batch(pa.RecordBatch.from_arrays(list(arrays), schema=schema))

    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")  # the byte order mark: without it, Excel does not read UTF-8
        with arrow_csv.CSVWriter(file, schema, write_options=arrow_csv.WriteOptions(quoting_style="needed")) as writer:
            yield put


def write_json(file: IO[str], names: Sequence[str], rows: Iterable[Row]) -> None:
    """A JSON array of objects, one per line."""
    with _json_array(file, names) as put:
        put(rows)


@contextlib.contextmanager
def _json(path: Path, names: Sequence[str], types: Sequence[str]) -> Iterator[_Put]:
    with path.open("w", encoding="utf-8", newline="\n") as file, _json_array(file, names) as put:
        yield lambda batch: put(batch.rows)


@contextlib.contextmanager
def _json_array(file: IO[str], names: Sequence[str]) -> Iterator[Callable[[Iterable[Row]], None]]:
    names = _distinct(names)
    separators = itertools.chain(["\n"], itertools.repeat(",\n"))

    def put(rows: Iterable[Row]) -> None:
        for row in rows:
            item = dict(zip(names, map(_plain, row), strict=True))
            file.write(next(separators) + _ENCODER.encode(item))

    file.write("[")
    yield put
    file.write("\n]\n")


@contextlib.contextmanager
def _parquet(path: Path, names: Sequence[str], types: Sequence[str]) -> Iterator[_Put]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [_arrow(kind) for kind in types]
    schema = pa.schema(list(zip(_distinct(names), kinds, strict=True)))
    pending: list[Any] = []

    def flush() -> None:
        if pending:
            writer.write_table(pa.Table.from_batches(pending).combine_chunks())
            pending.clear()

    def put(batch: _Batch) -> None:
        arrays = map(_column, zip(*batch.rows, strict=True), kinds)
        pending.append(pa.RecordBatch.from_arrays(list(arrays), schema=schema))
        if len(pending) == 10:  # a row group per batch would be a large file
            flush()

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield put
        flush()


@contextlib.contextmanager
def _xlsx(path: Path, names: Sequence[str], types: Sequence[str]) -> Iterator[_Put]:
    with workbook.write(path, [neutralise(name) for name in names]) as put:
        yield lambda batch: put(batch.cells)
