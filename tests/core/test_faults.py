"""What the machine refuses is one line with a remedy; a bug keeps its traceback."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from pipeline.core import faults, ledger, queries, warehouse
from pipeline.core.errors import InputError
from pipeline.core.outside import read
from pipeline.core.warehouse import Warehouse, open_read_only, open_work, publish, work_path
from tests.conftest import ROOT
from tests.factory import NOW, review, source

# As the libraries say them; what can be caused here is caused below.
SAID = [
    (OSError(errno.ENOSPC, "No space left on device", "w.duckdb.salt"), r"^w\.duckdb\.salt: the disk is full"),
    (OSError(errno.EDQUOT, "Disk quota exceeded", 7), "^The disk is full"),
    (OSError(errno.EROFS, "Read-only file system", "out"), "^out: it cannot be written or read .Read-only"),
    (PermissionError(errno.EACCES, "Permission denied", "r.csv"), "^r.csv: it cannot .* Give this user the right"),
    (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
    (OSError(errno.EIO, "Input/output error", "w"), "^w: the disk cannot be read"),
    (MemoryError(), "not enough memory"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: not enough memory"), "memory"),
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "not enough memory"),
    (RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"), "disk is full"),
    (
        duckdb.TransactionException(
            'TransactionContext Error: Failed to commit: Could not write file "/d/w.duckdb.work.wal": No space left on device'
        ),
        "^/d/w.duckdb.work.wal: the disk is full",
    ),
    (duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB"), "enough memory"),
    (SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"), "disk is full"),
]


@pytest.mark.parametrize(("error", "says"), SAID)
def test_what_the_machine_refuses_is_a_line_with_a_remedy(error: Exception, says: str) -> None:
    told = faults.told(error)
    assert told is not None and "\n" not in str(told) and told.exit_code == 2
    with pytest.raises(InputError, match=says):
        raise told


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("The size of tensor a must match that of b"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "ours.sql"),
        ValueError("a review that says: No space left on device"),
        duckdb.ConversionException("Could not convert string 'Permission denied' to INT64"),
        KeyError("out of memory"),
    ],
)
def test_a_bug_keeps_its_traceback(error: Exception) -> None:
    assert faults.told(error) is None


def test_damaged_weights(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"weight": np.zeros(100)}, file)
    os.truncate(file, 300)
    with pytest.raises(SafetensorError) as caught:
        load_file(file)
    assert "truncated or damaged" in str(faults.told(caught.value))


def test_memory_that_is_not_there() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert "not enough memory" in str(faults.told(caught.value))


# --- A damaged warehouse ---


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published warehouse of a few blocks."""
    path = tmp_path_factory.mktemp("whole") / "w.duckdb"
    opened = open_work(path)
    opened.append("store.reviews", [review(f"Soup {number} was cold.") for number in range(20)])
    return publish(opened)


def _flip(file: Path, start: int, end: int | None = None) -> None:
    content = bytearray(file.read_bytes())
    for at in range(start, end or len(content)):
        content[at] ^= 0xFF
    file.write_bytes(content)


def _scan(opened: Warehouse) -> None:
    for row in opened.query("SELECT schema_name AS s, table_name AS t FROM duckdb_tables()"):
        opened.query(f"SELECT * FROM {row['s']}.{row['t']}")


