"""A stage and how it runs: the central abstraction.

A stage says which rows are pending (a query under `warehouse/stages/` that anti-joins its input with its own table on
key and fingerprint), how a batch of rows is transformed, and what its output depends on. The runner does the rest, so
every stage is idempotent, incremental and resumable after `kill -9`, and loads no model when there is nothing to do.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.core import kept, settled, usage
from pipeline.core.errors import ReviewInsightsError
from pipeline.core.profile import Profile
from pipeline.core.provenance import now
from pipeline.core.usage import Spent
from pipeline.core.warehouse import Warehouse, sql_file

Row = dict[str, Any]  # of any stage


@dataclass(frozen=True)
class Context:
    """What a transform and `finish` may use besides rows."""

    profile: Profile
    warehouse: Warehouse  # a transform only reads it (the runner writes); `finish` may write
    run_id: str
    fingerprint: str
    models: Path  # folder for trained adapters
    progress: Callable[[int, int], None] = lambda done, total: None  # within one batch, such as a training


@dataclass(frozen=True)
class Stage:
    """See the module's docstring. Rows are dicts; the signatures of each stage's functions name their columns."""

    name: str  # fills the table store.<name>
    unique_key: tuple[str, ...]  # grain: one row per key and fingerprint
    spec: Callable[[Profile], Mapping[str, Any]]  # everything that can change the output, JSON-serialisable
    transform: Callable[[Sequence[Any], Context], Sequence[Any]]  # the output has rows for every input key
    parents: tuple[Stage, ...] = ()  # stages that its query reads; their fingerprints are part of its own
    params: Callable[[Profile], Mapping[str, Any]] = lambda profile: {}  # of its query, besides $fingerprint
    batch_size: int = 256  # affects speed only, so not in the fingerprint
    # Whether a review whose text is gone (retention) keeps its rows under a new fingerprint, since they cannot be made again.
    outlives_text: bool = False
    # Where rows are pending, before the first batch: which of them can be done now, and lines about what was mended for
    # them. May write.
    prepare: Callable[[Sequence[Any], Context], tuple[Sequence[Any], Sequence[str]]] | None = None
    finish: Callable[[Context], None] | None = None  # for work on all rows: after the last batch, in a transaction
    travels: bool = False  # worth another machine: its transform needs nothing of the context but the profile, and costs more than the way


@dataclass(frozen=True)
class StageResult:
    """How many rows were pending, how many were written, how many of those hold an error, and the first of these errors."""

    name: str
    fingerprint: str
    pending: int
    written: int
    failed: int
    error: str | None = None
    doubted: int = 0  # rows with faults: a model's answer was not accepted
    notes: Sequence[str] = ()  # what it had to mend before it could begin


class Unfinished(Exception):
    """A batch that an error (its cause) ended half way: `rows` of it are done, and are kept. Others may have been paid for."""

    def __init__(self, rows: Sequence[Any]) -> None:
        super().__init__(f"{len(rows)} rows were done")
        self.rows = rows


class Engine(Protocol):
    """Where batches are transformed."""

    def transformed(self, stage: Stage, batches: Sequence[Sequence[Row]], context: Context) -> Iterator[Sequence[Row]]:
        """The output of each batch, in any order, as it is done. Raises what a transform raises."""


class InThisProcess:
    """One batch after the other."""

    def transformed(self, stage: Stage, batches: Sequence[Sequence[Row]], context: Context) -> Iterator[Sequence[Row]]:
        """See Engine; in order."""
        return (transformed(stage, batch, context) for batch in batches)


def fingerprint(stage: Stage, profile: Profile) -> str:
    """Hash of the stage's name, spec and parents' fingerprints, 16 hex digits."""
    parents = [fingerprint(parent, profile) for parent in stage.parents]
    content = json.dumps([stage.name, stage.spec(profile), parents], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def make_current(stage: Stage, profile: Profile, warehouse: Warehouse) -> str:
    """Records the stage's fingerprint with its spec and makes it the version that the views show; returns it."""
    current = fingerprint(stage, profile)
    before = warehouse.value("SELECT fingerprint FROM store.current WHERE stage = ?", [stage.name])
    with warehouse.transaction():
        warehouse.execute(
            "INSERT OR IGNORE INTO fingerprint VALUES (?, ?, ?, ?, ?)",
            [
                current,
                stage.name,
                json.dumps(stage.spec(profile), sort_keys=True),
                [fingerprint(parent, profile) for parent in stage.parents],
                now(),
            ],
        )
        warehouse.execute("INSERT OR REPLACE INTO store.current VALUES (?, ?)", [stage.name, current])
        if before != current:
            warehouse.execute("DELETE FROM store.kept")
        if stage.outlives_text and before not in (None, current):
            _carry_over(stage, before, current, warehouse)
    return current


