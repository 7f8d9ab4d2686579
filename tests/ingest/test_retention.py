"""Texts are removed for their age; everything that was found in them stays, and the bytes are gone."""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse, open_read_only, open_work, work_path
from pipeline.ingest import retention
from pipeline.ingest.load import IngestOptions
from pipeline.report import build
from pipeline.run import RunResult, run

OLD = "2020-03-0{}"
SECRET = "xylophonic"  # in every old text, and in nothing of ours
FIGURES = ("headline", "sentiments", "stars", "emotions", "top_pain_points", "word_counts", "months", "weekdays", "languages", "businesses",
           "getting_worse", "owner_replies", "ingested", "errors", "segments")  # fmt: skip


def write(path: Path, more: str = "") -> Path:
    old = [
        f"The {SECRET} waiter was rude and the soup cold number {n}.,{1 + n % 2},{OLD.format(n)},Sorry {SECRET}."
        for n in range(1, 6)
    ]
    new = [
        f"The soup was cold and the bread late on table {n}.,2,{now().date() - timedelta(days=n)}," for n in range(4)
    ]
    broken = [",,,no words but these"]
    path.write_text("\n".join(["text,stars,date,reply", *old, old[0], *broken, *new]) + "\n" + more)
    return path


def go(reviews: Path, warehouse: Path, profile: Profile, **more: Any) -> RunResult:
    return run([str(reviews)], warehouse, profile, IngestOptions(), **more)


def figures(path: Path) -> dict[str, Any]:
    """Every figure of the report, without quotes and without what the latest run alone changes."""
    with contextlib.closing(open_read_only(path)) as warehouse:
        return {name: _without_quotes(_rows(warehouse, name)) for name in FIGURES}


def _rows(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    query = queries.load(name)
    return warehouse.query(query.sql, query.bind({}))


def _without_quotes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("quote", "quotes", "run_id")} for row in rows]


def bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*") if file.is_file())


def test_figures_stay_and_the_bytes_go(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile)
    before = figures(warehouse)
    assert SECRET.encode() in bytes_of(warehouse) and before["headline"][0]["reviews"] == 9

    result = go(reviews, warehouse, fake_profile, keep_days=365)
    assert result.removed == 5 and result.rows_written == 0
    assert figures(warehouse) == before
    assert SECRET.encode() not in bytes_of(warehouse)


def test_what_the_source_still_holds_is_not_read_again(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    first = go(reviews, warehouse, fake_profile, keep_days=365)
    assert first.removed == 5, "read first, then removed: in one run"
    before = figures(warehouse)
    for more in ({"keep_days": 365}, {}):
        again = go(reviews, warehouse, fake_profile, **more)
        assert again.rows_written == 0 and again.removed == 0
        assert SECRET.encode() not in bytes_of(warehouse) and figures(warehouse) == before
    copy = tmp_path / "copy.csv"
    copy.write_bytes(reviews.read_bytes())
    run([str(reviews), str(copy)], warehouse, fake_profile, IngestOptions())
    assert SECRET.encode() not in bytes_of(warehouse), "nor from another source"


def test_a_new_review_beside_old_ones_is_read(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile, keep_days=365)
    write(reviews, more=f"The soup was cold again and nobody came.,1,{now().date()},\n")
    assert go(reviews, warehouse, fake_profile, keep_days=365).ingested[0].added == 1
    with contextlib.closing(open_read_only(warehouse)) as opened:
        assert opened.value("SELECT count(*) FROM reviews WHERE blanked_at IS NULL AND text <> ''") == 5


def test_another_model_keeps_what_was_found_in_texts_that_are_gone(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile, keep_days=365)
    before = figures(warehouse)
    changed = dataclasses.replace(fake_profile, sentiment=dataclasses.replace(fake_profile.sentiment, model="another"))
    result = go(reviews, warehouse, changed)
    written = {stage.name: stage.written for stage in result.stages}
    assert written["sentiment"] == 4, "only reviews that still have words"
    assert figures(warehouse)["sentiments"] == before["sentiments"]
    assert figures(warehouse)["headline"] == before["headline"]


def test_the_report_says_that_texts_are_gone_and_quotes_none(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile, keep_days=365)
    with contextlib.closing(open_read_only(warehouse)) as opened:
        folder = build.write(opened, tmp_path / "out").folder
    for name in ("report.md", "report.html"):
        page = (folder / name).read_text()
        assert "The texts of 5 reviews up to 2020-03-05 were removed for their age" in page
        assert SECRET not in page and "None" not in page and "“”" not in page


def test_a_run_killed_after_the_removal_still_rids_the_file_of_the_bytes(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile)
    opened = open_work(warehouse)
    assert retention.blank(opened, now() - timedelta(days=365)) == 5
    opened.close()
    assert work_path(warehouse).exists()
    assert go(reviews, warehouse, fake_profile).rows_written == 0
    assert SECRET.encode() not in bytes_of(warehouse)


def test_records_that_were_rejected_long_ago_lose_their_words(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write(tmp_path / "r.csv"), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile)
    opened = open_work(warehouse)
    opened.execute("UPDATE rejects SET read_at = TIMESTAMP '2020-01-01'")
    opened.close()
    go(reviews, warehouse, fake_profile, keep_days=365)
    go(reviews, warehouse, fake_profile)
    with contextlib.closing(open_read_only(warehouse)) as read:
        assert read.value("SELECT count(*) FROM rejects") == 2 and not read.value("SELECT count(raw) FROM rejects")


def test_texts_are_removed_only_once_every_stage_has_read_them(tmp_path: Path, fake_profile: Profile) -> None:
    with pytest.raises(InputError, match="leave out --until"):
        go(write(tmp_path / "r.csv"), tmp_path / "w.duckdb", fake_profile, until="read", keep_days=30)
