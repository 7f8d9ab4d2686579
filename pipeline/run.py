"""A run: opens it, ingests, walks STAGES in order, sums up, audits, publishes, closes.

A run that is interrupted or killed leaves its working file; the next run goes on from the last committed batch.
A run that fails an audit publishes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.provenance import new_run_id, now, run_row
from pipeline.core.stage import StageResult, run_stage
from pipeline.core.warehouse import Warehouse, audit, models_path, open_work, publish, work_path
from pipeline.ingest.load import Ingested, IngestOptions, ingest
from pipeline.ingest.sources import expand
from pipeline.quality import summary
from pipeline.stages import STAGES

STAGE_NAMES = ("ingest", *(stage.name for stage in STAGES))
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunResult:
    run_id: str
    warehouse: Path
    ingested: list[Ingested]
    stages: list[StageResult]
    seconds: dict[str, float]  # per stage, `ingest` among them

    @property
    def rows_written(self) -> int:
        return sum(item.added for item in self.ingested) + sum(stage.written for stage in self.stages)


def run(
    reviews: Sequence[str],
    warehouse_path: Path,
    profile: Profile,
    options: IngestOptions,
    until: str | None = None,
    retry_failed: bool = False,
    progress: Progress = lambda name, done, total: None,
) -> RunResult:
    """Every stage up to `until` on `reviews`, published to `warehouse_path`.

    Raises InputError before anything is written for input or settings that cannot be used, BackendDown when a
    model server is away, AuditFailed when the result breaks the warehouse's rules.
    """
    expand(reviews)  # a missing file must not leave a warehouse behind
    stages = _until(until)
    for stage in stages:
        stage.spec(profile)  # nor must a recipe, prompt or model that is not there
    fresh = not work_path(warehouse_path).exists()
    warehouse = open_work(warehouse_path)
    run_id = new_run_id()
    results: list[StageResult] = []
    seconds: dict[str, float] = {}
    try:
        _open_run(warehouse, run_id, profile)
        started = now()
        ingested = ingest(
            warehouse, reviews, options, run_id, started, lambda source, done: progress("ingest", done, 0)
        )
        _record(warehouse, run_id, seconds, "ingest", started)
        fresh = False  # from here on there is work worth keeping
        for stage in stages:
            started = now()
            if retry_failed:
                warehouse.execute(
                    f"DELETE FROM store.{stage.name} WHERE error IS NOT NULL AND fingerprint = "
                    "(SELECT fingerprint FROM store.current WHERE stage = ?)",
                    [stage.name],
                )
            results.append(run_stage(stage, profile, warehouse, run_id, models_path(warehouse_path), progress))
            _record(warehouse, run_id, seconds, stage.name, started)
        summary.write(warehouse, run_id, profile)
        audit(warehouse)
        warehouse.execute("UPDATE runs SET status = 'done', finished_at = ? WHERE run_id = ?", [now(), run_id])
        return RunResult(run_id, publish(warehouse), ingested, results, seconds)
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        warehouse.execute(
            "UPDATE runs SET status = ?, finished_at = ?, error = ? WHERE run_id = ?",
            [status, now(), str(error)[:2000], run_id],
        )
        warehouse.close()
        if fresh and isinstance(error, InputError):
            work_path(warehouse_path).unlink()  # nothing came in: leave the folder as it was
        raise


def _until(name: str | None) -> list[Any]:
    if name is None:
        return list(STAGES)
    if name not in STAGE_NAMES:
        raise InputError(f"There is no stage {name!r}. Stages, in order: {', '.join(STAGE_NAMES)}.")
    return list(STAGES[: STAGE_NAMES.index(name)])


def _open_run(warehouse: Warehouse, run_id: str, profile: Profile) -> None:
    warehouse.execute("UPDATE runs SET status = 'interrupted' WHERE status = 'running'")  # killed: nobody said goodbye
    warehouse.append("runs", [run_row(run_id, profile.name, "running")])


def _record(warehouse: Warehouse, run_id: str, seconds: dict[str, float], stage: str, started: datetime) -> None:
    seconds[stage] = round((now() - started).total_seconds(), 2)
    warehouse.execute("UPDATE runs SET stages = ? WHERE run_id = ?", [json.dumps(seconds), run_id])
