"""distill: freezes a training set of the teacher's texts and trains the student's adapter on it.

The set is frozen per fingerprint and round, before training: reviews of later nights do not retrain by themselves,
and a training that was killed starts again on the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.advice import markers
from pipeline.advice.request import request
from pipeline.backends import registry
from pipeline.core import prompts
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage
from pipeline.stages.feedback import FEEDBACK
from pipeline.student.recipe import load_recipe
from pipeline.text import duplicates
from pipeline.text.splits import split_by_hash
from pipeline.themes.taxonomy import taxonomy_file

SPLITS = {"test": 20, "validation": 10, "train": 70}  # percent


def split_of(review_id: str) -> str:
    """By the review's content hash: the same review is on the same side in every warehouse and every round."""
    return split_by_hash(review_id[:8], SPLITS)


def spec(profile: Profile) -> dict[str, Any]:
    config = profile.distill
    return {
        "version": 4,  # 2: no near-duplicate of a test review is trained on; 3: quotes as markers; 4: a share for each split
        "student": registry.identities(profile)["student"],
        "prompt": prompts.sha256(config.prompt),
        "max_review_characters": config.max_review_characters,
        "recipe": load_recipe(config.recipe),
        "max_examples": config.max_examples,
        "splits": SPLITS,
    }


def params(profile: Profile) -> dict[str, Any]:
    return {"rounds": profile.distill.rounds, "min_examples": profile.distill.min_examples}


def freeze(context: Context, number: int) -> list[Row]:
    """The training set of a round: chosen once, proportional to the stars, without what earlier rounds saw and without
    near-duplicates of test reviews.
    """
    sql = "SELECT * FROM store.training_set WHERE fingerprint = $fingerprint AND round = $round ORDER BY review_id"
    known = context.warehouse.query(sql, {"fingerprint": context.fingerprint, "round": number})
    if known:
        return known
    config = context.profile.distill
    splits = _choose(context)
    chosen = context.warehouse.query(
        """
        SELECT u.*, f.text AS completion FROM unhappy($max_stars) u JOIN feedback f USING (review_id)
        WHERE f.role = 'teacher' AND review_id IN (SELECT unnest($chosen::VARCHAR[])) ORDER BY review_id
        """,
        {"max_stars": context.profile.feedback.max_stars, "chosen": list(splits)},
    )
    asked = [
        request(row, config.prompt, config.max_review_characters, taxonomy_file(context.profile)) for row in chosen
    ]
    frozen = [
        {
            "review_id": row["review_id"],
            "split": splits[row["review_id"]],
            "round": number,
            "prompt": wanted.prompt,
            "completion": row["completion"],
            "target": markers.listed(row["completion"], wanted.slots),
            "fingerprint": context.fingerprint,
            "run_id": context.run_id,
        }
        for row, wanted in zip(chosen, asked, strict=True)
    ]
    with context.warehouse.transaction():
        context.warehouse.append("store.training_set", frozen)
        _drop_leaks(context, number)
    return context.warehouse.query(sql, {"fingerprint": context.fingerprint, "round": number})


def _choose(context: Context) -> dict[str, str]:
    """The split of each review of a new round: of those the teacher wrote about, proportional to the stars, `max_examples`
    in the shares of SPLITS. A review that the base model was trained on cannot test the student.
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
            WHERE f.role = 'teacher' AND f.error IS NULL AND NOT f.truncated
        )
        SELECT review_id, text FROM candidates ORDER BY place, review_id
        """,
        {"max_stars": context.profile.feedback.max_stars, "fingerprint": context.fingerprint},
    )
    familiar = duplicates.trained_on([row["text"] for row in candidates], registry.student_home(config))
    most = config.max_examples
    room = {split: most * share // 100 for split, share in SPLITS.items()}
    splits: dict[str, str] = {}
    spare = []  # may be trained on where a split finds fewer than its share
    for row, seen in zip(candidates, familiar, strict=True):
        review_id = row["review_id"]
        split = split_of(review_id)
        if room[split] > 0 and not (seen and split == "test"):
            room[split] -= 1
            splits[review_id] = split
        elif split == "train" or seen:
            spare.append(review_id)
    return splits | dict.fromkeys(spare[: most - len(splits)], "train")


def _drop_leaks(context: Context, number: int) -> None:
    """Takes out of this round what would train on a test review in other words: its training row, or, where an earlier
    round has already trained on it, its test row.
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


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    from pipeline.student.sft import train

    (row,) = rows  # batch_size is 1: each round is committed before the next begins
    frozen = freeze(context, row["round"])
    config = context.profile.distill
    if not any(example["split"] == "train" for example in frozen):
        error = "nothing to train on: every unhappy review repeats one of the test reviews"
        return [{"round": row["round"], "model": config.model, "error": error}]
    previous = adapter_name(context.fingerprint, row["round"] - 1)
    result = train(
        {
            split: [{"prompt": e["prompt"], "completion": e["target"]} for e in frozen if e["split"] == split]
            for split in SPLITS
        },
        model=registry.student_model(config),
        revision=config.revision,
        recipe=load_recipe(config.recipe),
        out=context.models / adapter_name(context.fingerprint, row["round"]),
        continue_from=context.models / previous if row["round"] > 1 else None,
        progress=context.progress,
    )
    return [
        {
            "round": row["round"],
            "model": config.model,
            "adapter": adapter_name(context.fingerprint, row["round"]),
            **{f"{split}_rows": sum(example["split"] == split for example in frozen) for split in SPLITS},
            **result,
        }
    ]


def adapter_name(fingerprint: str, number: int) -> str:
    return f"student-{fingerprint}-{number}"


DISTILL = Stage("distill", ("round",), spec, transform, parents=(FEEDBACK,), params=params, batch_size=1)