DAMAGES = {
    "first header": lambda file: _flip(file, 0, 16),
    "both headers": lambda file: _flip(file, 4096, 12288),
    "catalogue and data": lambda file: _flip(file, 12288),
    "cut in the middle": lambda file: os.truncate(file, file.stat().st_size // 3),
    "cut in the header": lambda file: os.truncate(file, 100),
    "empty": lambda file: os.truncate(file, 0),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_warehouse_says_so_and_what_to_do(tmp_path: Path, whole: Path, damage: object) -> None:
    path = Path(shutil.copy(whole, tmp_path))
    damage(path)  # type: ignore[operator]
    for opening in (open_read_only, open_work):
        with pytest.raises(InputError) as caught:
            _scan(opening(path))
        said = str(caught.value)
        assert "w.duckdb" in said and "\n" not in said and "another" not in said.replace("Name another file", "")
        assert any(remedy in said for remedy in ("Restore it from a backup", "Name another file"))
    assert [file.name for file in tmp_path.iterdir()] == ["w.duckdb"], "nothing is made of a damaged file"


@pytest.mark.parametrize("damage", list(DAMAGES.values())[1:5], ids=list(DAMAGES)[1:5])
def test_a_damaged_working_copy_is_to_be_deleted(tmp_path: Path, whole: Path, damage: object) -> None:
    path = Path(shutil.copy(whole, tmp_path))
    open_work(path).close()
    damage(work_path(path))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"w\.duckdb\.work is damaged.*Delete it and repeat the run"):
        _scan(open_work(path))
    work_path(path).unlink()
    opened = open_work(path)
    assert opened.value("SELECT count(*) FROM reviews") == 20


def test_damage_is_found_while_rows_are_read_and_in_the_published_file_first(tmp_path: Path, whole: Path) -> None:
    """Only data blocks are hit: the file opens, and the working copy would be as damaged as what it is copied from."""
    path = Path(shutil.copy(whole, tmp_path))
    content = path.read_bytes()
    words = b"Soup 1 was" if b"Soup 1 was" in content else b" was cold"
    for found in re.finditer(words, content):  # in the reviews, and where a run keeps what it found in them
        _flip(path, found.start(), found.start() + 8)
    with pytest.raises(InputError, match=r"w\.duckdb is damaged.*Restore it from a backup"):
        list(read(open_read_only(path), "SELECT text FROM reviews").rows)
    opened = open_work(path)
    with pytest.raises(InputError, match=r"w\.duckdb is damaged too: restore that from a backup"):
        opened.query("SELECT text FROM reviews")


def test_a_working_copy_of_a_newer_version_may_be_deleted(tmp_path: Path, whole: Path) -> None:
    path = Path(shutil.copy(whole, tmp_path))
    opened = open_work(path)
    opened.execute("INSERT INTO migrations (name) VALUES ('9999_later')")
    opened.close()
    with pytest.raises(InputError, match=r"\.work was written by a newer version.*Or delete .*\.work: nothing"):
        open_work(path)
    work_path(path).unlink()
    open_work(path).close()
    publish(open_work(path))
    assert open_read_only(path).value("SELECT count(*) FROM reviews") == 20


# --- A full disk ---

FILL = """
import os, sys
from pathlib import Path
from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_work, publish
from tests.factory import review
path = Path(sys.argv[1])
try:
    opened = open_work(path)
    for batch in range(3):
        with opened.transaction():
            opened.append("store.reviews", [review(os.urandom(8_000).hex()) for number in range(400)])
    publish(opened)
except InputError as error:
    print(error)
"""


def _on_a_small_disk(commands: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `commands` in the shell in a namespace of its own, where file systems can be mounted."""
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", commands, "sh", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_disk_that_runs_full_while_rows_are_committed(tmp_path: Path, whole: Path) -> None:
    if not shutil.which("unshare") or _on_a_small_disk("mount -t tmpfs none $1", str(tmp_path)).returncode:
        pytest.skip("needs a system that lets a user mount a small disk")
    commands = """
        mount -t tmpfs -o size=24m none $1; cp $2 $1/w.duckdb
        $3 -c "$4" $1/w.duckdb; cmp $2 $1/w.duckdb
        mount -o remount,size=150m none $1; rm $1/w.duckdb.work*; $3 -c "$4" $1/w.duckdb; ls $1
    """
    done = _on_a_small_disk(commands, str(tmp_path), str(whole), sys.executable, FILL)
    assert done.stderr == ""
    said, *left = done.stdout.splitlines()
    assert "disk is full. Free some space and run again" in said
    assert left == ["w.duckdb"], "with space the same rows are written, and published"


def test_an_error_on_a_full_disk_is_the_first_one(whole: Path, tmp_path: Path) -> None:
    """Rolling back fails too where a commit has failed; that must not be what is told."""
    opened = open_work(Path(shutil.copy(whole, tmp_path)))

    def full(sql: str, *params: object) -> None:
        raise duckdb.TransactionException("Failed to commit: No space left on device" if sql != "ROLLBACK" else "none")

    opened._connection = type("Full", (), {"execute": staticmethod(full)})()  # type: ignore[assignment]
    with pytest.raises(InputError, match="disk is full"), opened.transaction():
        opened.query("SELECT 1")


def test_other_errors_of_duckdb_are_bugs(tmp_path: Path) -> None:
    opened = warehouse.open_memory()
    with pytest.raises(duckdb.BinderException):
        opened.query("SELECT nothing FROM reviews")
    with pytest.raises(duckdb.ConversionException):
        opened.query("SELECT 'No space left on device'::INTEGER")


def test_the_latest_run_is_the_last_that_began_though_the_clock_went_back(tmp_path: Path) -> None:
    opened = warehouse.open_memory()
    for run_id, day in (("20260102", 2), ("20260101", 1)):
        ledger.enter(opened, ledger.row(run_id, "p", datetime(2026, 1, day), status="done"))
    assert opened.query(queries.load("latest_run").sql)[0]["run_id"] == "20260101"
    assert [row["run_id"] for row in opened.query(queries.load("runs").sql, {"limit": 5})] == ["20260101", "20260102"]
    for run_id, added in (("20260102", 1), ("20260101", 5)):
        opened.append("store.sources", [source(run_id=run_id, content_hash=run_id, added=added, read_at=NOW)])
    assert opened.value("SELECT added FROM sources") == 5
