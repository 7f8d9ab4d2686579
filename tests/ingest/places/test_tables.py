"""Tables of databases. PostgreSQL is a real server, started here."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import sources
from pipeline.ingest.formats.record import Layout, ReadOptions, Tally
from pipeline.ingest.places import tables
from pipeline.ingest.places.tables import Wanted, choose
from tests.ingest.places.postgres_server import free_port, postgres_server


def read(address: str) -> list[Any]:
    """The layout and the records at an address."""
    (source,) = sources.expand([address])
    with sources.opened(source) as it:
        return [item for item in it.items(ReadOptions()) if not isinstance(item, Tally)]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", ("db", None, None)),
        ("?table=a.b", ("db", "a.b", None)),
        ("?sslmode=require&table=b&options=-c%20x", ("db?sslmode=require&options=-c+x", "b", None)),
        ("?query=SELECT a LIKE '%bad%', 1&2", ("db", None, "SELECT a LIKE '%bad%', 1&2")),
        ("?sslmode=require&query=SELECT%20'a%2Bb'+FROM+t", ("db?sslmode=require", None, "SELECT 'a+b' FROM t")),
    ],
)
def test_what_an_address_asks(parameters: str, expected: tuple[str, str | None, str | None]) -> None:
    wanted = Wanted.of(f"db{parameters}")
    assert (wanted.database, wanted.table, wanted.query) == expected


def test_a_table_or_a_query() -> None:
    with pytest.raises(InputError, match="a table or a query, not both"):
        Wanted.of("sqlite:///a.db?table=a&query=SELECT 1")


@pytest.mark.parametrize(
    ("wanted", "expected"), [("public.a", "public.a"), ("a", "public.a"), ("A", "public.a"), ("x.b", "x.b")]
)
def test_a_table_by_name(wanted: str, expected: str) -> None:
    assert choose(wanted, ["public.a", "public.b", "x.b"], "db") == expected


@pytest.mark.parametrize("wanted", [None, "b", "c"])
def test_no_one_table(wanted: str | None) -> None:
    with pytest.raises(InputError, match=r"Tables: public.a, public.b, x.b\."):
        choose(wanted, ["public.a", "public.b", "x.b"], "db")


# --- SQLite ---


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A SQLite file with one table, more rows than a batch."""
    file = tmp_path / "my shop.db"
    with sqlite3.connect(file) as database:
        database.execute('CREATE TABLE "re""views" (text, stars, "when")')
        rows = [("Cold soup.", 1, "2026-01-02"), (None, 4.5, None), (b"caf\xe9", None, ""), (b"tea", 2, "")]
        database.executemany('INSERT INTO "re""views" VALUES (?, ?, ?)', rows)
    database.close()
    return file


