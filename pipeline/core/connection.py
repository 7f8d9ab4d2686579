"""One connection to DuckDB: rows in and out, transactions, and what its errors mean. With `outside`, all that imports duckdb."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.core import faults
from pipeline.core.errors import InputError

Params = Mapping[str, Any] | Sequence[Any] | None

MEMORY = "4GiB"  # that a query of a published warehouse may take
# SQL can reach nothing outside the file, and no statement can undo that.
SAFE = {
    "enable_external_access": "false",
    "lock_configuration": "true",
    "autoload_known_extensions": "false",
    "memory_limit": MEMORY,
}
_WORK = ".work"

# DuckDB's words for a file that another process holds, on Unix and on Windows; it knows the program where the system tells.
_LOCKED = re.compile(r"could not set lock|file is already open|being used by another process", re.IGNORECASE)
_HOLDER = re.compile(r"(?:held|already open) in\s+(\S.*?) \(PID (\d+)\)")

# Its words for bytes that are not as it wrote them.
_DAMAGED = re.compile(
    r"corrupt|checksum|could not read enough bytes|deserializ|failure while replaying wal", re.IGNORECASE
)

_FROM_THE_FILE = (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException, duckdb.InternalException)

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
        return plainly(self._connection, lambda error: told(error, self.file))

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
                self._connection.execute("RESET memory_limit")  # which leaves the limit of the buffers as it is
                usual = self.value("SELECT current_setting('memory_limit')")
                self._connection.execute(f"SET memory_limit = '{usual}'")

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

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same file, for what is read while other queries run."""
        return self._connection.cursor()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


@contextlib.contextmanager
def plainly(connection: duckdb.DuckDBPyConnection, tell: Callable[[duckdb.Error], InputError | None]) -> Iterator[None]:
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


def connect(path: Path, **options: Any) -> duckdb.DuckDBPyConnection:
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
        raise told(error, path) or InputError(f"{unusable} Name another file with --warehouse.") from error


def told(error: duckdb.Error, file: Path | None) -> InputError | None:
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
        with contextlib.closing(Warehouse(connect(path, read_only=True, config=SAFE), path, True)) as warehouse:
            for table in warehouse.query(
                "SELECT schema_name AS s, table_name AS t FROM duckdb_tables() WHERE NOT internal"
            ):
                warehouse.query(f'SELECT bit_xor(hash(one)) FROM "{table["s"]}"."{table["t"]}" one')
    except InputError:
        return False
    return True


def quoted(text: str) -> str:
    """A text as SQL writes it, for the few places that take no parameter, such as ATTACH."""
    return "'" + text.replace("'", "''") + "'"


def work_path(path: Path) -> Path:
    """The working copy beside a published warehouse."""
    return path.with_name(path.name + _WORK)
