"""Tables of databases: which one an address means, and its rows as a local file."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from pipeline.core.errors import InputError
from pipeline.ingest.formats.record import as_text, unique_names
from pipeline.ingest.places import Fetched
from pipeline.ingest.places.address import masked
from pipeline.ingest.places.saving import within_limit

BATCH = 5000  # rows in memory at once


@dataclass(frozen=True)
class Wanted:
    """What an address asks of a database."""

    database: str  # the address without what is only for us
    table: str | None
    query: str | None

    @classmethod
    def of(cls, address: str) -> Wanted:
        """Takes an address apart. A `query` comes last; with blanks in it, it is taken as it is, else decoded (%20).

        Raises InputError if there are both a table and a query.
        """
        place, _, parameters = address.partition("?")
        before, found, query = f"&{parameters}".partition("&query=")
        values = dict(parse_qsl(before, keep_blank_values=True))
        table = values.pop("table", None)
        if found and table:
            raise InputError(f"{masked(address)}: give a table or a query, not both.")
        sql = (query if " " in query else unquote(query.replace("+", " "))) if found else None
        return cls(f"{place}?{urlencode(values)}" if values else place, table, sql)


def choose(wanted: str | None, tables: Sequence[str], name: str) -> str:
    """The table that is meant: the only one if none is named. `public.reviews` may be called `reviews`.

    Raises InputError, with the tables, if there is none or more than one.
    """
    listed = ", ".join(tables[:50]) or "none"
    if wanted is None:
        if len(tables) == 1:
            return tables[0]
        raise InputError(f"{name}: which table? Say so with ?table=NAME. Tables: {listed}.")
    for same in (str, str.casefold):
        matching = [table for table in tables if same(wanted) in (same(table), same(table).rpartition(".")[2])]
        if len(matching) == 1:
            return matching[0]
    raise InputError(f"{name}: there is no one table {wanted}. Tables: {listed}.")


def save_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], folder: Path, part: str, name: str) -> Fetched:
    """The rows as a Parquet file of texts, written batch by batch. Raises InputError if they take too long."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in unique_names(columns)])
    file = folder / "rows.parquet"
    with pq.ParquetWriter(file, schema) as writer:
        for batch in within_limit(_batches(rows), name):
            arrays = [pa.array(map(as_text, column), pa.string()) for column in zip(*batch, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return Fetched(file, part)


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch
