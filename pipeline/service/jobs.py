"""A whole file: kept on disk, read as `ingest` reads it, analysed behind whoever asks for a single review.

A job is a folder, named by us, with job.json, the upload, and one line of results.jsonl per record of the file. What a
stopped service leaves behind, the next one finishes. Results go when their time is over.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException

from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.stage import Row
from pipeline.core.warehouse import open_memory
from pipeline.ingest.load import IngestOptions, ingest
from pipeline.report.export import neutralise
from pipeline.service.engine import Engine
from pipeline.service.limits import log
from pipeline.service.problems import dumped
from pipeline.service.schema import Job
from pipeline.service.settings import Settings

KINDS = ("csv", "tsv", "txt", "json", "jsonl", "ndjson")  # nothing that is compressed: a small file stays small
COLUMNS = (
    *("source_row", "status", "reason", "review_id", "business", "product", "reviewed_at", "language", "stars", "text"),
    *("sentiment", "sentiment_score", "emotions", "themes", "evidence", "feedback", "suggestions", "reply"),
)
_CHUNK = 32
_REVIEW = ("review_id", "text", "stars", "language", "reviewed_at", "business", "product")
_NAME = re.compile(r"[0-9a-f]{32}")


class Jobs:
    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings, self.engine, self.folder = settings, engine, settings.jobs
        self._jobs: dict[str, Job] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # --- What the routes ask for ---

    def get(self, job_id: str) -> Job:
        """Raises 404."""
        if job_id not in self._jobs:
            raise HTTPException(404, "There is no such job; results are kept for a limited time.")
        return self._jobs[job_id]

    def count(self, state: str) -> int:
        return sum(job.state == state for job in self._jobs.values())

    async def create(self, pieces: AsyncIterator[bytes], name: str, mapping: dict[str, str]) -> Job:
        """Takes in a file piece by piece. Of the client's name only a known ending is used."""
        if self.count("queued") >= self.settings.max_jobs:
            raise HTTPException(429, "Too many files are waiting. Try again later.", {"Retry-After": "60"})
        job = Job(job_id=uuid.uuid4().hex, state="queued", created_at=datetime.now(UTC))
        kind = name.lower().rpartition(".")[2]
        folder = self._at(job)
        folder.mkdir(parents=True, mode=0o700)
        try:
            with (folder / f"upload.{kind if kind in KINDS else 'csv'}").open("wb") as file:
                async for piece in pieces:
                    file.write(piece)
            (folder / "mapping.json").write_text(json.dumps(mapping))
            self._save(job)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._queue.put_nowait(job.job_id)
        return job

    def remove(self, job_id: str) -> None:
        """Forgets a job and deletes its files; a running one stops at its next chunk."""
        job = self.get(job_id)
        del self._jobs[job_id]
        shutil.rmtree(self._at(job), ignore_errors=True)

    def results(self, job_id: str) -> Iterator[Row]:
        """One row per record of the file. Raises 409 where the job is not done."""
        job = self.get(job_id)
        if job.state != "done":
            raise HTTPException(409, f"The job is {job.state}; ask for its results when it is done.")
        lines = (self._at(job) / "results.jsonl").open(encoding="utf-8")
        return _parsed(lines)

    # --- Work ---

    def start(self) -> None:
        for file in sorted(self.folder.glob("*/job.json")):
            if _NAME.fullmatch(file.parent.name):
                self._pick_up(file)
        for job in sorted(self._jobs.values(), key=lambda job: job.created_at):
            if job.state in ("queued", "running"):
                self._queue.put_nowait(job.job_id)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def _pick_up(self, file: Path) -> None:
        try:
            self._jobs[file.parent.name] = Job.model_validate_json(file.read_text())
        except (ValidationError, OSError):
            shutil.rmtree(file.parent, ignore_errors=True)

    async def close(self) -> None:
        """Stops after the chunk at hand; the next service goes on from there."""
        self._stopping.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        stopped = asyncio.ensure_future(self._stopping.wait())
        while not self._stopping.is_set():
            self._sweep()
            waiting = asyncio.ensure_future(self._queue.get())
            await asyncio.wait({waiting, stopped}, timeout=600, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                continue
            job = self._jobs.get(waiting.result())
            if job is not None:
                await self._work(job)
        stopped.cancel()

    def _sweep(self) -> None:
        oldest = datetime.now(UTC) - timedelta(seconds=self.settings.keep)
        for job in list(self._jobs.values()):
            if job.finished_at and job.finished_at < oldest:
                self.remove(job.job_id)

    async def _work(self, job: Job) -> None:
        try:
            await self._analyse(job)
        except InputError as error:
            self._finish(job, "failed", str(error))
        except Exception as error:  # one file must not end the service; its text must not reach the log
            log.error("job %s failed: %s", job.job_id, type(error).__name__)
            self._finish(job, "failed", "Something went wrong here. Try again, or split the file.")

    async def _analyse(self, job: Job) -> None:
        folder = self._at(job)
        job.state = "running"
        self._save(job)
        records = await asyncio.to_thread(self._read, job)
        results = folder / "results.jsonl"
        job.done = _whole_lines(results)
        for start in range(job.done, len(records), _CHUNK):
            if job.job_id not in self._jobs or self._stopping.is_set():
                return  # removed, or to be continued
            chunk = records[start : start + _CHUNK]
            found = iter(await self.engine.of_file([record["review"] for record in chunk if record["review"]]))
            lines = []
            for record in chunk:
                entry = {name: record[name] for name in ("source_row", "status", "reason")}
                if record["review"]:
                    entry |= next(found)
                lines.append(dumped(entry) + "\n")
            if job.job_id in self._jobs:
                with results.open("a", encoding="utf-8") as file:
                    file.writelines(lines)
                job.done += len(chunk)
        if job.job_id in self._jobs:
            self._finish(job, "done")

    def _read(self, job: Job) -> list[Row]:
        """Every record of the upload in its order: source_row, status, reason, and the review where it is one."""
        folder = self._at(job)
        (upload,) = folder.glob("upload.*")
        mapping = json.loads((folder / "mapping.json").read_text())
        most = self.settings.max_rows
        warehouse = open_memory()
        try:
            (done,) = ingest(warehouse, [str(upload)], IngestOptions(mapping=mapping, limit=most + 1), "service", now())
            if done.rows > most:
                raise InputError(f"The file has more than {most} rows. Split it, or use: review-insights run")
            reviews = warehouse.query("SELECT * FROM reviews")
            rejects = warehouse.query("SELECT source_row, reason FROM rejects")
        except InputError as error:
            raise InputError(str(error).replace(str(upload), "The file")) from None
        finally:
            warehouse.close()
        records = [
            {
                "source_row": row["source_row"],
                "status": "analyzed",
                "reason": None,
                "review": {name: row[name] for name in _REVIEW},
            }
            for row in reviews
        ]
        records += [
            {**row, "status": "duplicate" if row["reason"] == "duplicate" else "rejected", "review": None}
            for row in rejects
        ]
        for record in records:
            if record["review"] and len(record["review"]["text"]) > self.settings.max_text:
                reason = f"longer than {self.settings.max_text} characters"
                record |= {"status": "rejected", "reason": reason, "review": None}
        job.rows, job.columns = len(records), done.columns
        for name, status in (("analyzed", "analyzed"), ("rejected", "rejected"), ("duplicates", "duplicate")):
            setattr(job, name, sum(record["status"] == status for record in records))
        return sorted(records, key=lambda record: record["source_row"])

    # --- Files ---

    def _at(self, job: Job) -> Path:
        return self.folder / job.job_id

    def _save(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        scratch = self._at(job) / "job.json.tmp"
        scratch.write_text(job.model_dump_json())
        os.replace(scratch, self._at(job) / "job.json")

    def _finish(self, job: Job, state: Any, detail: str | None = None) -> None:
        if job.job_id not in self._jobs:
            return
        job.state, job.detail, job.finished_at = state, detail, datetime.now(UTC)
        for upload in self._at(job).glob("upload.*"):
            upload.unlink()
        self._save(job)


def _whole_lines(path: Path) -> int:
    """Lines of a file, after cutting off a last one that was not finished."""
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        file.truncate(end)
    return content.count(b"\n")


def _parsed(lines: io.TextIOWrapper) -> Iterator[Row]:
    with lines:
        for line in lines:
            yield json.loads(line)


def as_json(rows: Iterator[Row]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + dumped(row)
    yield "\n]\n"


def as_csv(rows: Iterator[Row]) -> Iterator[str]:
    """With a byte order mark for spreadsheets, and no cell that they would run as a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    yield "\ufeff" + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([neutralise(cell) for cell in map(_flat(row).get, COLUMNS)])
        yield buffer.getvalue()


def _flat(row: Row) -> Row:
    if row["status"] != "analyzed":
        return row
    sentiment, feedback = row["sentiment"], row["feedback"] or {}
    score = None if sentiment["positive"] is None else sentiment["positive"] - sentiment["negative"]
    return row | {
        "sentiment": sentiment["label"],
        "sentiment_score": score,
        "emotions": "; ".join(row["emotions"]["labels"]),
        "themes": "; ".join(theme["theme"] for theme in row["themes"]),
        "evidence": "; ".join(theme["evidence"] for theme in row["themes"] if theme["sentiment"] == "negative"),
        "feedback": feedback.get("text"),
        "suggestions": "; ".join(feedback.get("suggestions") or []),
    }
