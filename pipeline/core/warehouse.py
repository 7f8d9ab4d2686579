"""The DuckDB warehouse: connect, migrate, query, append, publish. The only module that imports duckdb.

A run works in a file of its own beside the published one and replaces it in one step once its audits have passed, so
readers never see half a run and never wait for a lock:

    insights.duckdb          what SQL, report and API read
    insights.duckdb.work     a run in progress, or a killed one that the next run continues
    insights.duckdb.models/  adapters trained by `distill`
    insights.duckdb.salt     see `salt`
    insights.duckdb.lock     see `lock.writing`
"""

from __future__ import annotations

import contextlib
import functools
import glob
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.core import faults
from pipeline.core.assets import WAREHOUSE
from pipeline.core.errors import AuditFailed, InputError

Params = Mapping[str, Any] | Sequence[Any] | None

_ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "DOUBLE": pa.float64(),
    "FLOAT": pa.float32(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "BLOB": pa.binary(),
}


def _arrow(name: str) -> pa.DataType:
    """The Arrow type of a DuckDB type by its name, nested ones included."""
    if name.endswith("]"):
        return pa.list_(_arrow(name[: name.rindex("[")]))
    kind, _, inner = name.partition("(")
    if not inner:
        return _ARROW[name]
    parts = _split(inner[:-1])
    if kind == "MAP":
        return pa.map_(*(_arrow(part) for part in parts))
    fields = (part.partition(" ") for part in parts)  # of a STRUCT: name, blank, type
    return pa.struct([(field.strip('"'), _arrow(of)) for field, _, of in fields])


def _split(listed: str) -> list[str]:
    """The items of a list, at commas outside parentheses."""
    parts, depth = [""], 0
    for char in listed:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


MEMORY = "4GiB"  # that a query of a published warehouse may take
# SQL can reach nothing outside the file, and no statement can undo that.
_SAFE = {
    "enable_external_access": "false",
    "lock_configuration": "true",
    "autoload_known_extensions": "false",
    "memory_limit": MEMORY,
}

_SALT_BYTES = 16
_MEMORY_SALT = secrets.token_bytes(_SALT_BYTES)
_LONGEST_QUERY = 24 * 3600.0  # seconds after which what a reader has spilled is no longer in use
# DuckDB's words for a file that another process holds, on Unix and on Windows; it knows the program where the system tells.
_LOCKED = re.compile(r"could not set lock|file is already open|being used by another process", re.IGNORECASE)
_HOLDER = re.compile(r"(?:held|already open) in\s+(\S.*?) \(PID (\d+)\)")

# Its words for bytes that are not as it wrote them.
_DAMAGED = re.compile(
    r"corrupt|checksum|could not read enough bytes|deserializ|failure while replaying wal", re.IGNORECASE
)

_FROM_THE_FILE = (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException, duckdb.InternalException)

