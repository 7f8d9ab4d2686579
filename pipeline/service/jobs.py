"""Analyses whole files: stored on disk, read as in `ingest`, and processed with lower priority than single reviews.

A job is a folder with a random name that holds job.json, the upload, and results.jsonl with one line per record of the
file. What is true of a job stands there, so every process of a service answers for all jobs; the one that holds its lock works
on it. Unfinished jobs are resumed when the service restarts; results are deleted after `Settings.keep` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
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

from filelock import FileLock, Timeout
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
_LOOK = 30.0  # seconds between two looks for what another process left unfinished, and for what has expired
_UNFINISHED = ("queued", "running")
_NAME = re.compile(r"[0-9a-f]{32}")


class Jobs:
    """The jobs of one service. Each of its processes works on one at a time, in the order in which they were created. `read` is
    like `records.pieces`; it runs in a process of its own.
    """

    def __init__(
        self, settings: Settings, engine: Engine, read: Callable[..., Iterator[Ingested | list[Record]]] = pieces
    ) -> None:
        self.settings, self.engine, self.folder, self.read = settings, engine, settings.jobs, read
        self._known: dict[str, tuple[tuple[int, int], Job]] = {}  # what was read of each job.json, and of which file
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def get(self, job_id: str) -> Job:
        """A job by its id. Raises HTTPException 404."""
        job = self._read_job(job_id)
        if job is None:
            raise HTTPException(404, "There is no such job; results are kept for a limited time.")
        return job

    def all(self) -> list[Job]:
        """Every job, in the order in which they were created."""
        names = {folder.name for folder in self.folder.glob("*") if _NAME.fullmatch(folder.name)}
        for gone in self._known.keys() - names:
            self._known.pop(gone, None)
        return sorted((job for job in map(self._read_job, names) if job), key=lambda job: job.created_at)

    def _read_job(self, job_id: str) -> Job | None:
        """What job.json says; None if there is none. It is read again once it was replaced."""
        file = self.folder / job_id / "job.json"
        try:
            status = file.stat()
            stamp = status.st_ino, status.st_mtime_ns
            if self._known.get(job_id, ((0, 0), None))[0] != stamp:
                self._known[job_id] = stamp, Job.model_validate_json(file.read_text())
        except (ValidationError, OSError):
            return None
        return self._known[job_id][1]

    def count(self, state: str) -> int:
        """How many jobs are in a state."""
        return sum(job.state == state for job in self.all())

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
        self._arrived.set()
        return job

    def remove(self, job_id: str) -> None:
        """Deletes a job and its files; a running one stops at its next chunk. Raises HTTPException 404."""
        folder = self._folder(self.get(job_id))
        (folder / "job.json").unlink(missing_ok=True)  # by this whoever works on it knows
        with contextlib.suppress(OSError):  # Windows moves no folder with an open file
            folder = folder.rename(folder.with_name(uuid.uuid4().hex))  # where nobody writes any more
        shutil.rmtree(folder, ignore_errors=True)

    def results(self, job_id: str) -> Iterator[Row]:
        """One row per record of the file. Raises HTTPException: 404, or 409 if the job is not done."""
        job = self.get(job_id)
        if job.state != "done":
            raise HTTPException(409, f"The job is {job.state}; ask for its results when it is done.")
        return read_results(self._folder(job) / "results.jsonl")

    def start(self) -> None:
        """Resumes what an earlier service left unfinished, and begins to work on what arrives."""
        known = {job.job_id for job in self.all()}
        cutoff = time.time() - self.settings.keep  # another process may be receiving one
        for folder in self.folder.glob("*"):  # uploads that were cut off with their service, and what cannot be read
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                if _NAME.fullmatch(folder.name) and folder.name not in known and folder.stat().st_mtime < cutoff:
                    shutil.rmtree(folder, ignore_errors=True)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stops after the current chunk; the next service resumes from there."""
        self._stopping.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        stopped = asyncio.ensure_future(self._stopping.wait())
        while not self._stopping.is_set():
            self._arrived.clear()
            self._remove_expired()
            for job in self.all():
                if job.state in _UNFINISHED and not self._stopping.is_set():
                    await self._alone(job)
            arrived = asyncio.ensure_future(self._arrived.wait())
            await asyncio.wait({arrived, stopped}, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
            arrived.cancel()
        stopped.cancel()

    def _remove_expired(self) -> None:
        cutoff = datetime.now(UTC) - timedelta(seconds=self.settings.keep)
        for job in self.all():
            if job.finished_at and job.finished_at < cutoff:
                with contextlib.suppress(HTTPException):  # another process was faster
                    self.remove(job.job_id)

    async def _alone(self, job: Job) -> None:
        """Works on a job unless another process does. The system takes the lock from a process that ends."""
        lock = FileLock(self._folder(job) / "lock", blocking=False)
        try:
            lock.acquire()
        except (Timeout, OSError):
            return
        try:
            latest = self._read_job(job.job_id)  # as its last worker left it
            if latest and latest.state in _UNFINISHED:
                await self._work(latest.model_copy())
        finally:
            latest = self._read_job(job.job_id)
            if latest is None or latest.state not in _UNFINISHED:
                with contextlib.suppress(OSError):  # Windows removes no open file
                    Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()
            if latest is None:  # removed; to take the lock may have made its folder anew
                shutil.rmtree(self._folder(job), ignore_errors=True)

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
            if self._exists(job):  # else its folder was removed while something was written there
                log.error("job %s failed: %s", job.job_id, error if isinstance(error, Broken) else type(error).__name__)
                self._finish(job, "failed", "Something went wrong here. Try again, or split the file.")

    async def _analyze(self, job: Job) -> None:
        job.state = "running"
        self._save(job)
        records = await asyncio.to_thread(self._read, job)
        results = self._folder(job) / "results.jsonl"
        job.done = _whole_lines(results)
        for start in range(job.done, len(records), _CHUNK):
            if self._is_over(job):
                return  # removed, or to be resumed later
            chunk = records[start : start + _CHUNK]
            rows = await self._results(chunk)
            if self._exists(job):
                with results.open("a", encoding="utf-8") as file:
                    file.writelines(dumped(row) + "\n" for row in rows)
                job.done += len(chunk)
                self._save(job)
        self._finish(job, "done")

    def _read(self, job: Job) -> list[Record]:
        folder = self._folder(job)
        (upload,) = folder.glob("upload.*")
        mapping = json.loads((folder / "mapping.json").read_text())
        found = apart(
            self.read,
            *(upload, mapping, self.settings.max_rows, self.settings.max_text),
            seconds=self.settings.read_timeout,
            stopped=lambda: self._is_over(job),
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

    def _exists(self, job: Job) -> bool:
        return (self._folder(job) / "job.json").exists()

    def _is_over(self, job: Job) -> bool:
        """Whether it was removed, or this process is to end."""
        return self._stopping.is_set() or not self._exists(job)

    def _save(self, job: Job) -> None:
        scratch = self._folder(job) / "job.json.tmp"
        scratch.write_text(job.model_dump_json())
        os.replace(scratch, self._folder(job) / "job.json")

    def _finish(self, job: Job, state: State, detail: str | None = None) -> None:
        if not self._exists(job):
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
