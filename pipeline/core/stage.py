"""A Stage and how it runs: the one central abstraction.

A stage says which rows are pending (a query under `warehouse/stages/`, an anti-join of its input against its own
table on key and fingerprint), how a batch of rows becomes a batch of rows, and what its output depends on. The
runner does the rest, so every stage is idempotent, incremental and resumable after `kill -9`, and loads no model
when there is nothing to do.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.profile import Profile
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse, sql_file

Row = dict[str, Any]  # of any stage


@dataclass(frozen=True)
class Context:
    """What a transform and `finish` may use besides rows."""

    profile: Profile
    warehouse: Warehouse  # a transform reads only, the runner writes; `finish` writes itself
    run_id: str
    fingerprint: str
    models: Path  # folder for trained adapters
    progress: Callable[[int, int], None] = lambda done, total: None  # for work inside one batch, such as a training


@dataclass(frozen=True)
class Stage:
    """See the head of this file. Rows are dicts; each stage says in its signatures which columns its own have."""

    name: str  # fills the table store.<name>
    unique_key: tuple[str, ...]  # grain: one row per key and fingerprint
    spec: Callable[[Profile], Mapping[str, Any]]  # all that can change the output, JSON-serialisable
    transform: Callable[[Sequence[Any], Context], Sequence[Any]]  # every key of the input is in the output
    parents: tuple[Stage, ...] = ()  # stages its input query reads; their fingerprints chain into this one's
    params: Callable[[Profile], Mapping[str, Any]] = lambda profile: {}  # of the input query, besides $fingerprint
    batch_size: int = 256  # speed only: not in the fingerprint
    finish: Callable[[Context], None] | None = (
        None  # what needs all rows at once: after the last batch, in a transaction
    )


@dataclass(frozen=True)
class StageResult:
    """How many rows were pending, were written, and of these ended in an error."""

    name: str
    fingerprint: str
    pending: int
    written: int
    failed: int


def fingerprint(stage: Stage, profile: Profile) -> str:
    """Hash of the stage's spec and of its parents' fingerprints: 16 hex digits."""
    parents = [fingerprint(parent, profile) for parent in stage.parents]
    content = json.dumps([stage.name, stage.spec(profile), parents], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def make_current(stage: Stage, profile: Profile, warehouse: Warehouse) -> str:
    """Records what the stage's fingerprint stands for and makes it the version that the views show."""
    mark = fingerprint(stage, profile)
    with warehouse.transaction():
        warehouse.execute(
            "INSERT OR IGNORE INTO fingerprint VALUES (?, ?, ?, ?, ?)",
            [
                mark,
                stage.name,
                json.dumps(stage.spec(profile), sort_keys=True),
                [fingerprint(parent, profile) for parent in stage.parents],
                now(),
            ],
        )
        warehouse.execute("INSERT OR REPLACE INTO store.current VALUES (?, ?)", [stage.name, mark])
    return mark


def run_stage(
    stage: Stage,
    profile: Profile,
    warehouse: Warehouse,
    run_id: str,
    models: Path,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> StageResult:
    """Transforms the pending rows batch by batch, each batch in a transaction of its own.

    A batch whose transform raises (a server that is down, an interrupt) leaves no row: it stays pending.
    """
    mark = make_current(stage, profile, warehouse)
    pending = warehouse.query(sql_file("stages", f"{stage.name}.sql"), {"fingerprint": mark, **stage.params(profile)})
    inner = functools.partial(progress, stage.name)
    context = Context(profile, warehouse, run_id, mark, models, inner)
    written = failed = 0
    for start in range(0, len(pending), stage.batch_size):
        progress(stage.name, start, len(pending))
        batch = pending[start : start + stage.batch_size]
        rows = _transform(stage, batch, context)
        with warehouse.transaction():
            warehouse.append(f"store.{stage.name}", [{**row, "fingerprint": mark, "run_id": run_id} for row in rows])
        written += len(rows)
        failed += sum(row.get("error") is not None for row in rows)
    if stage.finish:  # where nothing was pending, too: an earlier run may have been killed before it
        with warehouse.transaction():
            stage.finish(context)
    if pending:
        progress(stage.name, len(pending), len(pending))
    return StageResult(stage.name, mark, len(pending), written, failed)


def _transform(stage: Stage, batch: Sequence[Row], context: Context) -> Sequence[Row]:
    """The stage's rows of a batch. Raises AssertionError where one of the batch has none: it would stay pending for ever."""
    rows = stage.transform(batch, context)
    key = [name for name in stage.unique_key if name in batch[0]]
    if missing := {tuple(row[k] for k in key) for row in batch} - {tuple(row[k] for k in key) for row in rows}:
        raise AssertionError(f"stage {stage.name} lost {len(missing)} of {len(batch)} rows, such as {min(missing)}")
    return rows
