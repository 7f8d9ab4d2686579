from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from pipeline.cli import show


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("terminal", [True, False])
def test_a_run_shows_a_line_per_stage_with_its_own_time(terminal: bool) -> None:
    console, clock = Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None), Clock()
    with show.progress(False, console, clock) as progress:
        for name, done, total, seconds in (
            ("ingest", 100, 0, 3),
            ("ingest", 300, 0, 1),
            ("sentiment", 0, 300, 10),
            ("sentiment", 256, 300, 2),
            ("sentiment", 300, 300, 60),  # what comes between two stages counts for neither
            ("distill", 0, 1, 30),
            ("distill", 60, 60, 5),  # steps of the training within
            ("distill", 1, 1, 7),
        ):
            progress(name, done, total)
            clock.now += seconds
    assert isinstance(console.file, io.StringIO)
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    last = [line.split() for line in written.replace("\r", "\n").splitlines() if line.strip()][-3:]
    assert [(name, count, seconds) for name, _, count, seconds in last] == [
        ("ingest", "300", "0:00:04"),
        ("sentiment", "300/300", "0:00:12"),
        ("distill", "1/1", "0:00:35"),
    ]
    assert "?" not in written


def test_an_ingest_alone_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    with show.progress(False) as progress:
        progress("ingest", 3, 0)
    assert re.search(r"ingest ━+ +3 0:00:00", capsys.readouterr().err)


def test_json_and_a_run_without_work_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with show.progress(True) as progress:
        progress("ingest", 3, 0)
    with show.progress(False):
        pass
    assert capsys.readouterr() == ("", "")


def test_nothing_from_outside_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a column's name, a review, a file's name, an error."""
    hostile = "a\x1b[31m\x07\x9b2J\u202eb\udce9"
    show.rows(["n", hostile], [[1, hostile]])
    show.summary({"table": [("business", hostile)], "files": {"report": hostile}})
    show.note(hostile)
    out, err = capsys.readouterr()
    for character in "\x1b\x07\x9b\u202e\udce9":
        assert character not in out + err
    assert r"a\x1b[31m\x07\x9b2J\u202eb\udce9" in err and r"\x1b[31m" in out
    assert show.printable("two\nlines\tand é 😀") == "two\nlines\tand é 😀"
