"""The table `runs`: what ran, when, from which code, and how it ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pipeline import __version__
from pipeline.core.provenance import environment, git_sha, new_run_id, now
from pipeline.core.warehouse import Warehouse


def row(
    run_id: str,
    profile: str,
    started_at: datetime,
    *,
    kind: str = "run",
    status: str = "running",
    seconds: Mapping[str, float] | None = None,
    finished_at: datetime | None = None,
) -> dict[str, Any]:
    """A row of `runs`. `profile`: its name, or the subject of a run of another kind; `seconds`: per stage."""
    return {
        "run_id": run_id,
        "started_at": started_at,
        "finished_at": finished_at,
        "profile": profile,
        "git_sha": git_sha(),
        "version": __version__,
        "status": status,
        "environment": json.dumps(environment()),
        "stages": json.dumps(dict(seconds or {})),
        "kind": kind,
    }


def enter(warehouse: Warehouse, entry: Mapping[str, Any]) -> None:
    """Appends a row of `runs`, numbered after all that are there: the clock may have been put back since."""
    number = warehouse.value("SELECT coalesce(max(number), 0) + 1 FROM runs")
    warehouse.append("runs", [{**entry, "number": number}])


class Entry:
    """The row of a run in progress, updated as it goes."""

    def __init__(self, warehouse: Warehouse, profile: str) -> None:
        self.run_id = new_run_id()
        self.seconds: dict[str, float] = {}  # per finished stage
        self._warehouse = warehouse
        warehouse.execute("UPDATE runs SET status = 'interrupted' WHERE status = 'running'")  # left by a killed run
        enter(warehouse, row(self.run_id, profile, now()))

    @contextlib.contextmanager
    def timed(self, stage: str) -> Iterator[datetime]:
        """Records how long a stage takes if it succeeds; yields the time at which it started."""
        started = now()
        yield started
        self.seconds[stage] = round((now() - started).total_seconds(), 2)
        self._update("stages = ?", json.dumps(self.seconds))

    def done(self) -> None:
        """Marks the run as done."""
        self._update("status = 'done', finished_at = ?", now())

    def failed(self, error: BaseException) -> None:
        """Marks the run as failed with `error`, or as interrupted by Ctrl-C."""
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        self._update("status = ?, finished_at = ?, error = ?", status, now(), str(error)[:2000])

    def _update(self, assignments: str, *values: Any) -> None:
        self._warehouse.execute(f"UPDATE runs SET {assignments} WHERE run_id = ?", [*values, self.run_id])
