"""What a scorer is: columns of `scores` for a batch of candidates, under one profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from pipeline.core.warehouse import Warehouse


class Candidate(TypedDict):
    """A text and everything it can be scored against: a row of `warehouse/stages/score.sql`."""

    review_id: str
    role: str  # who wrote it: see `pipeline.metrics.table.ROLES`
    candidate: str  # "" where writing it failed
    raw_output: str | None
    prompt: str
    reference: str  # the teacher's text
    review: str


Value = float | bool | str | list[tuple[str, int]] | None  # nan and None: not known
Columns = Mapping[str, Sequence[Value]]  # column of `scores` -> a value per candidate, in order


class Interrupted(Exception):
    """A scorer that an error (its cause) ended half way. `columns`: as far as it came; `done`: per candidate, whether it has them."""

    def __init__(self, columns: Columns, done: Sequence[bool]) -> None:
        super().__init__(f"{sum(done)} of {len(done)} were scored")
        self.columns, self.done = columns, done


@dataclass(frozen=True)
class Scorer:
    """Made by `scorer(profile)` in a metric's module, without loading a model."""

    columns: Callable[[Sequence[Candidate], Warehouse], Columns]  # may raise Interrupted
    # What the values depend on, for the fingerprint of the stage `score`. A new scorer must put something here, such as
    # {"chrf": 1}, or candidates that were scored before it existed will not get its values. If empty, the stage's own
    # version covers it.
    depends_on: Mapping[str, Any]
    model: str | None = None  # `metrics.model`: a stand-in is called one
    settings: str | None = None  # `metrics.settings`: values compare only under the same model and settings


def texts(rows: Sequence[Candidate]) -> list[str]:
    """The candidate of each row."""
    return [row["candidate"] for row in rows]


def pairs(rows: Sequence[Candidate]) -> tuple[list[str], list[str]]:
    """(candidates, references) of rows."""
    return texts(rows), [row["reference"] for row in rows]


def score_pairs(
    rows: Sequence[Candidate], metrics: Mapping[str, Callable[[Sequence[str], Sequence[str]], Sequence[Value]]]
) -> Columns:
    """Column -> a value per row, by metrics of candidates and references. A pair that comes again is not scored again."""
    every = list(zip(*pairs(rows), strict=True))
    distinct = list(dict.fromkeys(every))
    sides = [pair[0] for pair in distinct], [pair[1] for pair in distinct]
    columns = {name: dict(zip(distinct, metric(*sides), strict=True)) for name, metric in metrics.items()}
    return {name: [values[pair] for pair in every] for name, values in columns.items()}
