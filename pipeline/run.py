"""A run: ingests, runs STAGES in order, summarises, audits and publishes.

An interrupted or killed run leaves its working file, and the next run continues after the last committed batch. A run
that fails an audit publishes nothing.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.core import kept, usage
from pipeline.core.errors import InputError
from pipeline.core.ledger import Entry
from pipeline.core.lock import writing
from pipeline.core.profile import Profile
from pipeline.core.provenance import now
from pipeline.core.stage import Engine, Stage, StageResult, run_stage
from pipeline.core.usage import Spent
from pipeline.core.warehouse import (
    Warehouse,
    audit,
    models_path,
    open_read_only,
    open_work,
    publish,
    publish_afresh,
    work_path,
)
from pipeline.ingest import retention
from pipeline.ingest.load import Ingested, ingest
from pipeline.ingest.places import address
from pipeline.ingest.sample import refuse_mixture
from pipeline.ingest.sources import expand
from pipeline.ingest.sources_file import Source
from pipeline.ingest.understanding import IngestOptions
from pipeline.quality import summary
from pipeline.reader import shift
from pipeline.stages import STAGES
from pipeline.stages.feedback import FEEDBACK
from pipeline.stages.generate import GENERATE

STAGE_NAMES = ("ingest", *(stage.name for stage in STAGES))
WRITING = (FEEDBACK.name, GENERATE.name)  # stages whose rows are answers of a model that was asked
Parts = Sequence[tuple[Sequence[str], IngestOptions]]
Progress = Callable[[str, int, int], None]  # stage, rows done, total rows (0: unknown)


@dataclass(frozen=True)
class RunResult:
    """What a run did."""

    run_id: str
    warehouse: Path
    ingested: list[Ingested]
    stages: list[StageResult]
    seconds: dict[str, float]  # per stage, including ingest
    usage: dict[tuple[str, str], Spent] = field(default_factory=dict)  # per stage and model that was asked
    masked: dict[str, int] = field(default_factory=dict)  # kind -> values that models were not sent
    removed: int = 0  # reviews whose texts were removed for their age

    @property
    def rows_written(self) -> int:
        """New reviews and the rows of all stages."""
        return sum(item.added for item in self.ingested) + sum(stage.written for stage in self.stages)

    @property
    def failing(self) -> list[StageResult]:
        """The stages in which requests to a model failed."""
        return [stage for stage in self.stages if stage.name in WRITING and stage.failed]

    @property
    def is_failure(self) -> bool:
        """Whether in one of these stages every request failed."""
        return any(stage.failed == stage.written for stage in self.failing)


def run(
    reviews: Sequence[str] | Sequence[Source],
    warehouse_path: Path,
    profile: Profile,
    options: IngestOptions,
    until: str | None = None,
    retry_failed: bool = False,
    keep_days: int = 0,
    progress: Progress = lambda name, done, total: None,
    understood: Callable[[Sequence[Ingested]], None] = lambda sources: None,
    engine: Engine | None = None,
) -> RunResult:
    """Runs every stage up to `until` on `reviews` and publishes to `warehouse_path`. A Source's own options replace those of
    `options`. `retry_failed`: also recomputes rows that ended in an error. `keep_days`: at the end the texts of older reviews are
    removed (`retention`); 0: none. `understood` is told how the sources were read,
    before the stages begin. `engine`: where batches are transformed, None: in this process.

    Raises InputError, before anything is written, for unusable input or settings, BackendDown if a model server cannot be
    reached, AuditFailed if the result breaks the warehouse's rules.
    """
    parts, names = _parts(reviews, options)  # a missing file must not leave a warehouse behind
    stages = _until(until)
    if keep_days and stages != STAGES:
        raise InputError("--keep-days removes texts once every stage has read them: leave out --until.")
    for stage in stages:
        stage.spec(profile)  # nor must a recipe, prompt or model that is not there
    shift.of(profile)
    with _opened(warehouse_path, profile) as (warehouse, entry):
        refuse_mixture(warehouse, [address.masked(name) for name in names])
        with entry.timed("ingest") as started:
            ingested = _ingest(warehouse, parts, entry.run_id, started, lambda done: progress("ingest", done, 0))
            rows = sum(source.rows for source in ingested)
            progress("ingest", rows, rows)
        understood(ingested)
        results = []
        for stage in stages:
            with entry.timed(stage.name):
                if retry_failed:
                    _forget_failures(warehouse, stage)
                results.append(
                    run_stage(stage, profile, warehouse, entry.run_id, models_path(warehouse_path), progress, engine)
                )
        shift.record(warehouse, profile)
        removed = retention.blank(warehouse, now() - timedelta(days=keep_days)) if keep_days else 0
        audit(warehouse)
        kept.renew(warehouse, tracked=True)
        summary.write(warehouse, entry.run_id, profile)
        entry.done()
        spent, hidden = usage.spent_in(warehouse, entry.run_id), _masked(warehouse, entry.run_id)
        published = _publish(warehouse)
        return RunResult(entry.run_id, published, ingested, results, entry.seconds, spent, hidden, removed)


def _parts(reviews: Sequence[str] | Sequence[Source], options: IngestOptions) -> tuple[Parts, list[str]]:
    """What to ingest with which options, and the sources that this names. Raises InputError for what cannot be found or
    would be read in two ways.
    """
    plain = [item for item in reviews if isinstance(item, str)]
    if plain:
        return [(plain, options)], expand(plain)
    parts = [([item.reviews], replace(options, **item.options)) for item in reviews if isinstance(item, Source)]
    times = Counter(name for values, _ in parts for name in expand(values))
    if twice := [address.masked(name) for name, count in times.items() if count > 1]:
        raise InputError(f"More than one [[source]] names {', '.join(twice)}. Leave one, or make a pattern narrower.")
    return parts, list(times)


def ingest_all(
    warehouse: Warehouse, reviews: Sequence[str] | Sequence[Source], options: IngestOptions, run_id: str, now: datetime
) -> list[Ingested]:
    """Reads all reviews into a warehouse, as a run does before its stages."""
    parts, _ = _parts(reviews, options)
    return _ingest(warehouse, parts, run_id, now, lambda done: None)


def _ingest(
    warehouse: Warehouse, parts: Parts, run_id: str, now: datetime, progress: Callable[[int], None]
) -> list[Ingested]:
    return [
        source
        for values, options in parts
        for source in ingest(warehouse, values, options, run_id, now, lambda source, done: progress(done))
    ]


def _until(name: str | None) -> Sequence[Stage]:
    if name is None:
        return STAGES
    if name not in STAGE_NAMES:
        raise InputError(f"There is no stage {name!r}. Stages, in order: {', '.join(STAGE_NAMES)}.")
    return STAGES[: STAGE_NAMES.index(name)]


@contextlib.contextmanager
def _opened(path: Path, profile: Profile) -> Iterator[tuple[Warehouse, Entry]]:
    """The working copy and the run's entry in `runs`, in which an error that ends the run is recorded."""
    with writing(path):
        fresh = not work_path(path).exists()
        warehouse = open_work(path)
        entry = Entry(warehouse, profile.name)
        try:
            yield warehouse, entry
        except BaseException as error:
            with contextlib.suppress(Exception):  # on a full disk it cannot be recorded; the error itself says more
                entry.failed(error)
            warehouse.close()
            if fresh and isinstance(error, InputError) and not entry.seconds:
                work_path(path).unlink()  # nothing was ingested: leave the folder as it was
            raise


