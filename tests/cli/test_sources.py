from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.core.warehouse import open_work, publish
from pipeline.ingest.load import ingest
from pipeline.ingest.understanding import IngestOptions


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("text,stars\nThe soup was bad.,1\nLovely place.,5\n,3\n")
    Path("folder").mkdir()
    Path("folder/b.csv").write_text("text,stars\nA fine lunch.,4\n")
    path = Path("w.duckdb")
    opened = open_work(path)
    ingest(opened, ["a.csv", "folder"], IngestOptions(), "run", datetime(2026, 1, 2, 3, 4))
    return publish(opened)


def call(*arguments: str) -> int:
    return cli.main([*arguments, "--warehouse", "w.duckdb"])


def test_sources_are_listed(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("sources", "--json") == 0
    sources = json.loads(capsys.readouterr().out)["sources"]
    assert [(row["source"], row["rows"], row["accepted"], row["rating_only"]) for row in sources] == [
        ("a.csv", 3, 2, 1),
        ("folder/b.csv", 1, 1, 0),
    ]
    assert sources[0]["fields"][0]["samples"]
    assert call("sources") == 0
    assert capsys.readouterr().out.splitlines() == [
        "a.csv",
        "    3 records: 2 accepted, 0 rejected, 0 duplicates, 1 ratings without words",
        "    read at 2026-01-02 03:04 UTC",
        "folder/b.csv",
        "    1 records: 1 accepted, 0 rejected, 0 duplicates",
        "    read at 2026-01-02 03:04 UTC",
    ]


def test_one_source_is_shown_as_it_was_understood(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("sources", "b.csv") == 0
    captured = capsys.readouterr()
    assert "A fine lunch." in captured.out and "1 accepted" in captured.out
    assert captured.err == "review-insights: its full name is folder/b.csv\n"
    assert call("sources", "a.cvs") == 2
    assert "Did you mean a.csv?" in capsys.readouterr().err


def test_forget_shows_what_it_would_remove_and_needs_a_yes(
    warehouse: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = warehouse.read_bytes()
    assert call("forget", "--source", "a.csv") == 2
    captured = capsys.readouterr()
    assert (
        "\nreviews: 3\n" in captured.out
        and captured.err == "review-insights: Nothing was removed. To remove this for good, add --yes\n"
    )
    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    assert call("forget", "--source", "a.csv") == 2
    assert warehouse.read_bytes() == before
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert call("forget", "--source", "a.csv") == 0
    assert capsys.readouterr().out.endswith("forgotten; w.duckdb is a new file\n")
    assert call("sources", "--json") == 0
    assert [row["source"] for row in json.loads(capsys.readouterr().out)["sources"]] == ["folder/b.csv"]


def test_forget_as_json(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("forget", "--source", "a.csv", "--json") == 2
    assert json.loads(capsys.readouterr().out)["reviews"] == 3
    assert call("forget", "--source", "a.csv", "--json", "--yes") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["sources"], document["reviews"], document["reports"], document["report"]) == (
        ["a.csv"],
        3,
        [],
        None,
    )


def test_forget_wants_to_know_what(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("forget") == 2
    assert "--author NAME" in capsys.readouterr().err
