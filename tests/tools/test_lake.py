"""Many warehouses in one lake: rows arrive once, go when they are gone, and writers do not hinder one another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.lock import writing
from pipeline.core.warehouse import open_work, publish
from pipeline.tools import lake
from tests.conftest import ROOT
from tests.factory import review
from tests.ingest.places.postgres_server import free_port, postgres_server

pytest.importorskip("duckdb_extension_ducklake", reason="needs the extra lake")


def filled(path: Path, *texts: str) -> Path:
    """A published warehouse of these reviews."""
    with writing(path):
        work = open_work(path)
        work.execute("DELETE FROM store.reviews")
        work.append("store.reviews", [review(text) for text in texts])
        return publish(work)


def texts(catalogue: str, files: Path) -> list[tuple[str, str]]:
    with lake.opened(catalogue, files) as opened:
        rows = opened.query("SELECT warehouse, text FROM lake.reviews ORDER BY ALL")
    return [(row["warehouse"], row["text"]) for row in rows]


@pytest.mark.slow
def test_rows_arrive_once_and_go_when_they_are_gone(tmp_path: Path) -> None:
    catalogue, files = f"sqlite:{tmp_path / 'lake.sqlite'}", tmp_path / "it's here"
    one, two = (
        filled(tmp_path / "one.duckdb", "Cold soup.", "Rude staff."),
        filled(tmp_path / "two.duckdb", "Cold soup."),
    )
    assert lake.pour(one, catalogue, "one", files)["reviews"] == (2, 0)
    assert lake.pour(two, catalogue, "two", files)["reviews"] == (1, 0)
    assert lake.pour(filled(tmp_path / "many.duckdb", *map(str, range(30))), catalogue, "many", files)["reviews"] == (
        30,
        0,
    )
    assert list(files.rglob("*.parquet")), "few rows stay in the catalogue"
    assert lake.pour(one, catalogue, "one", files) == {}
    filled(one, "Rude staff.", "Warm soup.")
    assert lake.pour(one, catalogue, "one", files)["reviews"] == (1, 1)
    assert [row for row in texts(catalogue, files) if row[0] != "many"] == [
        ("one", "Rude staff."),
        ("one", "Warm soup."),
        ("two", "Cold soup."),
    ]


@pytest.mark.slow
def test_a_lake_of_an_older_version_gets_the_new_columns(tmp_path: Path) -> None:
    catalogue, files = f"sqlite:{tmp_path / 'lake.sqlite'}", tmp_path / "lake"
    one = filled(tmp_path / "one.duckdb", "Cold soup.")
    lake.pour(one, catalogue, "one", files)
    with lake.opened(catalogue) as opened:
        opened.execute("ALTER TABLE lake.reviews DROP COLUMN language")
    filled(one, "Cold soup.", "Warm soup.")
    assert lake.pour(one, catalogue, "one", files)["reviews"] == (1, 0)


def test_what_is_no_lake_is_one_clear_line(tmp_path: Path) -> None:
    one = filled(tmp_path / "one.duckdb", "Cold soup.")
    with pytest.raises(InputError, match="neither sqlite:FILE nor postgres:CONNECTION"):
        lake.pour(one, "lake.sqlite", "one")
    (tmp_path / "no.sqlite").write_text("Cold soup.")
    with pytest.raises(InputError, match=r"The lake sqlite:.* cannot be opened"):
        lake.pour(one, f"sqlite:{tmp_path / 'no.sqlite'}", "one")
    with pytest.raises(InputError, match="There is no warehouse"):
        lake.pour(tmp_path / "none.duckdb", "sqlite:x", "one")


@pytest.mark.parametrize(
    "access", ["host=127.0.0.1 port=1 user=w password=s3cret", "postgresql://w:s3cret@127.0.0.1:1/d"]
)
def test_no_message_shows_a_password(tmp_path: Path, access: str) -> None:
    one = filled(tmp_path / "one.duckdb", "Cold soup.")
    with pytest.raises(InputError, match="cannot be opened") as raised:
        lake.pour(one, f"postgres:{access}", "one", tmp_path / "lake")
    assert "s3cret" not in str(raised.value) and "***" in str(raised.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_writers_at_once_and_readers_meanwhile(tmp_path: Path, kind: str) -> None:
    """Four warehouses poured by four processes, while two readers ask the lake through Quack."""
    pytest.importorskip("duckdb_extension_quack", reason="needs the extra lake")
    if kind == "sqlite":
        _pour_and_read(tmp_path, f"sqlite:{tmp_path / 'lake.sqlite'}")
    else:
        with postgres_server("CREATE ROLE writer LOGIN SUPERUSER PASSWORD 'w'") as place:
            host, _, port = place.partition("/")[0].partition(":")
            access = f"host={host} port={port} dbname=postgres user=writer password=w"
            _pour_and_read(tmp_path, f"postgres:{access}")


def _pour_and_read(folder: Path, catalogue: str) -> None:
    files = folder / "lake"
    lake.pour(filled(folder / "first.duckdb", "Cold soup."), catalogue, "first", files)
    port = free_port()
    address = f"quack:localhost:{port}"
    command = [sys.executable, str(ROOT / "examples" / "serve_lake.py"), catalogue, address, "secret"]
    served = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert served.stdout is not None and served.stdout.readline().startswith("serving ")
        names = [f"w{number}" for number in range(4)]
        made = [filled(folder / f"{name}.duckdb", *(f"{name}: soup {i}" for i in range(20))) for name in names]
        pouring = [
            subprocess.Popen([sys.executable, "-m", "pipeline", "lake", "--warehouse", str(path), "--catalogue", catalogue], cwd=ROOT, stdout=subprocess.DEVNULL)
            for path in made
        ]  # fmt: skip
        while any(one.poll() is None for one in pouring):
            assert _asked(address, "FROM r.reviews SELECT count(DISTINCT warehouse)") >= 1
        assert [one.wait() for one in pouring] == [0] * 4
        assert _asked(address, "FROM r.reviews SELECT count(*)") == 81
    finally:
        served.terminate()
        served.wait(30)
        if served.stdout:
            served.stdout.close()


def _asked(address: str, sql: str) -> int:
    from pipeline.core.connection import Warehouse, connect

    reader = Warehouse(connect(Path(":memory:")))
    for extension in ("httpfs", "quack"):
        lake.load_extension(reader, extension)
    reader.execute(f"ATTACH '{address}' AS r (TOKEN 'secret')")
    value = int(reader.value(sql))
    reader.close()
    return value
