"""What the machine refuses, seen from the command line: one line and exit 2, Ctrl-C 130, a closed pipe nothing at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.core.lock import writing
from pipeline.core.warehouse import open_work, publish
from tests.conftest import ROOT
from tests.factory import review

ENDLESS = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range % 7 = b.range % 11"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cli") / "w.duckdb"
    with writing(place):
        opened = open_work(place)
        opened.append("store.reviews", [review(f"Soup {number} was cold.") for number in range(200)])
        return publish(opened)


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """Where the tests run in the background of a shell, Ctrl-C is ignored, and so it would be by what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(*arguments: str, stdout: Any = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_ctrl_c_ends_a_query_at_once(path: Path) -> None:
    """DuckDB would go on with it, and the process wait for its end."""
    started = start("sql", "--warehouse", str(path), ENDLESS, "--seconds", "600")
    for _ in range(200):  # until it computes: the thread of the time limit is there
        time.sleep(0.05)
        if len(os.listdir(f"/proc/{started.pid}/task") if os.path.isdir("/proc/self/task") else range(9)) > 1:
            break
    time.sleep(0.5)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert (started.returncode, errors) == (130, "review-insights: interrupted; the next run goes on from here\n")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_nobody_reads_what_is_printed(path: Path, form: str) -> None:
    started = start("sql", "--warehouse", str(path), "--format", form, "SELECT text FROM reviews LIMIT 200")
    assert started.stdout is not None and started.stderr is not None
    started.stdout.close()
    errors = started.stderr.read()
    assert (started.wait(60), errors) == (0, "")
    started.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_what_is_printed_finds_no_room(path: Path) -> None:
    with open("/dev/full", "w") as full:
        started = start("sql", "--warehouse", str(path), "--format", "csv", "SELECT 1", stdout=full)
        _, errors = started.communicate(timeout=60)
    assert (started.returncode, errors.count("\n")) == (2, 1)
    assert errors.startswith("review-insights: The disk is full.")


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(args: object) -> int:
        raise error

    found = cli.COMMANDS["doctor"]
    monkeypatch.setitem(cli.COMMANDS, "doctor", type(found)(found.name, found.help, command, found.options))


def test_any_command_tells_in_a_line_what_the_machine_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # where no sample lies, of which there would be a note
    raising(OSError(28, "No space left on device", "w.duckdb.salt"), monkeypatch)
    assert cli.main(["doctor"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("review-insights: w.duckdb.salt: the disk is full.") and errors.count("\n") == 1


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), BrokenPipeError(32, "of a server, not of stdout")])
def test_a_bug_is_not_hidden(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(error, monkeypatch)
    with open(os.devnull, "w") as nowhere, pytest.raises(type(error)):
        monkeypatch.setattr(sys, "stdout", nowhere)
        cli.main(["doctor"])