def _publish(warehouse: Warehouse) -> Path:
    """In a new file if texts were removed since the last time: their bytes must go too, even if a run was killed meanwhile."""
    path, removed_at = warehouse.path, retention.last(warehouse)
    if path is None or removed_at is None:
        return publish(warehouse, tracked=True)
    before = None
    if path.exists():
        with contextlib.closing(open_read_only(path)) as published:
            before = retention.last(published)
    return publish(warehouse, tracked=True) if before == removed_at else publish_afresh(warehouse, tracked=True)


def _masked(warehouse: Warehouse, run_id: str) -> dict[str, int]:
    rows = warehouse.query(
        "SELECT kind, sum(n)::BIGINT AS n FROM masked WHERE run_id = ? GROUP BY kind ORDER BY n DESC, kind", [run_id]
    )
    return {row["kind"]: row["n"] for row in rows}


def _forget_failures(warehouse: Warehouse, stage: Stage) -> None:
    """Makes rows of the current fingerprint that hold an error pending again."""
    failed = f"FROM store.{stage.name} WHERE error IS NOT NULL AND fingerprint = (SELECT fingerprint FROM store.current WHERE stage = ?)"
    kept.note(warehouse, warehouse.query(failed, [stage.name]))
    warehouse.execute(f"DELETE {failed}", [stage.name])
