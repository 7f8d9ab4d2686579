from __future__ import annotations

import logging

import pytest

from pipeline.service import logs


def test_a_log_repeats_itself_so_often_and_then_says_how_often_it_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    sparing, written = logs.Sparing(), list[str]()

    def say(line: int, level: int = logging.WARNING) -> None:
        record = logging.LogRecord("name", level, "file.py", line, "trouble %d", (line,), None)
        if sparing.filter(record):
            written.append(record.getMessage())

    for _ in range(1000):
        say(1)
    say(2)
    assert written == ["trouble 1"] * 10 + ["trouble 2"]
    now = 11.0
    say(1)
    say(1)
    assert written[11:] == ["trouble 1 (and 990 more like it before)", "trouble 1"]
    for _ in range(2000):
        say(3, logging.INFO)
    assert written.count("trouble 3") == 1000
