from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends import registry
from pipeline.core import queries
from pipeline.core.errors import AuditFailed, BackendDown, InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Profile, load
from pipeline.core.warehouse import Warehouse, open_read_only, work_path
from pipeline.ingest.load import IngestOptions
from pipeline.reader import calibration
from pipeline.report import build, digest
from pipeline.report.content import gather
from pipeline.run import RunResult, run
from pipeline.stages import STAGES
from tests.answering import answering
from tests.chaos import canonical

OPTIONS = IngestOptions()


def write_reviews(path: Path, count: int, start: int = 0) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "stars"])
        for number in range(start, start + count):
            mood = "The waiter was rude and the soup was cold, a bad evening" if number % 2 else "A lovely meal"
            writer.writerow([f"{mood}, table {number}.", 2 if number % 2 else 5])
    return path


def go(reviews: Path, warehouse: Path, profile: Profile, until: str | None = "feedback", **more: Any) -> RunResult:
    return run([str(reviews)], warehouse, profile, OPTIONS, until=until, **more)


def tables(warehouse: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What a run wrote, without what identifies the run itself."""
    opened = open_read_only(warehouse)
    result = {}
    for table in ("reviews", "rejects", "store.sentiment", "store.emotions", "store.themes", "store.feedback"):
        names = [name for name in opened.columns(f"SELECT * FROM {table}") if name not in ("run_id", "ingested_at")]
        rows = opened.query(f"SELECT {', '.join(names)} FROM {table} ORDER BY ALL")
        result[table] = [tuple(str(value) for value in row.values()) for row in rows]
    opened.close()
    return result


def test_second_run_writes_nothing_and_ten_more_reviews_are_ten(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write_reviews(tmp_path / "r.csv", 30), tmp_path / "w.duckdb"
    first = go(reviews, warehouse, fake_profile)
    assert first.ingested[0].added == 30 and first.rows_written > 90
    assert go(reviews, warehouse, fake_profile).rows_written == 0
    write_reviews(reviews, 40)
    third = go(reviews, warehouse, fake_profile)
    assert third.ingested[0].added == 10
    assert {stage.name: stage.pending for stage in third.stages} == {
        "read": 10,
        "sentiment": 10,
        "emotions": 10,
        "themes": 10,
        "discover": 5,
        "feedback": 5,
    }


def test_nothing_is_loaded_when_nothing_is_pending(
    tmp_path: Path, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews, warehouse = write_reviews(tmp_path / "r.csv", 6), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile)

    def refuse(*args: Any) -> None:
        raise AssertionError("a model was loaded for zero rows")

    for loader in ("sentiment", "emotions", "teacher", "student"):
        monkeypatch.setattr(registry, loader, refuse)
    assert go(reviews, warehouse, fake_profile).rows_written == 0


def test_the_ledger_says_what_ran(tmp_path: Path, fake_profile: Profile) -> None:
    warehouse = tmp_path / "w.duckdb"
    result = go(write_reviews(tmp_path / "r.csv", 4), warehouse, fake_profile, until="emotions")
    (row,) = open_read_only(warehouse).query("SELECT * FROM runs")
    assert (row["run_id"], row["status"], row["profile"]) == (result.run_id, "done", "fake")
    assert row["finished_at"] >= row["started_at"] and "torch" in row["environment"]
    assert list(result.seconds) == ["ingest", "read", "sentiment", "emotions"]


TAXONOMY = """
[[aspect]]
id = "t1"
label = "Behaviour at the table"
steps = ["Greet everybody.", "Listen first.", "Say thank you."]
terms.en = ["rude", "waiter"]

[[aspect]]
id = "general"
label = "Overall"
steps = ["Read it.", "Discuss it.", "Reply to it."]
"""


def test_the_labels_of_ones_own_taxonomy_reach_the_report(tmp_path: Path, fake_profile: Profile) -> None:
    taxonomy, warehouse = tmp_path / "mine.toml", tmp_path / "w.duckdb"
    taxonomy.write_text(TAXONOMY)
    mine = dataclasses.replace(fake_profile, themes=dataclasses.replace(fake_profile.themes, taxonomy=str(taxonomy)))
    reviews = write_reviews(tmp_path / "r.csv", 6)
    go(reviews, warehouse, mine)
    assert labels(warehouse) == {"t1": "Behaviour at the table", "general": "Overall"}
    with contextlib.closing(open_read_only(warehouse)) as opened:
        folder = build.write(opened, tmp_path / "out").folder
    for name in ("report.html", "report.md", "insights.csv"):  # in the CSV: within reply drafts
        assert "ehaviour at the table" in (folder / name).read_text(), name

    taxonomy.write_text(TAXONOMY.replace("Behaviour at the table", "Manners"))
    assert go(reviews, warehouse, mine).rows_written == 0, "a label is no reason to find themes anew"
    assert labels(warehouse)["t1"] == "Manners"
    go(reviews, warehouse, fake_profile, until="sentiment")
    assert labels(warehouse)["t1"] == "Manners", "the themes in the warehouse are still those of that taxonomy"
    go(reviews, warehouse, fake_profile)
    assert "t1" not in labels(warehouse) and labels(warehouse)["waiting_time"] == "Waiting time"


def labels(warehouse: Path) -> dict[str, str]:
    with contextlib.closing(open_read_only(warehouse)) as opened:
        return {row["theme"]: row["label"] for row in opened.query("SELECT theme, label FROM taxonomy")}


def test_what_is_taken_off_where_languages_are_compared_recomputes_nothing(
    tmp_path: Path, fake_profile: Profile
) -> None:
    reviews, warehouse = write_reviews(tmp_path / "r.csv", 6), tmp_path / "w.duckdb"
    even = {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]}
    english = {"n": 90, "temperature": 1.0, "bias": [0.1, 0.0, -0.1], "shift": 0.05, "low": 0.03, "high": 0.07}
    calibration.save({"classes": list(SENTIMENTS), "languages": {"*": even, "en": english}}, tmp_path / "c.json")
    go(reviews, warehouse, fake_profile)
    section = dataclasses.replace(fake_profile.sentiment, language_shift=str(tmp_path / "c.json"))
    again = go(reviews, warehouse, dataclasses.replace(fake_profile, sentiment=section))
    assert again.rows_written == 0
    opened = open_read_only(warehouse)
    assert [row["shift"] for row in opened.query("FROM language_shift")] == [0.05]
    opened.close()
    section = dataclasses.replace(section, language_shift=str(tmp_path / "gone.json"))
    with pytest.raises(InputError, match="no calibration at"):
        go(reviews, tmp_path / "new.duckdb", dataclasses.replace(fake_profile, sentiment=section))
    assert not list(tmp_path.glob("new*")), "found out before anything is written"


def test_until_stops_there_and_still_publishes(tmp_path: Path, fake_profile: Profile) -> None:
    warehouse = tmp_path / "w.duckdb"
    go(write_reviews(tmp_path / "r.csv", 4), warehouse, fake_profile, until="ingest")
    opened = open_read_only(warehouse)
    assert opened.value("SELECT count(*) FROM insights") == 4
    assert opened.value("SELECT count(*) FROM sentiment") == 0


def test_bad_input_leaves_nothing_behind(tmp_path: Path, fake_profile: Profile) -> None:
    warehouse = tmp_path / "w.duckdb"
    empty, untitled = tmp_path / "empty.csv", tmp_path / "untitled.csv"
    empty.write_text("")
    untitled.write_text("a,b\n1,2\n")
    for reviews in (tmp_path / "missing.csv", empty, untitled):
        with pytest.raises(InputError) as caught:
            go(reviews, warehouse, fake_profile)
        assert reviews.name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(InputError, match="Stages, in order"):
        go(write_reviews(tmp_path / "r.csv", 1), warehouse, fake_profile, until="nonsense")
    assert not [file for file in tmp_path.iterdir() if file.name.startswith("w.duckdb")]


@pytest.mark.slow
def test_a_server_that_is_down_keeps_its_rows_pending(tmp_path: Path, fake_profile: Profile) -> None:
    down = dataclasses.replace(
        fake_profile,
        feedback=dataclasses.replace(
            fake_profile.feedback, backend="openai", base_url="http://127.0.0.1:9/v1", timeout=1.0
        ),
    )
    reviews, warehouse = write_reviews(tmp_path / "r.csv", 8), tmp_path / "w.duckdb"
    with pytest.raises(BackendDown):
        go(reviews, warehouse, down)
    assert not warehouse.exists(), "half a run is not published"
    result = go(reviews, warehouse, fake_profile)
    assert result.ingested[0].added == 0, "what was done before the server failed is kept"
    assert {stage.name: stage.written for stage in result.stages}["feedback"] == 4
    statuses = open_read_only(warehouse).query("SELECT status FROM runs ORDER BY started_at")
    assert [row["status"] for row in statuses] == ["failed", "done"]


def test_a_failed_audit_publishes_nothing(
    tmp_path: Path, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews, warehouse = write_reviews(tmp_path / "r.csv", 4), tmp_path / "w.duckdb"
    go(reviews, warehouse, fake_profile)
    before = warehouse.read_bytes()

    def broken(opened: Warehouse) -> None:
        raise AuditFailed("planted")

    monkeypatch.setattr("pipeline.run.audit", broken)
    write_reviews(reviews, 6)
    with pytest.raises(AuditFailed):
        go(reviews, warehouse, fake_profile)
    assert warehouse.read_bytes() == before


def test_what_was_hidden_from_a_model_is_counted_and_said(tmp_path: Path, fake_profile: Profile) -> None:
    def respond(asked: Any) -> tuple[int, Any]:
        bodies.append(json.dumps(asked))
        message = {"role": "assistant", "content": "1. Write to [e-mail] today."}
        return 200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}

    bodies: list[str] = []
    reviews, warehouse = tmp_path / "r.csv", tmp_path / "w.duckdb"
    reviews.write_text(
        "text,stars\nBad soup and Dr. Meyer was rude. Write to eva@example.com.,1\nBad bread for tom@example.com.,1\n"
    )
    with answering(respond) as url:
        asked = dataclasses.replace(fake_profile.feedback, backend="openai", base_url=f"{url}/v1", mask="always")
        result = go(reviews, warehouse, dataclasses.replace(fake_profile, feedback=asked), until="feedback")
    assert result.masked == {"e-mail": 2, "name": 1} and len(bodies) == 2
    assert not any(value in body for body in bodies for value in ("Meyer", "eva@", "tom@"))
    opened = open_read_only(warehouse)
    rows = opened.query(queries.load("masked").sql)
    assert [(row["purpose"], row["kind"], row["n"]) for row in rows] == [
        ("feedback", "e-mail", 2),
        ("feedback", "name", 1),
    ]
    suggestions = opened.query("SELECT suggestions FROM feedback ORDER BY ALL")
    assert [row["suggestions"] for row in suggestions] == [
        ["Write to eva@example.com today."],
        ["Write to tom@example.com today."],
    ]
    told = dict(digest.facts(result, gather(opened), None)["table"])
    assert told["masked"] == "e-mail 2, name 1: hidden from the models that were asked"


def test_failed_rows_stay_until_they_are_retried(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = tmp_path / "r.csv", tmp_path / "w.duckdb"
    reviews.write_text("text,stars\nBad soup.,1\nBad [no answer] soup.,1\n")
    assert {stage.name: stage.failed for stage in go(reviews, warehouse, fake_profile).stages}["feedback"] == 1
    assert go(reviews, warehouse, fake_profile).rows_written == 0
    again = go(reviews, warehouse, fake_profile, retry_failed=True)
    assert {stage.name: stage.written for stage in again.stages}["feedback"] == 1


def test_two_writers_are_one_too_many(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, warehouse = write_reviews(tmp_path / "r.csv", 4), tmp_path / "w.duckdb"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, time; c = duckdb.connect({str(work_path(warehouse))!r}); print('open', flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
        with pytest.raises(InputError, match=rf"open in python\S* \(process {holder.pid}\)\. Close it there"):
            go(reviews, warehouse, fake_profile)
    finally:
        holder.kill()
        holder.wait()
        assert holder.stdout is not None
        holder.stdout.close()


SLOW = """
import sys, time
from pathlib import Path
from pipeline.backends import fake
from pipeline.core.profile import load
from pipeline.ingest.load import IngestOptions
from pipeline.run import run
write = fake.FakeGenerator.write
def slowly(self, requests):
    time.sleep(0.3)
    return write(self, requests)
fake.FakeGenerator.write = slowly
run([sys.argv[1]], Path(sys.argv[2]), load(sys.argv[3]), IngestOptions(), until="feedback",
    progress=lambda name, done, total: print(name, done, flush=True))
"""


@pytest.mark.slow
def test_kill_9_in_the_middle_then_again_is_the_same_as_never_killed(tmp_path: Path, fake_profile: Profile) -> None:
    reviews, killed, whole = write_reviews(tmp_path / "r.csv", 300), tmp_path / "k.duckdb", tmp_path / "w.duckdb"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(reviews), str(killed), str(tmp_path / "fake.toml")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "feedback 64":
            break
    else:
        pytest.fail("the run ended before it could be killed")
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not killed.exists()
    resumed = go(reviews, killed, fake_profile)
    go(reviews, whole, fake_profile)
    assert resumed.ingested[0].added == 0
    assert tables(killed) == tables(whole)
    statuses = open_read_only(killed).query("SELECT status FROM runs ORDER BY started_at")
    assert [row["status"] for row in statuses] == ["interrupted", "done"]


@pytest.fixture
def batches_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = [dataclasses.replace(stage, batch_size=min(stage.batch_size, 3)) for stage in STAGES]
    monkeypatch.setattr("pipeline.run.STAGES", tuple(smaller))


@pytest.mark.slow
def test_equal_runs_are_equal_bytes(tmp_path: Path, batches_of_three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped reader: the same reviews in another order of files and in other batches give the same tables."""
    one, other = tmp_path / "one.duckdb", tmp_path / "other.duckdb"
    files = [write_reviews(tmp_path / "a.csv", 8), write_reviews(tmp_path / "b.csv", 5, start=20)]
    profile = load("embedded")
    run([str(file) for file in files], one, profile, OPTIONS, until="feedback")
    monkeypatch.setattr("pipeline.run.STAGES", STAGES)
    run([str(file) for file in files[::-1]], other, profile, OPTIONS, until="feedback")
    place = ["store.reviews.place"]  # the order in which reviews were read
    assert canonical.export(one, without=place) == canonical.export(other, without=place)
