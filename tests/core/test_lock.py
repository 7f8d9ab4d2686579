"""One writer per warehouse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.lock import writing
from pipeline.core.warehouse import open_read_only, work_path
from tests.conftest import ROOT

WRITER = """
import sys, time
from pathlib import Path
from pipeline.core.errors import InputError
from pipeline.core.lock import writing
from pipeline.core.warehouse import open_work, publish
from tests.factory import review
path, name, hold = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
try:
    with writing(path):
        opened = open_work(path)
        opened.append("store.reviews", [review(f"Soup {name}.")])
        print("writing", flush=True)
        time.sleep(hold)
        publish(opened)
except InputError as error:
    print("refused:", error, flush=True)
"""


def start(path: Path, name: str, hold: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(hold)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_runs_that_start_together_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    started = [start(path, str(number), 0.05) for number in range(8)]
    ended = [process.communicate(timeout=60) for process in started]
    assert [errors for _, errors in ended] == [""] * 8
    written = [number for number, (output, _) in enumerate(ended) if output.startswith("writing")]
    assert all(output.startswith(("writing", "refused: Another run is writing")) for output, _ in ended)
    found = open_read_only(path).query("SELECT text FROM reviews")
    assert {row["text"] for row in found} == {f"Soup {number}." for number in written} and written
    assert not work_path(path).exists()


def test_the_holder_is_named_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    holder = start(path, "one", 60)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "writing\n"
        with pytest.raises(InputError, match=rf"process {holder.pid} on \S+, since 20\d\d-"), writing(path):
            pass
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    assert json.loads((tmp_path / "w.duckdb.writer").read_text())["pid"] == holder.pid, "as it was left"
    with writing(path):
        assert json.loads((tmp_path / "w.duckdb.writer").read_text())["pid"] == os.getpid()
    assert {file.suffix for file in tmp_path.iterdir()}.isdisjoint({".writer", ".lock"}), "both files go with it"


def test_a_writer_can_wait_for_another(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    holder = start(path, "one", 0.3)
    assert holder.stdout is not None and holder.stdout.readline() == "writing\n"
    with writing(path, wait=30):
        assert path.exists(), "the other has published"
    holder.communicate()


def test_a_place_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "nowhere" / "w.duckdb", tmp_path):
        with pytest.raises(InputError, match="folder that exists"), writing(path):
            pass

    def refuse(*options: object, **more: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="cannot be written"), writing(tmp_path / "w.duckdb"):
        pass


def test_a_writer_of_whom_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    holder = start(path, "one", 60)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "writing\n"
        (tmp_path / "w.duckdb.writer").write_text("[")
        with pytest.raises(InputError, match="a process that has just begun"), writing(path):
            pass
    finally:
        holder.kill()
        holder.communicate()