def test_the_only_table_of_sqlite(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH", 2)
    expected = [
        Layout(part='re"views'),
        {"text": "Cold soup.", "stars": "1", "when": "2026-01-02"},
        {"text": None, "stars": "4.5", "when": None},
        {"text": "b'caf\\xe9'", "stars": None, "when": ""},
        {"text": "tea", "stars": "2", "when": ""},
    ]
    assert read(f"sqlite:///{shop}") == read(f'sqlite:///{shop}?table=RE"VIEWS') == expected
    monkeypatch.chdir(shop.parent)
    assert read("sqlite:///my%20shop.db") == expected


def test_a_query_of_sqlite(shop: Path) -> None:
    query = 'WITH t AS (SELECT upper(text) AS shout FROM "re""views") SELECT * FROM t WHERE shout LIKE \'%soup%\''
    assert read(f"sqlite:///{shop}?query={query}") == [Layout(part="query"), {"shout": "COLD SOUP."}]


@pytest.mark.parametrize(
    "query",
    [
        'DELETE FROM "re""views" RETURNING *',
        "ATTACH 'other.db' AS other",
        "SELECT 1; DROP TABLE x",
        "PRAGMA journal_mode = WAL",
    ],
)
def test_a_query_of_sqlite_only_reads(shop: Path, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    before = shop.read_bytes()
    with pytest.raises(InputError, match=r"could not be read: (not authorized|You can only execute one statement)"):
        read(f"sqlite:///{shop}?query={query}")
    assert shop.read_bytes() == before and os.listdir() == [shop.name]


def test_the_hash_is_of_the_rows(shop: Path) -> None:
    def hashed() -> str:
        return sources.content_hash(f'sqlite:///{shop}?table=re"views')

    before = hashed()
    with sqlite3.connect(shop) as database:
        database.execute("CREATE TABLE other (a)")
    assert hashed() == before
    with sqlite3.connect(shop) as database:
        database.execute("""UPDATE "re""views" SET stars = 2 WHERE stars = 1""")
    database.close()
    assert hashed() != before


def test_sqlite_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read(f"sqlite:///{tmp_path}/none.db")
    (tmp_path / "text.db").write_text("text\n" * 1000)
    with pytest.raises(InputError, match="could not be read: file is not a database"):
        read(f"sqlite:///{tmp_path}/text.db")
    assert sorted(os.listdir(tmp_path)) == ["text.db"]


# --- PostgreSQL ---

PASSWORD = "p@ss/wörd"
SETUP = """
    CREATE SCHEMA app;
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE app.reviews (text text, stars numeric(2, 1), at timestamptz, day date, tags text[], extra jsonb, mood mood);
    INSERT INTO app.reviews VALUES
        ('Cold soup.', 1.5, '2026-01-02 03:04:05+02', '2026-01-02', '{a,"b c"}', '{"a": 1}', 'sad'),
        (NULL, NULL, 'infinity', '12026-01-02', NULL, NULL, NULL);
    CREATE TABLE "Other Table" (text text);
    CREATE TABLE many AS SELECT 'Review ' || n AS text FROM generate_series(1, 12000) n;
    CREATE TABLE secret (text text);
    CREATE ROLE reader LOGIN PASSWORD 'p@ss/wörd';
    GRANT USAGE ON SCHEMA app TO reader;
    GRANT ALL ON app.reviews, "Other Table", many TO reader;
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """host:port/database of a PostgreSQL server in which `reader` has a password."""
    with postgres_server(SETUP) as address:
        yield address


@pytest.fixture
def database(postgres: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the database for a reader whose password is in the environment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return f"postgres://reader@{postgres}"


def test_a_table_of_postgres(database: str) -> None:
    expected = [
        Layout(part="app.reviews"),
        {
            "text": "Cold soup.",
            "stars": "1.5",
            "at": "2026-01-02 01:04:05+00",
            "day": "2026-01-02",
            "tags": '["a", "b c"]',
            "extra": '{"a": 1}',
            "mood": "sad",
        },
        {
            "text": None,
            "stars": None,
            "at": "infinity",
            "day": "12026-01-02",
            "tags": None,
            "extra": None,
            "mood": None,
        },
    ]
    assert read(f"{database}?table=app.reviews") == read(f"{database}?table=reviews") == expected
    assert read(f"{database}?table=other table") == [Layout(part="public.Other Table")]


def test_many_rows_of_postgres(database: str) -> None:
    items = read(f"{database}?sslmode=prefer&table=many")
    assert len(items) == 12_001 and items[-1] == {"text": "Review 12000"}


def test_a_query_of_postgres(database: str) -> None:
    query = "SELECT text AS body FROM app.reviews WHERE text LIKE '%soup%'"
    assert read(f"{database}?query={query}") == [Layout(part="query"), {"body": "Cold soup."}]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM many RETURNING *",
        "WITH d AS (DELETE FROM many RETURNING *) SELECT * FROM d",
        "SELECT 1; COMMIT; DELETE FROM many",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT * FROM secret",
    ],
)
def test_a_query_of_postgres_only_reads(database: str, query: str) -> None:
    with pytest.raises(InputError, match="could not be read: "):
        read(f"{database}?query={query}")
    assert read(f"{database}?query=SELECT count(*) AS n FROM many")[1] == {"n": "12000"}


def test_which_table_of_postgres(database: str) -> None:
    with pytest.raises(InputError, match=r"which table\?.* Tables: app.reviews, public.Other Table, public.many\.$"):
        read(database)
    with pytest.raises(InputError, match=r"no one table secret\. Tables: app.reviews"):
        read(f"{database}?table=secret")


def test_a_password_in_the_address_of_postgres(postgres: str) -> None:
    address = f"postgresql://reader:p%40ss%2Fw%C3%B6rd@{postgres}?table=many"
    with sources.opened(address) as source:
        assert source.name == f"postgresql://reader:***@{postgres}?table=many"


def test_postgres_that_refuses(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="password authentication failed") as error:
        read(f"postgres://reader:hunter2@{postgres}?table=many")
    assert "hunter2" not in str(error.value)
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(InputError, match=r"no connection to the database: .*refused.*PGPASSWORD") as error:
        read(f"postgres://reader@127.0.0.1:{free_port()}/postgres?table=many")
    with pytest.raises(InputError, match="not an address that PostgreSQL understands") as error:
        read(f"postgres://reader:hunter2@{postgres}?hunter3=x&table=many")
