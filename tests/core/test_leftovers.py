"""What killed processes left is gone at the next start, under the lock; what is in use, or is not ours, stays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.core.errors import InputError
from pipeline.core.lock import alone, writing
from pipeline.core.warehouse import models_path, open_read_only, open_work, publish, publish_afresh, salt, work_path
from tests.factory import review


def store(path: Path, text: str, publishing: Callable[..., Path] = publish) -> Path:
    with writing(path):
        opened = open_work(path)
        opened.append("store.reviews", [review(text)])
        return publishing(opened)


def texts(path: Path) -> list[str]:
    opened = open_read_only(path)
    found = sorted(row["text"] for row in opened.query("SELECT text FROM reviews"))
    opened.close()
    return found


def test_leftovers_beside_a_warehouse(tmp_path: Path) -> None:
    path = store(tmp_path / "w.duckdb", "one")
    salted = salt(path)
    spilled = tmp_path / "w.duckdb.tmp"
    folders = [
        tmp_path / "w.duckdb.work.tmp",
        models_path(path) / "training-x",
        models_path(path) / "student-f-1",
        spilled,
    ]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"x")
    for name in ("w.duckdb.work.fresh", "w.duckdb.work.fresh.wal", "w.duckdb.salt.abc", "w.duckdb.writer"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("w.duckdb.votes", "w.duckdbx.work.tmp", "other.duckdb.work"):
        (tmp_path / name).write_bytes(b"not of this warehouse, or not ours to remove")
    for name in ("duckdb_temp_old.tmp", "duckdb_temp_in_use.tmp"):
        (spilled / name).write_bytes(b"x")
    for old in (spilled / "duckdb_temp_old.tmp", tmp_path / "w.duckdb.salt.abc"):
        os.utime(old, (0, 0))
    store(path, "two")
    assert texts(path) == ["one", "two"] and salt(path) == salted
    assert sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()) == [
        "other.duckdb.work",
        "w.duckdb",
        "w.duckdb.models/student-f-1/half",
        "w.duckdb.salt",
        "w.duckdb.tmp/duckdb_temp_in_use.tmp",
        "w.duckdb.tmp/half",
        "w.duckdb.votes",
        "w.duckdbx.work.tmp",
    ]


def killed_in_a_transaction(path: Path, target: Path) -> None:
    """Leaves at `target` the log of a process that had written into `path` and was killed."""
    copy = path.with_name("elsewhere.duckdb")
    shutil.copy(path, copy)
    other = duckdb.connect(str(copy))
    other.execute(
        "INSERT INTO store.reviews SELECT * REPLACE ('planted' AS text, 'p' AS review_id) FROM store.reviews LIMIT 1"
    )
    shutil.copy(f"{copy}.wal", target)
    other.close()
    copy.unlink()


@pytest.mark.parametrize("publishing", [publish, publish_afresh])
def test_no_log_of_another_file_is_replayed(tmp_path: Path, publishing: Callable[..., Path]) -> None:
    path = store(tmp_path / "w.duckdb", "one")
    killed_in_a_transaction(path, Path(f"{work_path(path)}.wal"))
    store(path, "two", publishing)
    assert texts(path) == ["one", "two"]
    killed_in_a_transaction(path, Path(f"{path}.wal"))
    store(path, "three", publishing)
    assert "three" in texts(path) and not Path(f"{path}.wal").exists()


def test_an_unfinished_run_keeps_its_log(tmp_path: Path) -> None:
    path = store(tmp_path / "w.duckdb", "one")
    open_work(path).close()
    killed_in_a_transaction(work_path(path), Path(f"{work_path(path)}.wal"))
    publish(open_work(path))
    assert texts(path) == ["one", "planted"]


def test_a_salt_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.duckdb"

    def full(*unused: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fdopen", full)
        salt(path)
    assert not list(tmp_path.iterdir())
    assert len(salt(path)) == 16 == len(salt(path))
    assert (tmp_path / "w.duckdb.salt").stat().st_mode & 0o777 == 0o600
    (tmp_path / "w.duckdb.salt").write_bytes(b"")
    with pytest.raises(InputError, match=r"salt is damaged: restore it"):
        salt(path)


def test_a_folder_that_another_process_writes_into(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(InputError, match="Another process writes into"), alone(tmp_path, wait=0):
        pass
    assert not list(tmp_path.iterdir())