_WORK = ".work"
_READ_ONLY = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class Warehouse:
    """One connection. Rows go in and come out as dicts; values reach SQL as parameters, never as text."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, path: Path | None = None, published: bool = False
    ) -> None:
        self._connection = connection
        self.path = path
        self._published = published
        self._in_transaction = False

    @property
    def file(self) -> Path | None:
        """What is open: the published file, or the working copy beside it."""
        return self.path if self.path is None or self._published else work_path(self.path)

    def _run(self, sql: str, params: Params = None) -> duckdb.DuckDBPyConnection:
        """Raises InputError for what the machine refuses: a full disk, too little memory, a damaged file."""
        with self._plainly():
            return self._connection.execute(sql, params) if params else self._connection.execute(sql)

    def _plainly(self) -> contextlib.AbstractContextManager[None]:
        return _plainly(self._connection, lambda error: _told(error, self.file))

    def query(self, sql: str, params: Params = None) -> list[dict[str, Any]]:
        """All rows of one statement, as dicts. Raises InputError if the published file was written by another version."""
        try:
            cursor = self._run(sql, params)
        except (duckdb.CatalogException, duckdb.BinderException) as error:  # a table, or a column, that is not there
            if not self._published:
                raise
            raise InputError(  # only a writer renews the views, and this reader may be newer
                f"{self.path} was written by another version ({str(error).splitlines()[0]}). Renew it: review-insights run "
                f"--warehouse {self.path}, with the same --reviews as before; nothing is computed twice."
            ) from error
        names = [column[0] for column in cursor.description or []]
        with self._plainly():
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, params: Params = None) -> Any:
        """The first column of the first row; None if there is no row."""
        rows = self.query(sql, params)
        return next(iter(rows[0].values())) if rows else None

    def columns(self, sql: str) -> list[str]:
        """The column names that a SELECT would return."""
        return [row["column_name"] for row in self.query(f"DESCRIBE {sql}")]

    def execute(self, sql: str, params: Params = None) -> None:
        """Runs statements without a result; with parameters only one."""
        self._run(sql, params)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits on success, rolls back on any exception. Inside another transaction it joins that one."""
        if self._in_transaction:
            yield
            return
        self._run("BEGIN")
        self._in_transaction = True
        try:
            yield
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # what broke it says more, and may have ended it already
                self._connection.execute("ROLLBACK")
            raise
        else:
            self._run("COMMIT")
        finally:
            self._in_transaction = False

    @contextlib.contextmanager
    def bounded_memory(self, limit: str) -> Iterator[None]:
        """Within it, what does not fit into `limit` ("512MiB") goes to disk."""
        self._run(f"SET memory_limit = '{limit}'")
        try:
            yield
        finally:
            with contextlib.suppress(duckdb.FatalException):  # which has closed the file: its cause is on its way up
                self._connection.execute("RESET memory_limit")

    def append(self, table: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Inserts rows by column name, all or nothing, and returns their number; columns that a row lacks become NULL.

        Raises KeyError for a column that the table does not have: a misspelt name must not silently become NULL.
        """
        if not rows:
            return 0
        types = {row["column_name"]: row["column_type"] for row in self.query(f"DESCRIBE {table}")}
        if unknown := {name for row in rows for name in row} - types.keys():
            raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
        names = [name for name in types if any(name in row for row in rows)]
        arrays = [pa.array([row.get(name) for row in rows], type=_arrow(types[name])) for name in names]
        self._connection.register("batch", pa.Table.from_arrays(arrays, names=names))
        try:
            self._run(f"INSERT INTO {table} BY NAME SELECT * FROM batch")
        finally:
            with contextlib.suppress(duckdb.FatalException):
                self._connection.unregister("batch")
        return len(rows)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


@contextlib.contextmanager
def _plainly(
    connection: duckdb.DuckDBPyConnection, tell: Callable[[duckdb.Error], InputError | None]
) -> Iterator[None]:
    """Within it, an error of DuckDB becomes what `tell` makes of it, if anything, and Ctrl-C is what it is elsewhere."""
    try:
        yield
    except duckdb.Error as error:
        raise tell(error) or error  # noqa: B904 - held in a variable, its traceback would keep the connection open
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # DuckDB's word for Ctrl-C
            raise
        connection.interrupt()  # or the query would go on, and closing would wait for its end
        raise KeyboardInterrupt from error


def sql_file(*parts: str) -> str:
    """The text of a file under `warehouse/`, such as sql_file("stages", "sentiment.sql")."""
    return WAREHOUSE.joinpath(*parts).read_text(encoding="utf-8")


def migrate(warehouse: Warehouse) -> None:
    """Applies outstanding migrations, each in a transaction, and renews the views. Raises InputError for a warehouse that
    a newer version has written.
    """
    warehouse.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY, applied_at TIMESTAMP DEFAULT current_timestamp)"
    )
    applied = {row["name"] for row in warehouse.query("SELECT name FROM migrations")}
    files = sorted((WAREHOUSE / "migrations").glob("*.sql"))
    if ahead := applied - {file.stem for file in files}:
        raise InputError(
            f"{warehouse.file} was written by a newer version (it has migration {max(ahead)}). "
            "Upgrade review-insights, or name another file with --warehouse."
        )
    for file in files:
        if file.stem not in applied:
            with warehouse.transaction():
                warehouse.execute(file.read_text(encoding="utf-8"))
                warehouse.execute("INSERT INTO migrations (name) VALUES (?)", [file.stem])
    with warehouse.transaction():
        for sql in _views():
            warehouse.execute(sql)


def _views() -> Iterator[str]:
    """SQL that creates the views, in order: `reviews`; one per stage, unless it has a file of its own (`10_themes.sql`); the macro
    `stage_errors()` with the errors of all stages (stage, role if it has one, error); the files of `views/`.
    """
    stages = sorted(file.stem for file in (WAREHOUSE / "stages").glob("*.sql"))
    first, *files = sorted((WAREHOUSE / "views").glob("*.sql"))
    handwritten = {file.stem.partition("_")[2] for file in files}
    yield first.read_text(encoding="utf-8")  # reviews, on which the views of the stages stand
    for stage in stages:
        if stage not in handwritten:
            yield f"CREATE OR REPLACE VIEW {stage} AS SELECT t.* {_current(stage)}"
    errors = (f"SELECT '{stage}' AS stage, COLUMNS('^(role|error)$') {_current(stage)}" for stage in stages)
    yield f"CREATE OR REPLACE MACRO stage_errors() AS TABLE {' UNION ALL BY NAME '.join(errors)}"
    for file in files:
        yield file.read_text(encoding="utf-8")


def _current(stage: str) -> str:
    """The rows `t` of a stage's table that hold now: of the current fingerprint and, if they are about reviews, current ones."""
    rows = f"FROM store.{stage} t JOIN store.current c ON c.stage = '{stage}' AND c.fingerprint = t.fingerprint"
    return rows if stage == "distill" else f"{rows} SEMI JOIN reviews USING (review_id)"


def open_memory() -> Warehouse:
    """A migrated warehouse in memory, for the service and for tests."""
    warehouse = Warehouse(duckdb.connect(":memory:"))
    migrate(warehouse)
    return warehouse


def _connect(path: Path, **options: Any) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), **options)
    except _FROM_THE_FILE as error:
        reason = str(error)
        if _LOCKED.search(reason):
            holder = _HOLDER.search(reason)
            where = f"{Path(holder[1]).name} (process {holder[2]})" if holder else "another program"
            raise InputError(
                f"{path} is open in {where}. Close it there, or name another file with --warehouse."
            ) from error
        unusable = f"{path} is not a DuckDB warehouse that can be opened: {reason.splitlines()[0]}."
        raise _told(error, path) or InputError(f"{unusable} Name another file with --warehouse.") from error


