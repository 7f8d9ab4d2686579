"""Tables of PostgreSQL: postgres://user@host/database?table=schema.table, or ?query=SELECT ...

Read by psycopg in one read-only transaction, through a cursor on the server. What the address lacks comes from the
environment as for every client of PostgreSQL: PGPASSWORD, PGSSLMODE, PGSERVICE, ~/.pgpass.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import InputError
from pipeline.ingest.places import Fetched
from pipeline.ingest.places.address import masked
from pipeline.ingest.places.tables import BATCH, Wanted, choose, save_rows

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

CONNECT = 10  # seconds until the server must have accepted
_TABLES = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relispartition AND nspname NOT LIKE 'pg\\_%'
      AND nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
    ORDER BY 1, 2"""


def fetch(address: str, folder: Path) -> Fetched:
    """The rows of a table or query. Raises InputError if there is no connection, no such table, or the query fails."""
    import psycopg

    wanted, name = Wanted.of(address), masked(address)
    connection = _connect(wanted.database, name)
    try:
        with connection:
            statement, part = _statement(connection, wanted, name)
            with connection.cursor("reviews") as cursor:
                cursor.itersize = BATCH
                cursor.execute(statement)
                return save_rows([column.name for column in cursor.description or ()], cursor, folder, part, name)
    except psycopg.Error as error:
        raise InputError(f"{name} could not be read: {_first_line(error)}") from error


def _connect(database: str, name: str) -> psycopg.Connection:
    """A connection whose transactions only read, all of them from one state of the database."""
    import psycopg
    from psycopg.types.string import TextLoader

    try:
        connection = psycopg.connect(database, connect_timeout=CONNECT, keepalives_idle=30, tcp_user_timeout=60_000)
    except psycopg.OperationalError as error:
        raise InputError(
            f"{name}: no connection to the database: {_first_line(error)}. Check host, port, user and database, and the "
            "password in PGPASSWORD or ~/.pgpass."
        ) from None
    except psycopg.ProgrammingError:  # its text may hold a part of the password
        raise InputError(f"{name}: this is not an address that PostgreSQL understands.") from None
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    for kind in ("date", "timestamp", "timestamptz"):  # Python has no infinity, and no year 10000
        connection.adapters.register_loader(kind, TextLoader)
    connection.execute("SET LOCAL statement_timeout = '1h'")
    connection.execute("SET LOCAL datestyle = 'ISO'")
    connection.execute("SET LOCAL timezone = 'UTC'")
    return connection


def _statement(connection: psycopg.Connection, wanted: Wanted, name: str) -> tuple[sql.Composed | sql.SQL, str]:
    """(what to execute, what to call it). psycopg sends it as one prepared statement: a second one in it is an error."""
    from psycopg import sql

    if wanted.query:
        return sql.SQL(wanted.query), "query"
    tables = {f"{schema}.{table}": (schema, table) for schema, table in connection.execute(_TABLES)}
    chosen = choose(wanted.table, list(tables), name)
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier(*tables[chosen])), chosen


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split("\n")[0].split())[:300].rstrip(".")
