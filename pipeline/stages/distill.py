"""distill: freezes a training set of the teacher's texts and trains the student's adapter on it.

The set is frozen per fingerprint and round, before training: new reviews alone never trigger retraining, and a training
that was killed starts again on the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Required, TypedDict

from pipeline.advice import markers
from pipeline.advice.request import request
from pipeline.core import prompts
from pipeline.core.errors import InputError
from pipeline.core.integrity import sum_of
from pipeline.core.profile import Profile, model_identity
from pipeline.core.rows import UnhappyReview
from pipeline.core.stage import Context, Stage
from pipeline.stages.feedback import FEEDBACK
from pipeline.student.recipe import load_recipe
from pipeline.text import duplicates
from pipeline.text.splits import split_by_hash
from pipeline.themes.taxonomy import taxonomy_file

SPLITS = {"test": 20, "validation": 10, "train": 70}  # percent


class TrainingRow(TypedDict):
    """A row of `training_set`."""

    review_id: str
    fingerprint: str
    run_id: str
    split: str  # train, validation or test
    round: int
    prompt: str
    completion: str  # the teacher's text
    target: str  # what the student learns to write: the completion with markers for its quotes


class Round(TypedDict):
    """A training round that is pending."""

    round: int  # from 1 on


class DistillRow(TypedDict, total=False):
    """The result of a training round; with an error there is no adapter."""

    round: Required[int]
    model: Required[str]
    adapter: str  # its folder's name
    adapter_sha256: str | None  # see `integrity.sum_of`
    train_rows: int
    validation_rows: int
    test_rows: int
    train_loss: float
    validation_loss: float | None
    best_step: int | None
    seconds: float
    error: str


def split_of(review_id: str) -> str:
    """The split of a review by its content hash: the same in every warehouse and every round."""
    return split_by_hash(review_id[:8], SPLITS)


def spec(profile: Profile) -> dict[str, Any]:
    """What the adapter depends on, besides the feedback it is trained on."""
    config = profile.distill
    return {
        "version": 5,  # 2: no near-duplicate of a test review is trained on; 3: quotes as markers; 4: a share for each split; 5: the teacher's own form
        "student": model_identity(config.weights, config.revision),
        "prompt": prompts.sha256(config.prompt),
        "max_review_characters": config.max_review_characters,
        "recipe": load_recipe(config.recipe),
        "max_examples": config.max_examples,
        "splits": SPLITS,
    }


def params(profile: Profile) -> dict[str, Any]:
    """Rounds wanted, and the fewest teacher's texts to start with."""
    return {
        "rounds": profile.distill.rounds if profile.has_student else 0,
        "min_examples": profile.distill.min_examples,
    }


class _TaughtReview(UnhappyReview, total=False):
    """An unhappy review with the teacher's text."""

    completion: Required[str]


def freeze(context: Context, number: int) -> list[TrainingRow]:
    """The training set of a round: chosen once, proportional to the stars, without reviews of earlier rounds and without
    near-duplicates of test reviews.
    """
    if rows := _frozen(context, number):
        return rows
    config, taxonomy = context.profile.distill, taxonomy_file(context.profile)
    splits = _choose(context)
    rows = []
    for row in _taught(context, list(splits)):
        rendered = request(row, config.prompt, config.max_review_characters, taxonomy)
        rows.append(
            TrainingRow(
                review_id=row["review_id"],
                fingerprint=context.fingerprint,
                run_id=context.run_id,
                split=splits[row["review_id"]],
                round=number,
                prompt=rendered.prompt,
                completion=row["completion"],
                target=prompts.as_data(markers.delexicalise(row["completion"], rendered.slots)),  # it quotes reviews
            )
        )
    with context.warehouse.transaction():
        context.warehouse.append("store.training_set", rows)
        _drop_leaks(context, number)
    return _frozen(context, number)


def _frozen(context: Context, number: int) -> list[TrainingRow]:
    rows: list[Any] = context.warehouse.query(
        "SELECT * FROM store.training_set WHERE fingerprint = $fingerprint AND round = $round ORDER BY review_id",
        {"fingerprint": context.fingerprint, "round": number},
    )
    return rows


def _taught(context: Context, review_ids: list[str]) -> list[_TaughtReview]:
    rows: list[Any] = context.warehouse.query(
        """
        SELECT u.* EXCLUDE (blanked_at), f.text AS completion FROM unhappy($max_stars) u JOIN feedback f USING (review_id)
        WHERE f.role = 'teacher' AND review_id IN (SELECT unnest($chosen::VARCHAR[])) ORDER BY review_id
        """,
        {"max_stars": context.profile.feedback.max_stars, "chosen": review_ids},
    )
    return rows