def _carry_over(stage: Stage, before: str, current: str, warehouse: Warehouse) -> None:
    """Takes the rows of reviews whose texts are gone over to the current fingerprint, so that past figures stay."""
    table = f"store.{stage.name}"
    warehouse.execute(
        f"INSERT INTO {table} SELECT * REPLACE ($current AS fingerprint) FROM {table} WHERE fingerprint = $before "
        "AND review_id IN (SELECT review_id FROM store.reviews WHERE blanked_at IS NOT NULL) "
        f"AND review_id NOT IN (SELECT review_id FROM {table} WHERE fingerprint = $current)",
        {"current": current, "before": before},
    )


def run_stage(
    stage: Stage,
    profile: Profile,
    warehouse: Warehouse,
    run_id: str,
    models: Path,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
    engine: Engine | None = None,
) -> StageResult:
    """Transforms the pending rows batch by batch, each batch in a transaction of its own; `engine` does those of stages that travel.

    A batch whose transform raises (server down, interrupt) stays pending but for what an Unfinished holds.
    """
    current = make_current(stage, profile, warehouse)
    params = {"fingerprint": current, **stage.params(profile)}
    version = settled.version(current, stage.params(profile))
    with settled.narrowed(warehouse, stage.name, version):
        pending: Sequence[Row] = warehouse.query(sql_file("stages", f"{stage.name}.sql"), params)
    found = len(pending)
    context = Context(profile, warehouse, run_id, current, models, functools.partial(progress, stage.name))
    written = 0
    errors, doubted = list[str](), 0
    notes: Sequence[str] = ()
    if pending and stage.prepare:
        pending, notes = stage.prepare(pending, context)
    batches = [pending[start : start + stage.batch_size] for start in range(0, len(pending), stage.batch_size)]
    results = (engine if engine and stage.travels else InThisProcess()).transformed(stage, batches, context)
    for _ in batches:
        progress(stage.name, written, len(pending))
        rows, stopped, spent = _next(results)
        with warehouse.transaction():
            warehouse.append(f"store.{stage.name}", [{**row, "fingerprint": current, "run_id": run_id} for row in rows])
            kept.note(warehouse, rows)
            usage.record(warehouse, run_id, stage.name, spent)
        if stopped:
            raise stopped
        written += len(rows)
        errors += [row["error"] for row in rows if row.get("error") is not None]
        doubted += sum(bool(row.get("faults")) for row in rows)
    with warehouse.transaction():
        if stage.finish:  # even if nothing was pending: an earlier run may have been killed before it
            stage.finish(context)
        if len(pending) == found:
            settled.settle(warehouse, stage.name, version, run_id)
    if pending:
        progress(stage.name, len(pending), len(pending))
    return StageResult(
        stage.name, current, len(pending), written, len(errors), next(iter(errors), None), doubted, notes
    )


def _next(results: Iterator[Sequence[Row]]) -> tuple[Sequence[Row], BaseException | None, Mapping[str, Spent]]:
    """(rows, the error that ended the batch early, what models were asked): all of it is kept, what failed was paid for too."""
    with usage.counted() as spent:
        try:
            return next(results), None, spent
        except Unfinished as unfinished:
            return unfinished.rows, unfinished.__cause__, spent
        except ReviewInsightsError as error:
            return (), error, spent


def transformed(stage: Stage, batch: Sequence[Row], context: Context) -> Sequence[Row]:
    """The output of a batch. Raises AssertionError if a row has none: it would stay pending for ever."""
    rows = stage.transform(batch, context)
    key = [name for name in stage.unique_key if name in batch[0]]
    if missing := {tuple(row[k] for k in key) for row in batch} - {tuple(row[k] for k in key) for row in rows}:
        raise AssertionError(f"stage {stage.name} lost {len(missing)} of {len(batch)} rows, such as {min(missing)}")
    return rows