def _told(error: duckdb.Error, file: Path | None) -> InputError | None:
    """What ails the file or the machine, in one line; None for any other error."""
    if isinstance(error, _FROM_THE_FILE) and _DAMAGED.search(str(error)):
        return InputError(f"{file} is damaged ({str(error).splitlines()[0]}). {_remedy(file)}")
    return faults.told(error)


def _remedy(file: Path | None) -> str:
    if file is None or not file.name.endswith(_WORK):
        return "Restore it from a backup; or move it away and repeat the run on the same reviews."
    published = file.with_name(file.name.removesuffix(_WORK))
    if published.exists() and not _is_whole(published):
        return f"{published} is damaged too: restore that from a backup, delete {file}, and repeat the run."
    return "Delete it and repeat the run: nothing that was published is lost."


def _is_whole(path: Path) -> bool:
    """Whether all that a published warehouse holds can be read."""
    try:
        with contextlib.closing(open_read_only(path)) as warehouse:
            for table in warehouse.query(
                "SELECT schema_name AS s, table_name AS t FROM duckdb_tables() WHERE NOT internal"
            ):
                warehouse.query(f'SELECT bit_xor(hash(one)) FROM "{table["s"]}"."{table["t"]}" one')
    except InputError:
        return False
    return True


def work_path(path: Path) -> Path:
    """The working copy beside a published warehouse."""
    return path.with_name(path.name + _WORK)


def models_path(path: Path) -> Path:
    """The folder of trained adapters beside a published warehouse."""
    return path.with_name(path.name + ".models")


def open_work(path: Path) -> Warehouse:
    """The working copy of a warehouse, for the one process that writes (`lock.writing`).

    A work file left behind by a killed run is continued; otherwise it starts as a copy of the published file.
    Raises InputError if another program holds the file, it is not a warehouse, is damaged, or a newer version wrote it.
    """
    work = work_path(path)
    left = work.exists()
    _sweep(path)
    if not left and path.exists():
        open_read_only(path).close()  # refuses a file that is not a warehouse before it is copied
        copy = work.with_name(work.name + ".tmp")
        shutil.copyfile(path, copy)
        os.replace(copy, work)
    warehouse = Warehouse(_connect(work), path)
    try:
        migrate(warehouse)
    except InputError as error:
        warehouse.close()
        if not left:
            discard_work(path)
            raise
        raise InputError(f"{error} Or delete {work}: nothing that was published is lost.") from error
    return warehouse


def _sweep(path: Path) -> None:
    """Removes what killed processes left beside a warehouse: half a copy, spilled rows, half a training, and the log of a working
    copy that is gone, which DuckDB would replay into the next one.
    """
    work = work_path(path)
    kept = {work.name, f"{work.name}.wal"} if work.exists() else set()
    left = [file for file in path.parent.glob(f"{glob.escape(work.name)}*") if file.name not in kept]
    left += models_path(path).glob("training-*")
    long_ago = time.time() - _LONGEST_QUERY  # readers hold no lock, and may still need theirs
    others = (
        *path.with_name(f"{path.name}.tmp").glob("duckdb_temp_*"),
        *path.parent.glob(f"{glob.escape(path.name)}.salt.*"),
    )
    left += [file for file in others if file.stat().st_mtime < long_ago]
    for file in left:
        _remove(file)


def _remove(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)


