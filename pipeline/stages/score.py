"""score: each candidate of the test split against the teacher's text, against its own review, and on its own.

Against the teacher's text: BLEURT, BERTScore, METEOR, and a judge model where the profile names one. Against its own
review: grounding. On its own: what gives a gamed or broken text away (`pipeline.metrics.signals`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from pipeline.backends import registry
from pipeline.core import prompts
from pipeline.core.assets import BLEURT
from pipeline.core.profile import Profile, model_identity
from pipeline.core.stage import Context, Row, Stage
from pipeline.metrics import scorers
from pipeline.stages.generate import GENERATE


def spec(profile: Profile) -> dict[str, Any]:
    from pipeline.metrics.judge import PROMPT

    score, judge = profile.score, profile.judge
    bleurt = model_identity(str(BLEURT) if score.bleurt == "embedded" else score.bleurt, score.bleurt_revision)
    bertscore = model_identity(score.bertscore, score.bertscore_revision)
    return {
        "version": 2,
        "bleurt": [bleurt, scorers.bleurt(score).settings],
        "bertscore": [bertscore, scorers.bertscore(score).settings],
        "pool": score.pool,
        "judge": [judge.model, prompts.sha256(PROMPT), judge.max_new_tokens] if judge.backend != "none" else None,
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    # A candidate that failed counts as an empty text: leaving it out would reward failing on the hard ones.
    rows = [row | {"candidate": row["candidate"] or ""} for row in rows]
    # The teacher against itself says nothing: it is compared with no reference.
    students = [row for row in rows if row["role"] != "teacher"]
    columns = [_grounding(rows, context), _signals(rows), _against_teacher(students, context.profile)]
    return [
        {"review_id": row["review_id"], "role": row["role"]}
        | {name: value for values in columns for name, value in values.get((row["review_id"], row["role"]), {}).items()}
        for row in rows
    ]


Columns = dict[tuple[str, str], Row]  # by review_id and role


def _by_key(rows: Sequence[Row], **columns: Sequence[Any]) -> Columns:
    return {
        (row["review_id"], row["role"]): dict(zip(columns, values, strict=True))
        for row, *values in zip(rows, *columns.values(), strict=True)
    }


def _grounding(rows: Sequence[Row], context: Context) -> Columns:
    from pipeline.metrics import grounding

    # The pool is the same for every role and batch: the frozen training set's reviews.
    pool = context.warehouse.query("SELECT text FROM training_set JOIN reviews USING (review_id) ORDER BY review_id")
    values = grounding.score(
        [row["candidate"] for row in rows],
        [row["review"] for row in rows],
        [row["text"] for row in pool],
        pool=context.profile.score.pool,
    )
    # nan: there is no other review to tell it from
    return _by_key(rows, grounding=[None if isnan(value) else value for value in values])


def _signals(rows: Sequence[Row]) -> Columns:
    from pipeline.metrics import signals

    return _by_key(
        rows,
        prompt_echo=[signals.prompt_echo(row["raw_output"] or "", row["prompt"]) for row in rows],
        copied_share=[signals.copied_share(row["candidate"], row["review"]) for row in rows],
        repetition=[signals.repetition(row["candidate"]) for row in rows],
        unfinished=[signals.unfinished(row["candidate"]) for row in rows],
        wrong_language=signals.wrong_language([row["candidate"] for row in rows], "en"),  # the prompts are in English
    )


def _against_teacher(rows: Sequence[Row], profile: Profile) -> Columns:
    from pipeline.metrics import judge, meteor, signals

    if not rows:
        return {}
    texts, references = [row["candidate"] for row in rows], [row["reference"] for row in rows]
    bleurt, bertscore = scorers.bleurt(profile.score), scorers.bertscore(profile.score)
    ratios = [signals.length_ratio(text, reference) for text, reference in zip(texts, references, strict=True)]
    columns: dict[str, Sequence[Any]] = {
        "bleurt": bleurt.score(texts, references),
        "bleurt_cut": bleurt.truncated(texts, references),
        "bertscore_f1": bertscore.score(texts, references),
        "bertscore_cut": bertscore.truncated(texts, references),
        "meteor": meteor.score(texts, references),
        "length_ratio": [None if isnan(ratio) else ratio for ratio in ratios],
    }
    if (model := registry.judge(profile)) is not None:
        verdicts = judge.compare([row["review"] for row in rows], texts, references, model)
        columns |= {
            "judge": [verdict.value for verdict in verdicts],
            "judge_reason": [verdict.reason for verdict in verdicts],
            "judge_error": [verdict.error for verdict in verdicts],
        }
    return _by_key(rows, **columns)


SCORE = Stage("score", ("review_id", "role"), spec, transform, parents=(GENERATE,), batch_size=512)
