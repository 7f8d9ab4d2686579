"""score: each candidate of the test split against the teacher's text, and against its own review (grounding)."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from pipeline import backends
from pipeline.profile import Profile
from pipeline.stage import Context, Row, Stage
from pipeline.stages.generate import GENERATE


def spec(profile: Profile) -> dict[str, Any]:
    models = backends.identities(profile)
    return {
        "version": 1,
        "bleurt": models["bleurt"],
        "bertscore": [models["bertscore"], profile.score.bertscore_layers],
        "pool": profile.score.pool,
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    from pipeline.metrics import grounding, meteor

    config = context.profile.score
    # A candidate that failed counts as an empty text: leaving it out would reward failing on the hard ones.
    candidates = [row["candidate"] or "" for row in rows]
    # The pool is the same for every role and batch: the frozen training set's reviews.
    pool = context.warehouse.query("SELECT text FROM training_set JOIN reviews USING (review_id) ORDER BY review_id")
    grounded = grounding.score(
        candidates, [row["review"] for row in rows], [row["text"] for row in pool], pool=config.pool
    )
    # The teacher against itself says nothing: it is scored for grounding only.
    compared = [index for index, row in enumerate(rows) if row["role"] != "teacher"]
    texts, references = [candidates[i] for i in compared], [rows[i]["reference"] for i in compared]
    values: dict[str, dict[int, float]] = {"bleurt": {}, "bertscore_f1": {}, "meteor": {}}
    if compared:
        scorers = {"bleurt": backends.bleurt(config), "bertscore_f1": backends.bertscore(config),
                   "meteor": meteor.score}  # fmt: skip
        values = {name: dict(zip(compared, scorer(texts, references), strict=True)) for name, scorer in scorers.items()}
    return [
        {
            "review_id": row["review_id"],
            "role": row["role"],
            "grounding": None if isnan(grounded[index]) else grounded[index],  # nan: no other review to tell it from
            **{name: column.get(index) for name, column in values.items()},
        }
        for index, row in enumerate(rows)
    ]


SCORE = Stage("score", ("review_id", "role"), spec, transform, parents=(GENERATE,), batch_size=512)