def salt(path: Path | None) -> bytes:
    """What the names of reviewers are hashed with: 16 random bytes of the warehouse at `path`, in a file of their own beside it, so
    that neither a query nor a copy of the warehouse gives a name away. None: of this process. Raises InputError if it is damaged.
    """
    if path is None:
        return _MEMORY_SALT
    file = path.with_name(path.name + ".salt")
    if not file.exists():
        descriptor, new = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # whole, or not at all
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(secrets.token_bytes(_SALT_BYTES))
            try:
                os.link(new, file)
            except FileExistsError:
                pass  # of a process that was faster
            except OSError:  # a file system without links
                os.replace(new, file)
        finally:
            Path(new).unlink(missing_ok=True)
    found = file.read_bytes()
    if len(found) != _SALT_BYTES:
        raise InputError(
            f"{file} is damaged: restore it from a backup. Without it, authors cannot be found again by their name; to begin "
            "with a new one, delete it."
        )
    return found


def open_read_only(path: Path) -> Warehouse:
    """The published warehouse, locked down: no writes, no files, no network, no extensions. Raises InputError if there is
    none or the file is not a warehouse.
    """
    if not path.exists():
        raise InputError(
            f"There is no warehouse at {path} yet. Make one with: review-insights run --reviews FILE --warehouse {path}"
        )
    return Warehouse(_connect(path, read_only=True, config=_SAFE), path, published=True)


def audit(warehouse: Warehouse) -> None:
    """Runs every query in `warehouse/audits`; each must return zero rows. Raises AuditFailed naming those that do not."""
    broken = []
    for file in sorted((WAREHOUSE / "audits").glob("*.sql")):
        if rows := warehouse.query(file.read_text(encoding="utf-8")):
            broken.append(f"{file.stem} ({len(rows)} rows, first: {rows[0]})")
    if broken:
        raise AuditFailed("The warehouse breaks its own rules, so nothing was published: " + "; ".join(broken))


def publish(warehouse: Warehouse) -> Path:
    """Closes the working copy, puts it in place of the published file in one step, and returns the published path."""
    assert warehouse.path is not None, "an in-memory warehouse has no place to be published to"
    warehouse.execute("CHECKPOINT")
    warehouse.close()
    _replace(work_path(warehouse.path), warehouse.path)
    return warehouse.path


def _replace(new: Path, path: Path) -> None:
    """Puts a finished file in place of the published one, whose log, left by a program that wrote into it, DuckDB would replay into
    the new one.
    """
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    os.replace(new, path)


def publish_afresh(warehouse: Warehouse) -> Path:
    """Like `publish`, but in a new file, without the bytes of what was deleted: DuckDB only marks their blocks as free."""
    path = warehouse.path
    assert path is not None, "an in-memory warehouse has no place to be published to"
    warehouse.execute("CHECKPOINT")
    warehouse.close()
    new = work_path(path).with_name(work_path(path).name + ".fresh")
    new.unlink(missing_ok=True)
    fresh = Warehouse(_connect(new))
    try:
        _copy_database(work_path(path), fresh)
        migrate(fresh)
        fresh.execute("CHECKPOINT")
    finally:
        fresh.close()
    _replace(new, path)
    discard_work(path)
    return path


def _copy_database(source: Path, target: Warehouse) -> None:
    """Copies every table, view and macro of the database file `source` into an empty warehouse."""
    quoted = str(source).replace("'", "''")
    target.execute(f"ATTACH '{quoted}' AS source_of_copy (READ_ONLY)")
    name = target.value("SELECT current_database()").replace('"', '""')
    target.execute(f'COPY FROM DATABASE source_of_copy TO "{name}"')
    target.execute("DETACH source_of_copy")


def discard_work(path: Path) -> None:
    """Deletes the working copy beside a published warehouse, with everything that DuckDB or a killed run left of it."""
    name = work_path(path).name
    for file in path.parent.glob(f"{glob.escape(name)}.*"):
        _remove(file)
    work_path(path).unlink(missing_ok=True)


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
    connection = warehouse._connection.cursor()  # of its own, since other queries may run before its rows are read
    tell = functools.partial(_refused, file=warehouse.file)
    with _plainly(connection, tell):
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
        fetched = _fetched(cursor, limit, _plainly(connection, tell))
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
    cursor: duckdb.DuckDBPyConnection, limit: _TimeLimit, plainly: contextlib.AbstractContextManager[None]
) -> Iterator[tuple[Any, ...]]:
    try:
        with plainly:
            while rows := cursor.fetchmany(5000):
                yield from rows
    finally:
        limit.lift()


def _refused(error: duckdb.Error, file: Path | None) -> InputError:
    if isinstance(error, duckdb.InterruptException):
        return InputError("SQL: the query took too long and was stopped. Narrow it, or allow more: --seconds")
    if isinstance(error, duckdb.OutOfMemoryException):
        return InputError(f"SQL: the query needs more than {MEMORY} of memory. Narrow it, or aggregate before joining.")
    return _told(error, file) or InputError(f"SQL: {' '.join(str(error).split())}")
