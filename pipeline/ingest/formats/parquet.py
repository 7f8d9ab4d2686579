"""Parquet, read by Arrow in batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.formats.decode import seekable
from pipeline.ingest.formats.record import Item, Layout, ReadOptions, Tally, as_text, unique_names

_BATCH = 5000  # rows in memory at once


def read_parquet(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layout, records and tally of a Parquet file. Raises InputError for an unreadable file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # 96-bit timestamps, from Spark and Impala, may overflow nanoseconds, Arrow's default.
        with pq.ParquetFile(seekable(source), coerce_int96_timestamp_unit="us") as file:
            names = unique_names(file.schema_arrow.names)
            yield Layout()
            for batch in file.iter_batches(_BATCH):
                for row in zip(*map(_texts, batch.columns), strict=True):
                    yield dict(zip(names, row, strict=True))
            yield Tally(file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{source} is not a Parquet file that can be read: {cause}") from error


def _texts(column: Any) -> list[str | None]:
    """The values of an Arrow array as text: numbers and dates as Python prints them, lists, structs and maps as JSON."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)  # the resolution of Python's datetime
    try:
        return [as_text(value) for value in column.to_pylist(maps_as_pydicts="strict")]
    except OverflowError:  # a year outside 1 to 9999
        return [as_text(value) for value in column.cast(pa.string()).to_pylist()]