def _choose(context: Context) -> dict[str, str]:
    """The split of each review of a new round: `max_examples` of those that the teacher wrote about, proportional to the
    stars, in the shares of SPLITS. A review that the base model was trained on cannot test the student.
    """
    config = context.profile.distill
    candidates = context.warehouse.query(
        """
        WITH candidates AS (
            SELECT u.review_id, u.text,
                   row_number() OVER (PARTITION BY u.stars ORDER BY review_id)
                   / count(*) OVER (PARTITION BY u.stars) AS place
            FROM unhappy($max_stars) u
            JOIN feedback f USING (review_id)
            ANTI JOIN (SELECT review_id FROM store.training_set WHERE fingerprint = $fingerprint) USING (review_id)
            WHERE f.role = 'teacher' AND f.error IS NULL AND NOT f.truncated AND u.blanked_at IS NULL
        )
        SELECT review_id, text FROM candidates ORDER BY place, review_id
        """,
        {"max_stars": context.profile.feedback.max_stars, "fingerprint": context.fingerprint},
    )
    trained_on = duplicates.trained_on([row["text"] for row in candidates], Path(config.weights))
    limit = config.max_examples
    room = {split: limit * share // 100 for split, share in SPLITS.items()}
    splits: dict[str, str] = {}
    spare = []  # fill up the training split where another split falls short of its share
    for row, was_trained_on in zip(candidates, trained_on, strict=True):
        review_id = row["review_id"]
        split = split_of(review_id)
        if room[split] > 0 and not (was_trained_on and split == "test"):
            room[split] -= 1
            splits[review_id] = split
        elif split == "train" or was_trained_on:
            spare.append(review_id)
    return splits | dict.fromkeys(spare[: limit - len(splits)], "train")


def _drop_leaks(context: Context, number: int) -> None:
    """Removes near-duplicates of test reviews from this round: the training row, or the test row if an earlier round has
    already trained on the near-duplicate.
    """
    context.warehouse.execute(
        """
        DELETE FROM store.training_set WHERE fingerprint = $fingerprint AND round = $round AND review_id IN (
            SELECT trained_on FROM training_leaks
            UNION ALL
            SELECT l.review_id FROM training_leaks l JOIN training_set t ON t.review_id = l.trained_on AND t.round < $round
        )
        """,
        {"fingerprint": context.fingerprint, "round": number},
    )


def transform(rows: Sequence[Round], context: Context) -> list[DistillRow]:
    """Trains one round, writing its adapter to `context.models`; returns its row. Raises InputError for a recipe that TRL or
    PEFT does not accept.
    """
    from pipeline.student.sft import train

    (row,) = rows  # batch_size is 1: each round is committed before the next begins
    number, config = row["round"], context.profile.distill
    examples: dict[str, list[dict[str, str]]] = {split: [] for split in SPLITS}
    for example in freeze(context, number):
        examples[example["split"]].append({"prompt": example["prompt"], "completion": example["target"]})
    if not examples["train"]:
        error = "nothing to train on: every unhappy review repeats one of the test reviews"
        return [DistillRow(round=number, model=config.model, error=error)]
    adapter = adapter_name(context.fingerprint, number)
    result = train(
        examples,
        model=config.weights,
        revision=config.revision,
        recipe=load_recipe(config.recipe),
        out=context.models / adapter,
        continue_from=context.models / adapter_name(context.fingerprint, number - 1) if number > 1 else None,
        progress=context.progress,
    )
    return [
        DistillRow(
            round=number,
            model=config.model,
            adapter=adapter,
            adapter_sha256=sum_of(context.models / adapter),
            train_rows=len(examples["train"]),
            validation_rows=len(examples["validation"]),
            test_rows=len(examples["test"]),
            train_loss=result["train_loss"],
            validation_loss=result["validation_loss"],
            best_step=result["best_step"],
            seconds=result["seconds"],
        )
    ]


def prepare(rows: Sequence[Round], context: Context) -> tuple[Sequence[Round], list[str]]:
    """A later round goes on from the adapter of the one before it."""
    first = min(row["round"] for row in rows)
    return rows, restore(context, first - 1)


def restore(context: Context, number: int) -> list[str]:
    """Trains the adapter of a round anew, from its frozen training set, if its folder is missing or is not as it was trained: a
    warehouse may be copied without the folder beside it. Returns a line for each adapter that was.

    Raises InputError if it cannot be trained.
    """
    rows = context.warehouse.query(
        "SELECT fingerprint, round, adapter, adapter_sha256 FROM distill WHERE round = ? AND adapter IS NOT NULL",
        [number],
    )
    if not rows:
        return []
    (row,) = rows
    found = sum_of(context.models / row["adapter"])
    if found and row["adapter_sha256"] in (None, found):  # None: of a version that did not note it
        return []
    earlier = restore(context, number - 1)
    (again,) = transform([Round(round=number)], replace(context, fingerprint=row["fingerprint"]))
    if "error" in again:
        raise InputError(again["error"])
    context.warehouse.execute(
        "UPDATE store.distill SET adapter_sha256 = $sha256, train_loss = $train, validation_loss = $validation, "
        "best_step = $step, seconds = $seconds WHERE fingerprint = $fingerprint AND round = $round",
        {
            "sha256": again["adapter_sha256"],
            "train": again["train_loss"],
            "validation": again["validation_loss"],
            "step": again["best_step"],
            "seconds": again["seconds"],
            "fingerprint": row["fingerprint"],
            "round": number,
        },
    )
    ailing = "is not as it was trained" if found else "is missing"
    return [*earlier, f"the adapter {context.models / row['adapter']} {ailing}: it was trained anew"]


def adapter_name(fingerprint: str, number: int) -> str:
    """The name of the folder of a round's adapter."""
    return f"student-{fingerprint}-{number}"


DISTILL = Stage(
    "distill", ("round",), spec, transform, parents=(FEEDBACK,), params=params, batch_size=1, prepare=prepare
)
