from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.advice import votes
from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError
from pipeline.core.ledger import Entry
from pipeline.core.profile import Profile
from pipeline.core.warehouse import audit, open_read_only, open_work, publish, work_path
from pipeline.ingest.identity import author_hash
from pipeline.ingest.load import ingest
from pipeline.ingest.understanding import IngestOptions
from pipeline.quality import baseline, check
from pipeline.report import build
from pipeline.run import RunResult, run
from pipeline.tools import forget as forgetting
from pipeline.tools import traces
from pipeline.tools.forget import Findings, Places, Request

ANNA, BEN = "Anna Quist", "Ben Oduya"
SECRET = "the marmalade was bitter"  # what only the forgotten review says
ROWS = [
    {"author": ANNA, "text": f"Rude waiter, and {SECRET}. A bad evening.", "stars": "1", "date": "2026-01-03"},
    {"author": BEN, "text": "Friendly staff and a lovely view.", "stars": "5", "date": "2026-01-04"},
    {"author": "Cleo", "text": "Too loud to talk, sadly, and cold soup.", "stars": "2", "date": "2026-01-05"},
    {"author": "Dana", "text": "A fair price for an honest lunch.", "stars": "4", "date": "2026-01-06"},
    {"author": ANNA, "text": "", "stars": "", "date": "2026-01-07"},  # rejected
]


