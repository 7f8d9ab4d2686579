"""SQL from outside: one read-only statement, within bounds of time and memory."""

from __future__ import annotations

import contextlib
import functools
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.core.connection import MEMORY, Warehouse, plainly, told
from pipeline.core.errors import InputError

_READ_ONLY = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


@dataclass(frozen=True)
class Result:
    """The result of a user's query. `types`: DuckDB's names of the column types. `rows` can be read once."""

    names: list[str]
    types: list[str]
    rows: Iterator[tuple[Any, ...]]


def read(
    warehouse: Warehouse, sql: str, params: Mapping[str, Any] | None = None, seconds: float | None = None
) -> Result:
    """One query from a user, on a connection from `open_read_only`; its rows are fetched as they are read.

    Raises InputError for anything but one read-only statement, for SQL that DuckDB refuses, for a value without its
    $parameter in the query, for what takes longer than `seconds` or more memory than MEMORY, and, while reading, for a row
    that cannot be computed.
    """
    connection = warehouse.cursor()  # of its own, since other queries may run before its rows are read
    tell = functools.partial(_refused, file=warehouse.file)
    with plainly(connection, tell):
        statements = connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type not in _READ_ONLY:
            raise InputError("Only one SELECT statement at a time can be run here; nothing can be written.")
        parameters = statements[0].named_parameters
        given = {name: value for name, value in (params or {}).items() if value is not None}
        if unknown := sorted(given.keys() - parameters):
            raise InputError(f"The query has no ${unknown[0]}. Write it where the value belongs: ... = ${unknown[0]}")
        limit = _TimeLimit(connection, seconds)
        try:
            cursor = connection.execute(statements[0], {name: given.get(name) for name in parameters} or None)
        except BaseException:
            limit.lift()
            raise
        columns = cursor.description or []
        fetched = _fetched(cursor, limit, plainly(connection, tell))
        return Result([column[0] for column in columns], [str(column[1]) for column in columns], fetched)


class _TimeLimit:
    """Interrupts a connection after `seconds`, unless lifted before; None: never.

    The thread that waits is waited for, and only borrows the connection: one that it gave up while the interpreter shuts down
    would abort the process ("terminate called without an active exception").
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, seconds: float | None) -> None:
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if seconds is not None:
            arguments = (weakref.ref(connection), self._ended, seconds)
            self._thread = threading.Thread(target=self._watch, args=arguments, name="time limit", daemon=True)
            self._thread.start()

    @staticmethod
    def _watch(borrowed: weakref.ref[duckdb.DuckDBPyConnection], ended: threading.Event, seconds: float) -> None:
        if not ended.wait(seconds) and (connection := borrowed()):
            connection.interrupt()

    def lift(self) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()


def _fetched(
    cursor: duckdb.DuckDBPyConnection, limit: _TimeLimit, guarded: contextlib.AbstractContextManager[None]
) -> Iterator[tuple[Any, ...]]:
    try:
        with guarded:
            while rows := cursor.fetchmany(5000):
                yield from rows
    finally:
        limit.lift()


def _refused(error: duckdb.Error, file: Path | None) -> InputError:
    if isinstance(error, duckdb.InterruptException):
        return InputError("SQL: the query took too long and was stopped. Narrow it, or allow more: --seconds")
    if isinstance(error, duckdb.OutOfMemoryException):
        return InputError(f"SQL: the query needs more than {MEMORY} of memory. Narrow it, or aggregate before joining.")
    return told(error, file) or InputError(f"SQL: {' '.join(str(error).split())}")
