"""score: the value of each metric of `pipeline.metrics.table` for each candidate of the test split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pipeline.core.profile import Profile
from pipeline.core.rows import short
from pipeline.core.stage import Context, Row, Stage, Unfinished
from pipeline.metrics.scorer import Candidate, Interrupted, Value
from pipeline.metrics.table import scorers
from pipeline.stages.generate import GENERATE


def spec(profile: Profile) -> dict[str, Any]:
    """What the scorers of the profile depend on."""
    return {"version": 2} | {key: value for scorer, _ in scorers(profile) for key, value in scorer.depends_on.items()}


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    """One row per candidate, with the columns that its scorers fill; what is not known is None. Raises Unfinished with those that
    have them all if a scorer's model then fails: what it said was paid for.
    """
    # A candidate that failed counts as an empty text: leaving it out would reward failing on hard reviews.
    candidates = [cast(Candidate, row | {"candidate": row["candidate"] or ""}) for row in rows]
    # The teacher is the reference: comparing it with itself says nothing.
    students = [row for row in candidates if row["role"] != "teacher"]
    scored: dict[tuple[str, str], Row] = {
        (row["review_id"], row["role"]): {"review_id": row["review_id"], "role": row["role"]} for row in candidates
    }
    pending, stopped = set[tuple[str, str]](), None
    for scorer, metrics in scorers(context.profile):
        chosen = students if any(metric.against == "reference" for metric in metrics) else candidates
        if not chosen:
            continue
        try:
            columns, done = scorer.columns(chosen, context.warehouse), [True] * len(chosen)
        except Interrupted as interrupted:
            columns, done, stopped = interrupted.columns, list(interrupted.done), interrupted.__cause__
        for name, values in columns.items():
            for row, value in zip(chosen, values, strict=True):
                scored[row["review_id"], row["role"]][name] = _stored(value)
        pending |= {(row["review_id"], row["role"]) for row, is_done in zip(chosen, done, strict=True) if not is_done}
    if stopped:
        raise Unfinished([row for key, row in scored.items() if key not in pending]) from stopped
    return list(scored.values())


def _stored(value: Value) -> Value:
    """None for nan, and a score in the form in which all are stored."""
    if value != value:
        return None
    return short(value) if isinstance(value, float) else value


SCORE = Stage("score", ("review_id", "role"), spec, transform, parents=(GENERATE,), batch_size=512)