def write(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def go(profile: Profile, *sources: Path, warehouse: Path, until: str = "feedback") -> RunResult:
    return run([str(source) for source in sources], warehouse, profile, IngestOptions(), until=until)


def forget(warehouse: Path, out: Path | None = None, **request: Sequence[str]) -> Findings:
    places = Places(out or warehouse.parent / "exports")
    with forgetting.opened(warehouse) as opened:
        findings = forgetting.find(opened, Request(**request), places)
        forgetting.forget(opened, findings, places)
    forgetting.renew_report(warehouse, findings, places)
    return findings


def query(warehouse: Path, sql: str) -> list[dict[str, Any]]:
    with contextlib.closing(open_read_only(warehouse)) as opened:
        return opened.query(sql)


def review_id(warehouse: Path, words: str) -> str:
    (row,) = query(warehouse, f"SELECT review_id FROM reviews WHERE contains(text, '{words}')")
    return str(row["review_id"])


def files_with(folder: Path, words: str) -> set[str]:
    """Names of the files below a folder whose bytes hold the words; the sources themselves are left out."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.suffix != ".csv")
    return {file.name for file in files if words.encode() in file.read_bytes()}


@pytest.fixture
def read(tmp_path: Path, fake_profile: Profile) -> Path:
    """A warehouse of one source, through feedback."""
    warehouse = tmp_path / "w.duckdb"
    go(fake_profile, write(tmp_path / "a.csv", ROWS), warehouse=warehouse)
    return warehouse


def test_nothing_of_a_forgotten_review_is_left_in_any_file(tmp_path: Path, read: Path, fake_profile: Profile) -> None:
    assert files_with(tmp_path, SECRET) == {"w.duckdb"}, "or the search below proves nothing"
    forgotten = review_id(read, SECRET)
    findings = forget(read, reviews=[forgotten])
    assert (findings.reviews, findings.versions, findings.shared) == (1, 1, 0)
    assert {"store.sentiment", "store.emotions", "store.themes", "store.feedback"} <= findings.derived.keys()
    assert files_with(tmp_path, SECRET) == set()
    assert files_with(tmp_path, forgotten) == {"w.duckdb"}, "its id, so that it is not read again"
    assert query(read, "SELECT text FROM reviews WHERE contains(text, 'marmalade')") == []
    assert not [file.name for file in tmp_path.iterdir() if ".work" in file.name]


def test_a_forgotten_review_does_not_come_back_and_rows_add_up(
    tmp_path: Path, read: Path, fake_profile: Profile
) -> None:
    forget(read, reviews=[review_id(read, SECRET)])
    source = tmp_path / "a.csv"
    assert go(fake_profile, source, warehouse=read).rows_written == 0, "the same file is not read again"
    write(source, [*ROWS, {**ROWS[1], "text": "New here, and happy."}, ROWS[0]])  # the last repeats the forgotten one
    (ingested,) = go(fake_profile, source, warehouse=read).ingested
    assert (ingested.rows, ingested.accepted, ingested.rejected, ingested.duplicates) == (7, 4, 3, 0)
    assert files_with(tmp_path, SECRET) == set()
    rejects = query(read, "SELECT reason, raw FROM rejects WHERE reason = 'forgotten'")
    assert rejects == [{"reason": "forgotten", "raw": None}] * 2
    with contextlib.closing(open_read_only(read)) as opened:
        audit(opened)


def test_an_author_is_forgotten_with_what_was_rejected_and_what_is_still_to_come(
    tmp_path: Path, read: Path, fake_profile: Profile
) -> None:
    assert files_with(tmp_path, ANNA) == {"w.duckdb"}
    hashed = query(read, f"SELECT author FROM reviews WHERE contains(text, '{SECRET}')")[0]["author"]
    findings = forget(read, authors=[f" {ANNA.upper()}"])
    assert (findings.reviews, findings.rejects) == (1, 1)
    assert files_with(tmp_path, ANNA) == files_with(tmp_path, SECRET) == set()
    later = [*ROWS, {**ROWS[0], "text": "Back again, and the toast was burnt."}]
    (ingested,) = go(fake_profile, write(tmp_path / "a.csv", later), warehouse=read).ingested
    assert (ingested.rows, ingested.accepted, ingested.rejected) == (6, 3, 3)
    assert files_with(tmp_path, ANNA) == files_with(tmp_path, "toast was burnt") == set()
    with pytest.raises(InputError, match="were forgotten on"):
        forget(read, authors=[hashed])


@pytest.mark.slow
def test_what_another_source_also_has_is_shown_from_there(tmp_path: Path, fake_profile: Profile) -> None:
    first, second = write(tmp_path / "a.csv", ROWS[:3]), write(tmp_path / "b.csv", ROWS[1:4])
    warehouse = tmp_path / "w.duckdb"
    go(fake_profile, first, second, warehouse=warehouse)
    findings = forget(warehouse, sources=[str(first)])
    assert (findings.reviews, findings.versions, findings.shared) == (1, 3, 2)
    assert [row["source"] for row in query(warehouse, "SELECT source FROM sources")] == [str(second)]
    assert [row["source"] for row in query(warehouse, "SELECT source FROM reviews")] == [str(second)] * 3
    assert not query(warehouse, f"FROM store.theme_share WHERE source = '{first}'"), "nor is it counted"
    assert query(warehouse, "SELECT * FROM rejects") == [] and files_with(tmp_path, SECRET) == set()
    assert len(query(warehouse, "SELECT * FROM sentiment")) == 3, "what was made of the others is kept"
    assert go(fake_profile, second, warehouse=warehouse).rows_written == 0
    (again,) = go(fake_profile, first, warehouse=warehouse).ingested
    assert (again.accepted, again.duplicates) == (1, 2), "a source may be read again by whoever names it"


@pytest.mark.slow
def test_records_that_repeat_it_add_up_in_an_appended_source(tmp_path: Path, fake_profile: Profile) -> None:
    warehouse, source = tmp_path / "w.duckdb", write(tmp_path / "a.csv", [ROWS[0], ROWS[0], ROWS[1]])
    go(fake_profile, source, warehouse=warehouse, until="sentiment")

    def append(*rows: Mapping[str, str]) -> tuple[int, int, int, int]:
        options = IngestOptions(append=True)
        (read,) = run([str(write(source, rows))], warehouse, fake_profile, options, until="sentiment").ingested
        return read.rows, read.accepted, read.rejected, read.duplicates

    assert append(ROWS[0], ROWS[2]) == (5, 3, 0, 2)
    forget(warehouse, reviews=[review_id(warehouse, SECRET)])
    assert files_with(tmp_path, SECRET) == set()
    (row,) = query(warehouse, "SELECT rows, accepted, rejected, duplicates FROM sources")
    assert row == {"rows": 5, "accepted": 2, "rejected": 3, "duplicates": 0}
    assert append(ROWS[0], ROWS[0], ROWS[3]) == (8, 3, 5, 0)
    assert files_with(tmp_path, SECRET) == set()


def test_an_edited_review_stays_forgotten_by_the_id_of_its_platform(tmp_path: Path, fake_profile: Profile) -> None:
    rows = [{"review_id": "n1", **ROWS[0]}, {"review_id": "n2", **ROWS[0], "author": BEN}]
    warehouse, source = tmp_path / "w.duckdb", write(tmp_path / "a.csv", rows)
    go(fake_profile, source, warehouse=warehouse, until="sentiment")
    (row,) = query(warehouse, "SELECT native_id FROM reviews WHERE native_id LIKE '%n1'")
    assert forget(warehouse, reviews=[row["native_id"]]).reviews == 1
    edited = {**rows[0], "text": "They made good for the toast."}
    (ingested,) = go(fake_profile, write(source, [edited, rows[1]]), warehouse=warehouse, until="sentiment").ingested
    assert (ingested.accepted, ingested.rejected) == (1, 1)
    assert files_with(tmp_path, "made good for the toast") == set()


@pytest.mark.slow
@pytest.mark.parametrize("by_author", [True, False])
@pytest.mark.parametrize("forgotten, other", [(ANNA, BEN), (BEN, ANNA)])  # whichever of them has the first id
def test_of_two_customers_who_wrote_the_same_one_is_forgotten(
    tmp_path: Path, fake_profile: Profile, forgotten: str, other: str, by_author: bool
) -> None:
    rows = [{**ROWS[0], "author": name} for name in (ANNA, BEN)]
    warehouse, source = tmp_path / "w.duckdb", write(tmp_path / "a.csv", [*rows, *rows])
    go(fake_profile, source, warehouse=warehouse, until="sentiment")
    key = author_hash(forgotten, warehouse.with_name("w.duckdb.salt").read_bytes())
    (row,) = query(warehouse, f"SELECT review_id FROM reviews WHERE author = '{key}'")
    forget(warehouse, **({"authors": [forgotten]} if by_author else {"reviews": [row["review_id"]]}))
    kept = {"author": author_hash(other, warehouse.with_name("w.duckdb.salt").read_bytes())}
    assert query(warehouse, "SELECT author FROM reviews") == [kept] and files_with(tmp_path, forgotten) == set()
    for again in ([*rows, *rows, ROWS[1]], [row for row in rows if row["author"] == other]):
        go(fake_profile, write(source, again), warehouse=warehouse, until="sentiment")
        authors = "SELECT author FROM reviews WHERE contains(text, 'marmalade')"
        assert query(warehouse, authors) == [kept] and files_with(tmp_path, forgotten) == set()


def test_every_version_and_every_table_by_review_is_searched(tmp_path: Path, read: Path, fake_profile: Profile) -> None:
    forgotten = review_id(read, SECRET)
    go(fake_profile, write(tmp_path / "a.csv", ROWS[1:]), warehouse=read)
    assert query(read, "SELECT retired_at IS NULL AS held FROM store.reviews ORDER BY place")[0] == {"held": False}
    opened = open_work(read)
    opened.execute("CREATE TABLE store.later (review_id VARCHAR, words VARCHAR)")
    opened.execute("UPDATE runs SET error = ?", [f"not verbatim: {SECRET}"])
    opened.execute("UPDATE store.sources SET fields = '[]'")  # as an older version leaves it
    opened.append("store.later", [{"review_id": forgotten, "words": SECRET}, {"review_id": "other", "words": "kept"}])
    publish(opened)
    findings = forget(read, reviews=[forgotten])
    assert (findings.derived["store.later"], findings.unsure) == (1, [str(tmp_path / "a.csv")])
    assert files_with(tmp_path, SECRET) == set()
    assert query(read, "SELECT words FROM store.later") == [{"words": "kept"}]


def test_a_new_file_keeps_tables_views_macros_and_constraints(read: Path) -> None:
    catalogue = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns ORDER BY ALL",
        "SELECT function_name, macro_definition FROM duckdb_functions() WHERE NOT internal ORDER BY ALL",
        "SELECT table_name, constraint_text FROM duckdb_constraints() ORDER BY ALL",
    )
    before = [query(read, sql) for sql in catalogue]
    forget(read, reviews=[review_id(read, SECRET)])
    assert [query(read, sql) for sql in catalogue] == before


@pytest.mark.slow
def test_a_comparison_of_prompts_that_shows_it_is_deleted(tmp_path: Path, read: Path) -> None:
    page = tmp_path / "exports" / "prompts" / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>Friendly staff and a lovely view.</p>")
    assert forget(read, reviews=[review_id(read, SECRET)]).reports == []
    page.write_text(f"<p>Rude waiter, and {SECRET.replace('the', 'the ')}.\nA bad evening.</p>")
    assert forget(read, reviews=[review_id(read, "lovely view")]).reports == []
    page.write_text("<p>Too loud to talk,\nsadly, and cold soup.</p>")
    assert forget(read, reviews=[review_id(read, "Too loud")]).reports == [page.parent]
    assert not page.parent.exists()


def test_a_masked_report_is_written_again_as_one(tmp_path: Path, read: Path) -> None:
    out = tmp_path / "exports"
    with contextlib.closing(open_read_only(read)) as opened:
        build.write(opened, out, mask=True)
    assert forget(read, reviews=[review_id(read, SECRET)]).masked
    (folder,) = out.iterdir()
    assert traces.is_masked(folder)


def test_a_review_whose_text_is_gone_can_be_forgotten(tmp_path: Path, read: Path, fake_profile: Profile) -> None:
    forgotten = review_id(read, SECRET)
    run([str(tmp_path / "a.csv")], read, fake_profile, IngestOptions(), keep_days=30)
    assert query(read, "SELECT count(*) AS n FROM reviews WHERE text <> ''") == [{"n": 0}]
    assert forget(read, reviews=[forgotten]).reviews == 1
    assert go(fake_profile, tmp_path / "a.csv", warehouse=read).rows_written == 0


def test_reports_that_show_it_are_deleted_and_todays_is_written_again(tmp_path: Path, read: Path) -> None:
    out = tmp_path / "exports"
    with contextlib.closing(open_read_only(read)) as opened:
        old = build.write(opened, out, datetime(2026, 1, 8).date()).folder
        today = build.write(opened, out, per_business=True).folder
    innocent = out / "2026-01-01"
    innocent.mkdir()
    (innocent / "report.md").write_text("Nobody is quoted here.")
    (out / "mine").mkdir()
    (out / ".report-killed").mkdir()
    findings = forget(read, reviews=[review_id(read, SECRET)])
    assert findings.reports == [out / ".report-killed", old, today]
    assert sorted(path.name for path in out.iterdir()) == ["2026-01-01", today.name, "mine"]
    assert SECRET not in (today / "report.md").read_text() and SECRET not in (today / "insights.csv").read_text()


def test_a_report_that_quotes_it_only_as_a_sample_goes_too(tmp_path: Path, read: Path) -> None:
    folder = tmp_path / "exports" / "2026-01-08"
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(f"<td>Rude waiter, and\n {SECRET}. A bad evening.</td>")
    assert forget(read, reviews=[review_id(read, SECRET)]).reports == [folder]


def test_votes_uploads_and_baselines_lose_it(tmp_path: Path, read: Path) -> None:
    forgotten, other = review_id(read, SECRET), review_id(read, "Friendly")
    for voted in (forgotten, other):
        votes.record(read, voted, "Sweeten it.", "m", 1, "somebody")
    done, waiting = tmp_path / "w.duckdb.jobs" / ("a" * 32), tmp_path / "w.duckdb.jobs" / ("b" * 32)
    for folder in (done, waiting):
        folder.mkdir(parents=True)
        (folder / "mapping.json").write_text("{}")
    results = [
        {"source_row": 1, "status": "analyzed", "review_id": "x", "text": ROWS[0]["text"]},
        {"source_row": 2, "status": "analyzed", "review_id": other, "text": ROWS[1]["text"]},
    ]
    (done / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in results) + '{"text": "Rude wai')
    write(waiting / "upload.csv", ROWS)
    figures = tmp_path / "w.duckdb.baselines" / "embedded.json"
    figures.parent.mkdir()
    figures.write_text(
        json.dumps({"rows": {"teacher": {"meteor": {forgotten: 0.5, other: 0.4}}}, "judged": {forgotten: 1}})
    )
    findings = forget(read, reviews=[forgotten])
    assert (findings.votes, findings.uploads, findings.baselines) == (1, 2, [figures])
    with contextlib.closing(sqlite3.connect(votes.votes_path(read))) as connection:
        assert connection.execute("SELECT review_id FROM votes").fetchall() == [(other,)]
    lines = [json.loads(line) for line in (done / "results.jsonl").read_text().splitlines()]
    assert lines == [{"source_row": 1, "status": "rejected", "reason": "forgotten"}, results[1]]
    assert not waiting.exists() and "Rude" not in (done / "results.jsonl").read_text()
    assert json.loads(figures.read_text()) == {"rows": {"teacher": {"meteor": {other: 0.4}}}, "judged": {}}
    assert files_with(tmp_path, forgotten) == {"w.duckdb"}


def trained(warehouse: Path, review: str) -> Path:
    """Adds two rounds of training, the first of them on a review, and what the student wrote after it."""
    opened = open_work(warehouse)
    other = opened.value("SELECT review_id FROM reviews WHERE review_id <> ? LIMIT 1", [review])
    key = {"fingerprint": "f", "run_id": "r"}
    teacher = opened.value("SELECT text FROM store.feedback WHERE review_id = ?", [review])
    example = {**key, "round": 1, "prompt": "p", "completion": teacher}
    opened.append(
        "store.training_set",
        [{**example, "review_id": review, "split": "train"}, {**example, "review_id": other, "split": "test"}],
    )
    opened.append(
        "store.distill",
        [{**key, "round": number, "model": "m", "adapter": f"student-f-{number}"} for number in (1, 2)],
    )
    texts = {"student": ("m+student-f-2", "t"), "control_nearest": ("nearest", teacher), "control_constant": ("c", "t")}
    opened.append(
        "store.generate",
        [
            {**key, "review_id": other, "role": role, "model": model, "text": text}
            for role, (model, text) in texts.items()
        ],
    )
    opened.append("store.score", [{**key, "review_id": other, "role": role} for role in texts])
    models = warehouse.with_name("w.duckdb.models")
    for number in (1, 2):
        (models / f"student-f-{number}").mkdir(parents=True)
    publish(opened)
    return models


@pytest.mark.slow
def test_adapters_that_saw_it_are_named_and_can_be_deleted(read: Path) -> None:
    models = trained(read, review_id(read, SECRET))
    findings = forget(read, reviews=[review_id(read, SECRET)])
    assert [(a.adapter, a.trained_on, a.validated_on) for a in findings.adapters] == [
        ("student-f-1", 1, 0),
        ("student-f-2", 1, 0),
    ], "the second went on from the first"
    roles = [row["role"] for row in query(read, "SELECT role FROM store.generate ORDER BY ALL")]
    assert roles == ["control_constant", "student"], "the nearest review's text was about it"
    assert query(read, "SELECT role FROM store.score WHERE role = 'control_nearest'") == []
    with pytest.raises(InputError, match="student-f-1"):
        forget(read, adapters=["student-f-9"])
    assert forget(read, adapters=["student-f-1"]).dropped == ["student-f-1", "student-f-2"]
    assert not any(models.iterdir()) and query(read, "FROM store.distill") == []
    assert [row["role"] for row in query(read, "SELECT role FROM store.generate")] == ["control_constant"]


def test_an_unfinished_run_is_named_and_left_alone(tmp_path: Path, read: Path) -> None:
    opened = open_work(read)
    run_id = Entry(opened, "fake").run_id
    opened.close()
    with pytest.raises(InputError, match=f"{run_id}.*did not finish"):
        forget(read, reviews=[review_id(read, SECRET)])
    assert work_path(read).exists()


def test_a_mere_copy_is_no_unfinished_run(read: Path) -> None:
    open_work(read).close()  # all that a command had done when it was killed
    assert forget(read, reviews=[review_id(read, SECRET)]).reviews == 1


def test_what_a_killed_forget_left_is_thrown_away(tmp_path: Path, read: Path) -> None:
    left = tmp_path / "left"
    with pytest.raises(KeyboardInterrupt), forgetting.opened(read) as warehouse:
        warehouse.close()
        shutil.copyfile(work_path(read), left)
        raise KeyboardInterrupt
    left.rename(work_path(read))  # as if it had been killed there
    assert forget(read, reviews=[review_id(read, SECRET)]).reviews == 1
    assert files_with(tmp_path, SECRET) == set()


def test_looking_only_changes_nothing(tmp_path: Path, read: Path) -> None:
    before = read.read_bytes()
    with pytest.raises(KeyboardInterrupt), forgetting.opened(read) as warehouse:
        forgetting.find(warehouse, Request(reviews=[review_id(read, SECRET)]), Places(tmp_path))
        raise KeyboardInterrupt
    assert read.read_bytes() == before and not work_path(read).exists()


def test_names_that_are_not_there(tmp_path: Path, read: Path) -> None:
    forgotten = review_id(read, SECRET)
    for request, hint in (
        ({"sources": ["a.csv"]}, f"Did you mean {tmp_path / 'a.csv'}"),
        ({"sources": ["sample"]}, "no source is called that"),
        ({"reviews": [forgotten[:-1] + "!"]}, f"Did you mean {forgotten}"),
        ({"reviews": ["?"]}, "@search"),
        ({"authors": ["Nobody"]}, "capitals do not matter"),
    ):
        with pytest.raises(InputError, match=hint):
            forget(read, **request)  # type: ignore[arg-type]
    forget(read, reviews=[forgotten])
    with pytest.raises(InputError, match="it was forgotten on"):
        forget(read, reviews=[forgotten])
    with pytest.raises(InputError, match="There is no warehouse"):
        forget(tmp_path / "none.duckdb", reviews=[forgotten])
    assert not (tmp_path / "none.duckdb").exists()


def test_the_sample_is_taken_out_of_a_mixed_warehouse(tmp_path: Path, read: Path) -> None:
    opened = open_work(read)
    ingest(opened, [str(SAMPLE)], IngestOptions(limit=20), "sample-run", datetime(2026, 1, 9))
    publish(opened)
    assert forget(read, sources=["sample"]).sources == ["sample"]
    assert {row["source"] for row in query(read, "SELECT source FROM reviews")} == {str(tmp_path / "a.csv")}


def test_a_warehouse_that_is_empty_afterwards_still_answers(tmp_path: Path, read: Path, fake_profile: Profile) -> None:
    with contextlib.closing(open_read_only(read)) as opened:
        build.write(opened, tmp_path / "exports")
    forget(read, sources=[str(tmp_path / "a.csv")])
    assert files_with(tmp_path, SECRET) == set() and query(read, "FROM reviews") == []
    with contextlib.closing(open_read_only(read)) as opened:
        run_row = baseline.latest_run(opened)
        assert baseline.snapshot(opened, run_row)["volume"] == 0
        assert check.verdict_if_recorded(opened, "fake", tmp_path / "none") is None
