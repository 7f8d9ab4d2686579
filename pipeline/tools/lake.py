"""Several warehouses as one: the rows of each in a DuckLake, Parquet files with their catalogue in SQLite or PostgreSQL.

Each shop, region or machine keeps its own warehouse, with its one writer, and pours what is new into the lake; as many as like to
may do so at once, since the catalogue settles who comes first. In the lake every table has the columns of the view of its name,
`warehouse` before them. https://ducklake.select
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import filelock

from pipeline.core.connection import Warehouse, connect, quoted
from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_read_only

# Views that are rows of reviews, themes and texts; what is counted over them is counted in the lake.
TABLES = ("reviews", "sentiment", "emotions", "themes", "feedback", "generate", "scores", "sources", "taxonomy")
_CATALOGUES = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner"}  # kind -> DuckDB's extension for it
_PATIENCE = 60_000  # milliseconds
_SECRET = re.compile(
    r"(password\s*=\s*|://[^:/@\s]*:)(?:'[^']*'|[^\s'\"@]+)", re.IGNORECASE
)  # of a connection, as libpq takes it
_TAKE = 'SELECT $warehouse AS warehouse, hash(one) AS digest, one.* FROM own."{table}" one'


def pour(warehouse: Path, catalogue: str, name: str, files: Path | None = None) -> dict[str, tuple[int, int]]:
    """Brings the rows of a published warehouse in the lake up to date, all tables in one transaction; they are told apart from those
    of others by `name`.

    `catalogue`: sqlite:FILE, or postgres:CONNECTION as libpq takes it; `files`: the folder of the Parquet files, for a lake that
    is new; without, one beside the catalogue in SQLite. Returns (rows added, rows removed) per table that changed. Raises InputError for a warehouse or lake that cannot be
    opened, and without DuckDB's extensions.
    """
    with contextlib.closing(open_read_only(warehouse)):  # refuses what is no warehouse, in its own words
        pass
    changed = {}
    with _alone(catalogue), opened(catalogue, files) as lake:
        lake.execute(f"ATTACH {quoted(str(warehouse))} AS own (READ_ONLY)")
        views = lake.query("SELECT view_name FROM duckdb_views() WHERE database_name = 'own'")
        there = {view["view_name"] for view in views}
        with lake.transaction():
            for table in filter(there.__contains__, TABLES):
                added, removed = _brought_up_to_date(lake, table, name)
                if added or removed:
                    changed[table] = (added, removed)
    return changed


def _brought_up_to_date(lake: Warehouse, table: str, name: str) -> tuple[int, int]:
    values = {"warehouse": name}
    lake.execute(f"CREATE OR REPLACE TEMP TABLE taken AS {_TAKE.format(table=table)}", values)
    lake.execute(f'CREATE TABLE IF NOT EXISTS lake."{table}" AS FROM taken LIMIT 0')
    known = set(lake.columns(f'FROM lake."{table}"'))
    for column in lake.query("DESCRIBE taken"):  # an older lake
        if column["column_name"] not in known:
            lake.execute(f'ALTER TABLE lake."{table}" ADD COLUMN "{column["column_name"]}" {column["column_type"]}')
    there = f'SELECT digest FROM lake."{table}" WHERE warehouse = $warehouse'
    gone = f'FROM lake."{table}" WHERE warehouse = $warehouse AND digest NOT IN (SELECT digest FROM taken)'
    removed = int(lake.value(f"SELECT count(*) {gone}", values))
    if removed:
        lake.execute(f"DELETE {gone}", values)
    lake.execute(f"DELETE FROM taken WHERE digest IN ({there})", values)
    added = int(lake.value("SELECT count(*) FROM taken"))
    if added:
        lake.execute(f'INSERT INTO lake."{table}" BY NAME FROM taken')
    return added, removed


def _alone(catalogue: str) -> contextlib.AbstractContextManager[object]:
    """SQLite takes one writer at a time, and refuses rather than waits where two have read before they write."""
    kind, _, where = catalogue.partition(":")
    return filelock.FileLock(f"{where}.lock") if kind == "sqlite" else contextlib.nullcontext()


@contextlib.contextmanager
def opened(catalogue: str, files: Path | None = None) -> Iterator[Warehouse]:
    """A connection to which the lake is attached as `lake`. Raises InputError as `pour` does."""
    kind, _, where = catalogue.partition(":")
    if kind not in _CATALOGUES or not where:
        raise InputError(f"The catalogue {_shown(catalogue)!r} is neither sqlite:FILE nor postgres:CONNECTION.")
    lake = Warehouse(connect(Path(":memory:")))
    try:
        for extension in ("ducklake", _CATALOGUES[kind]):
            load_extension(lake, extension)
        options = [f"DATA_PATH {quoted(str(files))}"] if files else []
        if kind == "sqlite":  # readers and the writer do not hinder one another
            options += ["META_JOURNAL_MODE 'WAL'", f"META_BUSY_TIMEOUT {_PATIENCE}"]
        given = f"({', '.join(options)})" if options else ""
        try:
            lake.execute(f"ATTACH {quoted(f'ducklake:{catalogue}')} AS lake {given}")
        except Exception as error:
            raise InputError(f"The lake {_shown(catalogue)} cannot be opened: {_shown(str(error))}") from None
        yield lake
    finally:
        lake.close()


def load_extension(lake: Warehouse, extension: str) -> None:
    """Loads an extension of DuckDB from its Python package, or one that DuckDB has installed itself. Raises InputError if there is
    neither.
    """
    try:
        found = importlib.util.find_spec(f"duckdb_extension_{extension}")
        if found and found.submodule_search_locations:
            folder = Path(next(iter(found.submodule_search_locations)))
            file = next(folder.rglob(f"{extension}.duckdb_extension"))
            lake.execute(f"INSTALL {quoted(str(file))}")
        lake.execute(f"LOAD {extension}")
    except Exception as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"DuckDB's extension {extension} cannot be loaded ({cause}). Install it: pip install 'review-insights[lake]'"
        ) from error


def _shown(text: str) -> str:
    """A text in one line, with *** for passwords."""
    return " ".join(_SECRET.sub(r"\1***", text).split())
