"""Analyses whole files: stored on disk, read as in `ingest`, and processed with lower priority than single reviews.

A job is a folder with a random name that holds job.json, the upload, and results.jsonl with one line per record of the
file. Unfinished jobs are resumed when the service restarts; results are deleted after `Settings.keep` seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import shutil
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError
from starlette.exceptions import HTTPException

from pipeline.core.errors import InputError
from pipeline.core.stage import Row
from pipeline.ingest.load import Ingested
from pipeline.service.apart import Broken, Stopped, apart
from pipeline.service.engine import Engine
from pipeline.service.problems import dumped
from pipeline.service.records import Record, pieces, read_results, result
from pipeline.service.schema import FieldReading, Job, State
from pipeline.service.settings import Settings

log = logging.getLogger(__name__)

KINDS = ("csv", "tsv", "txt", "json", "jsonl", "ndjson")  # nothing compressed: a small file must stay small
_CHUNK = 32  # records between two checks whether to stop
_NAME = re.compile(r"[0-9a-f]{32}")


class Jobs:
    """The jobs of one service. One runs at a time, in the order in which they were created. `read` is like
    `records.pieces`; it runs in a process of its own.
    """

    def __init__(
        self, settings: Settings, engine: Engine, read: Callable[..., Iterator[Ingested | list[Record]]] = pieces
    ) -> None:
        self.settings, self.engine, self.folder, self.read = settings, engine, settings.jobs, read
        self._jobs: dict[str, Job] = {}
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def get(self, job_id: str) -> Job:
        """A job by its id. Raises HTTPException 404."""
        if job_id not in self._jobs:
            raise HTTPException(404, "There is no such job; results are kept for a limited time.")
        return self._jobs[job_id]

    def count(self, state: str) -> int:
        """How many jobs are in a state."""
        return sum(job.state == state for job in self._jobs.values())

    async def create(self, pieces: AsyncIterator[bytes], name: str, mapping: dict[str, str]) -> Job:
        """Stores a file piece by piece and queues it. Of the client's file `name` only a known ending is used.

        `mapping`: field -> column. Raises HTTPException 429 if too many files are waiting.
        """
        if self.count("queued") >= self.settings.max_jobs:
            raise HTTPException(429, "Too many files are waiting. Try again later.", {"Retry-After": "60"})
        job = Job(job_id=uuid.uuid4().hex, state="queued", created_at=datetime.now(UTC))
        kind = name.lower().rpartition(".")[2]
        folder = self._folder(job)
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
        """Deletes a job and its files; a running one stops at its next chunk. Raises HTTPException 404."""
        job = self.get(job_id)
        del self._jobs[job_id]
        shutil.rmtree(self._folder(job), ignore_errors=True)

    def results(self, job_id: str) -> Iterator[Row]:
        """One row per record of the file. Raises HTTPException: 404, or 409 if the job is not done."""
        job = self.get(job_id)
        if job.state != "done":
            raise HTTPException(409, f"The job is {job.state}; ask for its results when it is done.")
        return read_results(self._folder(job) / "results.jsonl")

    def start(self) -> None:
        """Resumes what an earlier service left unfinished, and begins to work on the queue."""
        for file in sorted(self.folder.glob("*/job.json")):
            if _NAME.fullmatch(file.parent.name):
                self._load(file)
        cutoff = time.time() - self.settings.keep  # another service may be receiving one
        for folder in self.folder.glob("*"):  # uploads that were cut off with their service
            if _NAME.fullmatch(folder.name) and folder.name not in self._jobs and folder.stat().st_mtime < cutoff:
                shutil.rmtree(folder, ignore_errors=True)
        for job in sorted(self._jobs.values(), key=lambda job: job.created_at):
            if job.state in ("queued", "running"):
                self._queue.put_nowait(job.job_id)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def _load(self, file: Path) -> None:
        try:
            self._jobs[file.parent.name] = Job.model_validate_json(file.read_text())
        except (ValidationError, OSError):
            shutil.rmtree(file.parent, ignore_errors=True)

    async def close(self) -> None:
        """Stops after the current chunk; the next service resumes from there."""
        self._stopping.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        stopped = asyncio.ensure_future(self._stopping.wait())
        while not self._stopping.is_set():
            self._remove_expired()
            waiting = asyncio.ensure_future(self._queue.get())
            await asyncio.wait({waiting, stopped}, timeout=600, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                continue
            job = self._jobs.get(waiting.result())
            if job is not None:
                await self._work(job)
        stopped.cancel()

    def _remove_expired(self) -> None:
        cutoff = datetime.now(UTC) - timedelta(seconds=self.settings.keep)
        for job in list(self._jobs.values()):
            if job.finished_at and job.finished_at < cutoff:
                self.remove(job.job_id)

    async def _work(self, job: Job) -> None:
        try:
            await self._analyze(job)
        except InputError as error:
            self._finish(job, "failed", str(error))
        except TimeoutError:
            detail = f"Reading the file took longer than {self.settings.read_timeout:.0f} seconds. Split it, or use: review-insights run"
            self._finish(job, "failed", detail)
        except Stopped:  # removed, or to be resumed later
            return
        except Exception as error:  # one file must not stop the service, and its text must not reach the log
            log.error("job %s failed: %s", job.job_id, error if isinstance(error, Broken) else type(error).__name__)
            self._finish(job, "failed", "Something went wrong here. Try again, or split the file.")

    async def _analyze(self, job: Job) -> None:
        job.state = "running"
        self._save(job)
        records = await asyncio.to_thread(self._read, job)
        results = self._folder(job) / "results.jsonl"
        job.done = _whole_lines(results)
        for start in range(job.done, len(records), _CHUNK):
            if job.job_id not in self._jobs or self._stopping.is_set():
                return  # removed, or to be resumed later
            chunk = records[start : start + _CHUNK]
            rows = await self._results(chunk)
            if job.job_id in self._jobs:
                with results.open("a", encoding="utf-8") as file:
                    file.writelines(dumped(row) + "\n" for row in rows)
                job.done += len(chunk)
        if job.job_id in self._jobs:
            self._finish(job, "done")

    def _read(self, job: Job) -> list[Record]:
        folder = self._folder(job)
        (upload,) = folder.glob("upload.*")
        mapping = json.loads((folder / "mapping.json").read_text())
        found = apart(
            self.read,
            *(upload, mapping, self.settings.max_rows, self.settings.max_text),
            seconds=self.settings.read_timeout,
            stopped=lambda: self._stopping.is_set() or job.job_id not in self._jobs,
        )
        source, records = None, list[Record]()
        for piece in found:
            if isinstance(piece, Ingested):
                source = piece
            else:
                records += piece
        assert source
        counts = Counter(record.status for record in records)
        job.rows, job.columns, job.notes = len(records), source.columns, list(source.notes)
        job.fields = [FieldReading.model_validate(field) for field in source.fields if field["column"]]
        job.analyzed, job.rejected, job.duplicates = counts["analyzed"], counts["rejected"], counts["duplicate"]
        return records

    async def _results(self, records: Sequence[Record]) -> list[Row]:
        """source_row, status and reason of each record, with the analysis if it is a review."""
        analyses = iter(await self.engine.analyze_file([record.review for record in records if record.review]))
        return [result(record, next(analyses) if record.review else None) for record in records]

    def _folder(self, job: Job) -> Path:
        return self.folder / job.job_id

    def _save(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        scratch = self._folder(job) / "job.json.tmp"
        scratch.write_text(job.model_dump_json())
        os.replace(scratch, self._folder(job) / "job.json")

    def _finish(self, job: Job, state: State, detail: str | None = None) -> None:
        if job.job_id not in self._jobs:
            return
        job.state, job.detail, job.finished_at = state, detail, datetime.now(UTC)
        for upload in self._folder(job).glob("upload.*"):
            upload.unlink()
        self._save(job)


def _whole_lines(path: Path) -> int:
    """Number of complete lines in a file, after cutting off an incomplete last one."""
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        file.truncate(end)
    return content.count(b"\n")
