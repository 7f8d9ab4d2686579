"""Parquet, read by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from pipeline.ingest.formats.record import Record, as_text


def read_parquet(source: str, warehouse: Warehouse) -> Iterator[Record]:
    try:
        rows = warehouse.query("SELECT * FROM read_parquet(?)", [source])
    except Exception as error:
        raise InputError(f"{source} is not a Parquet file that can be read: {str(error).splitlines()[0]}") from error
    return ({name: as_text(value) for name, value in row.items()} for row in rows)
