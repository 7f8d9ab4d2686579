"""A working copy is the published file, byte for byte, however little of it was copied."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from pipeline.core import copies
from pipeline.core.warehouse import open_read_only, open_work, publish, publish_afresh, work_path
from tests.factory import review

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell whether a file is open")


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "LARGE", 0)
    monkeypatch.setattr(copies, "_shares_blocks", lambda path, new: False)


def night(path: Path, number: int, rows: int = 3) -> None:
    opened = open_work(path)
    chance = random.Random(number)
    opened.append("store.reviews", [review(f"{number} {row} {chance.random()}") for row in range(rows)])
    publish(opened)


def copied(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the working copy was made, which must be like the published file."""
    ways = []
    with monkeypatch.context() as patched:
        patched.setattr(copies.shutil, "copyfile", lambda source, target: (ways.append("whole"), _copy(source, target)))
        copies.copy(path, work_path(path))
    assert work_path(path).read_bytes() == path.read_bytes()
    work_path(path).unlink()
    return ways


def _copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


@pytest.mark.slow
def test_only_blocks_that_differ_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.duckdb"
    night(path, 0, rows=60_000)
    for number in range(1, 5):
        night(path, number)
        assert copies.spare(path).exists()
    written = []
    pwrite = copies.os.pwrite
    monkeypatch.setattr(copies.os, "pwrite", lambda *given: (written.append(len(given[1])), pwrite(*given))[1])
    assert copied(path, monkeypatch) == []
    assert sum(written) < path.stat().st_size / 2
    assert not copies.spare(path).exists(), "it has become the working copy"
    assert copied(path, monkeypatch) == ["whole"]


def test_a_spare_that_is_open_is_left_to_its_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.duckdb"
    night(path, 1)
    reader = open_read_only(path)
    night(path, 2)
    assert copied(path, monkeypatch) == ["whole"]
    assert reader.value("SELECT count(*) FROM reviews") == 3
    reader.close()


def test_a_spare_of_anything_else_is_made_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.duckdb"
    night(path, 1)
    for spare in (b"", b"short", bytes(3 * 10**6), path.read_bytes()[: 2**19]):
        copies.spare(path).write_bytes(spare)
        assert copied(path, monkeypatch) == []


def test_what_was_deleted_for_good_is_in_no_spare(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    night(path, 1)
    night(path, 2)
    publish_afresh(open_work(path))
    assert not copies.spare(path).exists()
