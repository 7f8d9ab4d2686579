from __future__ import annotations

import csv
import html.parser
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline import export, report, summary
from pipeline.assets import WAREHOUSE
from pipeline.warehouse import open_memory, open_work, publish, sql_file
from tests.factory import NOW, review

HOSTILE = '=cmd|"/c calc"!A1 <script>alert(1)</script> <img src=x onerror=alert(1)> & "quotes" \u202ereversed {{ 7*7 }}'
DAY = date(2026, 11, 2)


def write_warehouse(path: Path, reviews: list[str], meteor: float = 0.3) -> Path:
    """A published warehouse: every review negative, with one theme, feedback and a scored student."""
    opened = open_work(path)
    opened.append(
        "runs",
        [{"run_id": "run-1", "started_at": NOW, "finished_at": NOW, "profile": "embedded", "version": "0.1.0",
          "status": "done", "environment": "{}", "stages": "{}"}],
    )  # fmt: skip
    rows = [review(text, business=text[:30], stars=2.0, reviewed_at=datetime(2026, 10, 1)) for text in reviews]
    opened.append("reviews", rows)
    stages = ("sentiment", "emotions", "themes", "feedback", "distill", "generate", "score")
    opened.append("store.current", [{"stage": stage, "fingerprint": "f"} for stage in stages])
    for row in rows:
        key = {"review_id": row["review_id"], "fingerprint": "f", "run_id": "run-1"}
        text = row["text"]
        opened.append(
            "store.sentiment",
            [{**key, "label": "negative", "negative": 0.9, "neutral": 0.1, "positive": 0.0, "model": "m"}],
        )
        opened.append("store.emotions", [{**key, "labels": ["anger"], "probabilities": [("anger", 0.9)], "model": "m"}])
        opened.append(
            "store.themes", [{**key, "theme": "waiting_time", "evidence": text, "sentiment": "negative", "score": -0.8}]
        )
        opened.append(
            "store.feedback",
            [{**key, "model": "m", "role": "teacher", "text": text, "suggestions": ["Add staff.", text]}],
        )
        opened.append(
            "store.score",
            [{**key, "role": role, "bleurt": -0.1, "bertscore_f1": 0.6, "meteor": value, "grounding": 0.5}
             for role, value in (("student", meteor), ("control_constant", 0.2))],
        )  # fmt: skip
    compared = summary.compare(opened.query("SELECT * FROM scores"))
    opened.append("comparisons", [{"run_id": "run-1", **row} for row in compared])
    opened.append(
        "metrics",
        [{"run_id": "run-1", "role": role, "metric": "meteor", "n": 500, "mean": value, "std": 0.1, "ci_low": value - 0.01,
          "ci_high": value + 0.01, "median": value, "min": 0.0, "p25": 0.1, "p75": 0.4, "max": 0.9, "model": "nltk"}
         for role, value in (("student", meteor), ("control_constant", 0.2))],
    )  # fmt: skip
    return publish(opened)


class Page(html.parser.HTMLParser):
    """Tags and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.quotes: list[str] = []
        self._in_quote = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "blockquote":
            self._in_quote = True
            self.quotes.append("")
        if tag in ("br", "small"):
            self._in_quote = False

    def handle_data(self, data: str) -> None:
        if self._in_quote:
            self.quotes[-1] += data


def test_a_hostile_review_cannot_break_the_page(tmp_path: Path) -> None:
    folder = report.write(
        write_warehouse(tmp_path / "w.duckdb", [HOSTILE, "We waited an hour."]), tmp_path / "out", DAY
    )
    page = Page((folder / "report.html").read_text())
    assert "script" not in page.tags and "img" not in page.tags and "link" not in page.tags
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert {quote.strip() for quote in page.quotes} == {HOSTILE, "We waited an hour."}, "quotes are verbatim"


def test_the_files_and_their_cells(tmp_path: Path) -> None:
    folder = report.write(write_warehouse(tmp_path / "w.duckdb", [HOSTILE]), tmp_path / "out", DAY)
    assert folder == tmp_path / "out" / "2026-11-02"
    assert sorted(file.name for file in folder.iterdir()) == [
        "insights.csv",
        "insights.parquet",
        "report.html",
        "report.md",
    ]
    with (folder / "insights.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == "'" + HOSTILE and row["suggestions"].startswith("Add staff.; ")
    assert pq.read_table(folder / "insights.parquet").to_pylist()[0]["text"] == HOSTILE


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_formula_cells_are_neutralised(value: str) -> None:
    assert export.neutralise(value) == f"'{value}"
    assert export.neutralise("fine - really") == "fine - really" and report.neutralise(-1.5) == -1.5


def test_the_same_warehouse_gives_the_same_bytes_and_replaces_its_date(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", ["We waited an hour."])
    first = {file.name: file.read_bytes() for file in report.write(path, tmp_path / "out", DAY).iterdir()}
    again = {file.name: file.read_bytes() for file in report.write(path, tmp_path / "out", DAY).iterdir()}
    assert first == again
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["2026-11-02"], "no scratch folder is left"


def test_an_empty_warehouse_says_so(tmp_path: Path) -> None:
    folder = report.write(publish(open_work(tmp_path / "w.duckdb")), tmp_path / "out", DAY)
    for name in ("report.html", "report.md"):
        text = (folder / name).read_text()
        assert "no reviews in the warehouse yet" in text and "No student was scored" in text


def test_the_verdict_is_said_in_words(tmp_path: Path) -> None:
    good = report.write(
        write_warehouse(tmp_path / "g.duckdb", [f"Waited {n} minutes." for n in range(25)], 0.3), tmp_path / "g", DAY
    )
    assert "The tuned student does not beat the control: one constant text" in (good / "report.md").read_text(), (
        "equal grounding"
    )
    assert "METEOR 0.300 against 0.200 (difference +0.100 to +0.100)" in (good / "report.md").read_text()
    few = report.write(write_warehouse(tmp_path / "f.duckdb", ["Waited."], 0.3), tmp_path / "f", DAY)
    assert "does not beat" in (few / "report.md").read_text(), "one review proves nothing"


def test_every_named_query_runs_on_an_empty_warehouse() -> None:
    opened = open_memory()
    for file in sorted((WAREHOUSE / "queries").glob("*.sql")):
        opened.query(sql_file("queries", file.name))
    opened.close()


def test_charts_carry_their_title_and_escape_it(tmp_path: Path) -> None:
    from pipeline import charts

    drawn = charts.bars('<b>"x"', [("<i>", 3.0)])
    assert "<b>" not in drawn and "<i>" not in drawn and 'role="img"' in drawn
    assert charts.histograms("t", []) == "" and charts.scatter("t", [], "x", "y", "c") == ""
    assert charts.histograms("t", [("a", [0.5, 0.5])]).count("<rect") == 20
    assert charts.scatter("t", [(0.1, 0.2, 0.3)], "x", "y", "c").count("<circle") == 1
