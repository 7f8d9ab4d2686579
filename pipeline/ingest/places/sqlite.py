"""Tables of SQLite files: sqlite:///relative.db?table=reviews, sqlite:////absolute.db, or ?query=SELECT ... instead."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import unquote

from pipeline.core.errors import InputError
from pipeline.ingest.places import Fetched
from pipeline.ingest.places.address import masked
from pipeline.ingest.places.tables import Wanted, choose, save_rows

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}


def fetch(address: str, folder: Path) -> Fetched:
    """The rows of a table or query. Raises InputError if there is no such file or table, or the query fails."""
    wanted, name = Wanted.of(address), masked(address)
    file = database_file(wanted.database)
    if not file.is_file():
        raise InputError(f"{name}: there is no file {file}. Write sqlite:///relative.db or sqlite:////absolute.db.")
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        ) as database:
            database.text_factory = lambda data: data.decode("utf-8", "replace")
            statement, part = _statement(database, wanted, name)
            cursor = database.execute(statement)
            return save_rows([column[0] for column in cursor.description], cursor, folder, part, name)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise InputError(f"{name} could not be read: {error}") from error


def database_file(database: str) -> Path:
    """The file that sqlite:///FILE names."""
    return Path(unquote(database.partition("://")[2].removeprefix("/")))


def _statement(database: sqlite3.Connection, wanted: Wanted, name: str) -> tuple[str, str]:
    """(what to execute, what to call it). A query can only read: it attaches no other file, and changes no setting."""
    if wanted.query:
        database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
        return wanted.query, "query"
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
    )
    chosen = choose(wanted.table, [table for (table,) in found], name)
    return 'SELECT * FROM "{}"'.format(chosen.replace('"', '""')), chosen
