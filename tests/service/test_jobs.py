from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from pipeline.ingest import places
from pipeline.ingest.load import Ingested
from pipeline.service import jobs as jobs_module
from pipeline.service.app import create_app
from pipeline.service.records import pieces
from pipeline.service.schema import Job
from pipeline.service.settings import Settings
from tests.conftest import FIXTURES
from tests.service.bad_parsers import dying, failing, hanging
from tests.service.conftest import Start


def finished(client: TestClient, job_id: str) -> dict:
    for _ in range(6000):
        job: dict = client.get(f"/analyze/batch/{job_id}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.02)
    raise AssertionError(f"still {job['state']}")


def send(client: TestClient, name: str, content: bytes, **data: object) -> dict:
    answer = client.post("/analyze/batch", files={"file": (name, content)}, data=data)
    assert answer.status_code == 202, answer.text
    return finished(client, answer.json()["job_id"])


@pytest.mark.slow
def test_the_rows_of_a_messy_file_add_up(client: TestClient) -> None:
    content = (FIXTURES / "messy.csv").read_bytes()
    job = send(client, "messy.csv", content)
    assert job["state"] == "done", job["detail"]
    expected = json.loads((FIXTURES / "messy.expected.json").read_text())
    assert job["rows"] == job["done"] == job["analyzed"] + job["rejected"] + job["duplicates"]
    rows = client.get(f"/analyze/batch/{job['job_id']}/results").json()
    assert [row["source_row"] for row in rows] == list(range(1, job["rows"] + 1)), "one result per record, in order"
    assert sum(row["status"] == "analyzed" for row in rows) == job["analyzed"] > 0 and job["rejected"] > 0
    assert expected
    table = client.get(f"/analyze/batch/{job['job_id']}/results?format=csv")
    assert table.headers["content-disposition"] == 'attachment; filename="review-insights.csv"'
    read = list(csv.DictReader(io.StringIO(table.text.lstrip("\ufeff"))))
    assert [int(row["source_row"]) for row in read] == [row["source_row"] for row in rows]


def test_a_result_is_an_analysis_and_nothing_of_this_machine(
    client: TestClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    job = send(client, "r.jsonl", b'{"text": "Bad soup, we waited.", "stars": 1}\n{"text": "Lovely.", "stars": 5}\n')
    bad, good = client.get(f"/analyze/batch/{job['job_id']}/results").json()
    assert bad["feedback"]["suggestions"] and bad["themes"][0]["evidence"] in bad["text"] and good["feedback"] is None
    assert str(tmp_path_factory.getbasetemp()) not in json.dumps([bad, good, job])


def test_a_request_cannot_name_a_source(client: TestClient) -> None:
    """The service reads the bytes that it was sent, whatever they are called and whatever they say."""
    for address in ("https://127.0.0.1/r.csv", "s3://bucket/r.csv", "sqlite:////etc/r.db?table=csv"):
        job = send(client, address, f"text\nBad soup at {address}\n".encode(), column="text=text")
        assert (job["state"], job["rows"]) == ("done", 1)


def test_an_upload_is_read_from_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(places, "fetch", lambda address, folder: asked.append(address))
    monkeypatch.setattr(places, "expand", lambda address: asked.append(address))
    (tmp_path / "upload.csv").write_text("text\nBad soup at https://127.0.0.1/r.csv\n")
    source, records = pieces(tmp_path / "upload.csv", {"text": "text"}, 10, 1000)
    assert isinstance(source, Ingested) and source.rows == len(records) == 1 and asked == []  # type: ignore[arg-type]


def job_read_by(read: object, start: Start, **changes: object) -> tuple[TestClient, str]:
    client = start(**changes)
    client.app.state.parts.jobs.read = read  # type: ignore[attr-defined]
    answer = client.post("/analyze/batch", files={"file": ("r.csv", b"text\nBad soup.\n")})
    return client, answer.json()["job_id"]


@pytest.mark.slow
def test_while_a_file_hangs_everything_else_is_answered_and_it_has_an_end(start: Start) -> None:
    client, job_id = job_read_by(hanging, start, read_timeout=3.0)
    answered = 0
    while (job := client.get(f"/analyze/batch/{job_id}").json())["state"] != "failed":
        assert client.get("/healthz").status_code == 200
        answered += 1
        time.sleep(0.01)
    assert answered > 3 and job["detail"].startswith("Reading the file took longer than 3 seconds.")
    jobs = client.app.state.parts.jobs  # type: ignore[attr-defined]
    jobs.read, jobs.settings = pieces, replace(jobs.settings, read_timeout=120.0)
    assert send(client, "r.csv", b"text\nBad soup.\n")["state"] == "done", "the next one"


def test_a_file_that_hangs_holds_up_neither_its_removal_nor_the_end(start: Start) -> None:
    client, job_id = job_read_by(hanging, start)
    assert client.delete(f"/analyze/batch/{job_id}").status_code == 204
    client.app.state.parts.jobs.read = pieces  # type: ignore[attr-defined]
    assert send(client, "r.csv", b"text\nBad soup.\n")["state"] == "done"
    client.app.state.parts.jobs.read = hanging  # type: ignore[attr-defined]
    client.post("/analyze/batch", files={"file": ("r.csv", b"text\nBad soup.\n")})  # and the fixture ends the service


def test_a_service_that_is_stopped_while_it_reads_a_file_reads_it_again(start: Start, settings: Settings) -> None:
    """A signal to all its processes, as systemd sends it, must not look like a file that cannot be read."""
    client, job_id = job_read_by(hanging, start)
    while not (settings.jobs / job_id / "hangs").exists():
        time.sleep(0.01)
    (process,) = multiprocessing.active_children()
    assert process.pid
    os.kill(process.pid, signal.SIGTERM)
    client.__exit__(None, None, None)
    assert json.loads((settings.jobs / job_id / "job.json").read_text())["state"] == "running"
    assert finished(start(), job_id)["state"] == "done"


@pytest.mark.parametrize(("read", "logged"), [(dying, "its process ended"), (failing, "LookupError")])
def test_a_parser_that_crashes_is_that_file_s_end_only(
    read: object, logged: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    client, job_id = job_read_by(read, start)
    job = finished(client, job_id)
    assert job["state"] == "failed" and "Try again" in job["detail"]
    assert logged in caplog.text and "customer" not in caplog.text


def test_cells_cannot_run_as_formulas(client: TestClient) -> None:
    job = send(client, "r.csv", b'text,stars\n"=HYPERLINK(""x"") bad soup",1\n')
    (row,) = csv.DictReader(io.StringIO(client.get(f"/analyze/batch/{job['job_id']}/results?format=csv").text[1:]))
    assert row["text"].startswith("'=")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("r.csv", b"number,date\n1,2020-01-01\n", "no column with a usual name"),
        ("r.json", b"{", "not valid JSON"),
        ("r.csv", b"", "empty"),
        ("../../etc/passwd", b"number\n1\n", "no column"),
        ("r.csv.gz", b"\x1f\x8b\x08\x00", "compressed"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    client: TestClient, tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes, says: str
) -> None:
    job = send(client, name, content)
    root = tmp_path_factory.getbasetemp()
    assert job["state"] == "failed" and says in job["detail"] and str(root) not in job["detail"]
    assert client.get(f"/analyze/batch/{job['job_id']}/results").status_code == 409
    (folder,) = root.rglob(job["job_id"])
    assert {path.name for path in folder.iterdir()} == {"job.json", "mapping.json"}, "the upload is gone"


def test_columns_can_be_named(client: TestClient) -> None:
    job = send(client, "r.csv", b"what,how\nBad soup and a long wait.,1\n", column=["text=what", "stars=how"])
    assert job["analyzed"] == 1 and job["columns"]["text"] == "what"
    answer = client.post("/analyze/batch", files={"file": ("r.csv", b"a\n")}, data={"column": "text"})
    assert answer.status_code == 422


def test_stars_without_words_are_not_analyzed(client: TestClient) -> None:
    job = send(client, "r.csv", "text,stars\nBad soup and a long wait.,1\n👍,5\n,4\n,\n".encode())
    assert (job["rows"], job["analyzed"], job["rejected"]) == (4, 1, 3)
    rows = client.get(f"/analyze/batch/{job['job_id']}/results").json()
    assert [row["reason"] for row in rows] == [None, "stars without words", "stars without words", "empty text"]


def test_the_job_says_how_the_file_was_read(client: TestClient) -> None:
    job = send(client, "r.csv", b"text,stars\nBad soup.,1\nLovely.,5\nFine.,4\nMeh.,3\nOdd.,x!\n")
    stars = {field["name"]: field for field in job["fields"]}["stars"]
    assert (stars["column"], stars["filled"], stars["understood"]) == ("stars", 5, 4)
    assert job["notes"] == ["stars: 1 of 5 values of stars are not understood, such as 'x!'"]


def test_rows_and_lengths_have_an_end(start: Start) -> None:
    client = start(max_rows=2, max_text=50)
    assert "more than 2 rows" in send(client, "r.csv", b"text\nOne is fine.\nTwo is fine.\nThree is not.\n")["detail"]
    job = send(client, "r.csv", b"text\nBad soup.\n" + b"Far too long. " * 10 + b"\n")
    assert (job["analyzed"], job["rejected"]) == (1, 1)


def test_only_so_many_files_may_wait(start: Start) -> None:
    answer = start(max_jobs=0).post("/analyze/batch", files={"file": ("r.csv", b"text\nFine.\n")})
    assert answer.status_code == 429 and answer.headers["retry-after"]


def test_a_job_can_be_forgotten(fresh: TestClient, settings: Settings) -> None:
    job = send(fresh, "r.csv", b"text\nBad soup.\n")
    assert fresh.delete(f"/analyze/batch/{job['job_id']}").status_code == 204
    assert fresh.get(f"/analyze/batch/{job['job_id']}").status_code == 404
    assert not list(settings.jobs.iterdir())


@pytest.mark.slow
def test_what_a_killed_service_left_is_finished_by_the_next(settings: Settings) -> None:
    content = b"text\n" + b"".join(b"Bad soup number %d.\n" % number for number in range(40))
    with TestClient(create_app(settings)) as client:
        done = send(client, "r.csv", content)
        expected = client.get(f"/analyze/batch/{done['job_id']}/results").json()
    folder = settings.jobs / done["job_id"]
    lines = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    (folder / "results.jsonl").write_text("".join(lines[:32]) + lines[32][:20])  # killed in the middle of a line
    (folder / "upload.csv").write_bytes(content)
    state = json.loads((folder / "job.json").read_text()) | {"state": "running", "finished_at": None, "done": 32}
    (folder / "job.json").write_text(json.dumps(state))
    with TestClient(create_app(settings)) as client:
        job = finished(client, done["job_id"])
        assert job["state"] == "done" and job["done"] == 40
        assert client.get(f"/analyze/batch/{done['job_id']}/results").json() == expected


@pytest.mark.slow
def test_every_process_answers_for_a_job_and_one_works_on_it(start: Start, settings: Settings) -> None:
    here, job_id = job_read_by(hanging, start)
    while not (settings.jobs / job_id / "hangs").exists():
        time.sleep(0.01)
    other = start()  # it looks for unfinished jobs as it starts
    assert other.get(f"/analyze/batch/{job_id}").json()["state"] == "running"
    assert other.get(f"/analyze/batch/{job_id}/results").status_code == 409
    assert send(other, "r.csv", b"text\nBad soup.\n")["state"] == "done", "it did not wait for the other one"
    assert other.delete(f"/analyze/batch/{job_id}").status_code == 204
    assert here.get(f"/analyze/batch/{job_id}").status_code == 404
    here.app.state.parts.jobs.read = pieces  # type: ignore[attr-defined]
    job = send(here, "r.csv", b"text\nBad soup.\n")
    assert job["state"] == "done", "it works on the next one"
    (row,) = other.get(f"/analyze/batch/{job['job_id']}/results").json()
    assert row["text"] == "Bad soup." and not (settings.jobs / job["job_id"] / "lock").exists()
    assert not (settings.jobs / job_id).exists()


def test_what_another_process_left_is_finished_without_a_restart(
    start: Start, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "_LOOK", 0.05)
    client, folder = start(), settings.jobs / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "upload.csv").write_bytes(b"text\nBad soup.\n")
    (folder / "mapping.json").write_text("{}")
    left = Job(job_id="a" * 32, state="running", created_at=datetime.now(UTC))
    (folder / "job.json").write_text(left.model_dump_json())
    assert finished(client, left.job_id)["state"] == "done"


def test_results_go_when_their_time_is_over(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        job = send(client, "r.csv", b"text\nBad soup.\n")
    with TestClient(create_app(replace(settings, keep=0.0))) as client:
        for _ in range(100):
            if client.get(f"/analyze/batch/{job['job_id']}").status_code == 404:
                break
            time.sleep(0.02)
        assert not list(settings.jobs.iterdir())


def test_an_upload_that_was_cut_off_with_its_service_is_removed(settings: Settings, start: Start) -> None:
    old, receiving, foreign = (settings.jobs / name for name in ("a" * 32, "b" * 32, "notes"))
    for folder in (old, receiving, foreign):
        folder.mkdir(parents=True)
        (folder / "upload.csv").write_text("half")
    for folder in (old, foreign):
        os.utime(folder, (0, 0))
    start()
    assert sorted(folder.name for folder in settings.jobs.iterdir()) == [receiving.name, foreign.name]
