"""generate: the texts of the base student, the tuned student and the controls for each review of the test split.

Every evaluation has controls, because text metrics alone reward a constant text: one constant paragraph, the
teacher's text for the most similar training review, and the teacher's texts shuffled among the test reviews.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Required

from pipeline.advice import markers
from pipeline.advice.request import request
from pipeline.backends import registry
from pipeline.backends.base import Written
from pipeline.backends.screened import Screened
from pipeline.core import prompts
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.rows import UnhappyReview
from pipeline.core.stage import Context, Stage
from pipeline.stages.distill import DISTILL, restore
from pipeline.stages.feedback import FeedbackRow, feedback_row
from pipeline.student.recipe import load_recipe
from pipeline.themes.taxonomy import taxonomy_file

CONSTANT = """\
It is clear that this customer was disappointed with the experience, and we should take their comments seriously. \
Here are some steps to improve:

1. Thank the customer for the feedback and apologize for the experience.
2. Train the staff to be friendly, attentive and professional at all times.
3. Review the quality of the product or service and fix any problem that is found.
4. Communicate clearly with customers about waiting times, prices and what they can expect.

By taking these steps we can improve our service and give this customer a better experience next time."""


class MissingText(UnhappyReview, total=False):
    """A review with the role that is to write for it."""

    role: Required[str]


def spec(profile: Profile) -> dict[str, Any]:
    """What the texts depend on, besides the adapter."""
    options = profile.generate
    return {
        "version": 3,  # 2: markers are filled in; 3: quotes where there is none
        "prompt": prompts.sha256(profile.distill.prompt),
        "rounds": profile.distill.rounds,
        "sampling": [
            options.temperature,
            options.top_p,
            options.no_repeat_ngram_size,
            options.repetition_penalty,
            options.max_new_tokens,
            options.seed,
        ],
        "constant": CONSTANT,
    }


def params(profile: Profile) -> dict[str, Any]:
    """Who is unhappy, the roles, and for how many other reviews the tuned student writes."""
    return {
        "max_stars": profile.feedback.max_stars,
        "new_reviews": profile.generate.new_reviews,
        "has_student": profile.has_student,
        "roles": list(_WRITERS),
    }


def prepare(rows: Sequence[MissingText], context: Context) -> tuple[Sequence[MissingText], list[str]]:
    """Has the student's adapter at hand. Where it is lost and cannot be trained anew, its texts there are stay, and others wait."""
    if all(row["role"] != "student" for row in rows):
        return rows, []
    try:
        return rows, restore(context, _last_round(context)["round"])
    except InputError as error:
        others = [row for row in rows if row["role"] != "student"]
        lost = f"the student's adapter is lost and cannot be trained anew ({error}): its texts there are stay"
        return others, [f"{lost}, {len(rows) - len(others)} reviews wait for it"]


def transform(rows: Sequence[MissingText], context: Context) -> list[FeedbackRow]:
    """One row per review and role, role by role."""
    result = []
    for role, members in groupby(rows, key=lambda row: row["role"]):  # the query orders by role
        group = list(members)
        model, written = _WRITERS[role](group, context)
        result += [
            feedback_row(row["review_id"], role, model, answer) for row, answer in zip(group, written, strict=True)
        ]
    return result


def _student(rows: Sequence[MissingText], context: Context, adapter: Path | None) -> tuple[str, list[Written]]:
    config = context.profile.distill
    quantize = load_recipe(config.recipe)["quantize"]
    student = registry.student(config, context.profile.generate, quantize, adapter)
    taxonomy = taxonomy_file(context.profile)
    requests = [request(row, config.prompt, config.max_review_characters, taxonomy) for row in rows]
    # The base is there to be measured as it is, and its text is never shown.
    screened = Screened(student, withhold=adapter is not None)
    written = [
        replace(answer, text=markers.fill(answer.text, rendered.slots)) if rendered.slots else answer
        for answer, rendered in zip(screened.write(requests), requests, strict=True)
    ]
    return student.model if adapter is None else f"{student.model}+{adapter.name}", written


def _base(rows: Sequence[MissingText], context: Context) -> tuple[str, list[Written]]:
    return _student(rows, context, None)


def _tuned(rows: Sequence[MissingText], context: Context) -> tuple[str, list[Written]]:
    return _student(rows, context, context.models / _last_round(context)["adapter"])


def _last_round(context: Context) -> dict[str, Any]:
    (row,) = context.warehouse.query(
        "SELECT round, adapter FROM distill WHERE error IS NULL ORDER BY round DESC LIMIT 1"
    )
    return row


def _constant(rows: Sequence[MissingText], context: Context) -> tuple[str, list[Written]]:
    return "constant paragraph", [Written(CONSTANT, CONSTANT)] * len(rows)


def _nearest(rows: Sequence[MissingText], context: Context) -> tuple[str, list[Written]]:
    from pipeline.reader.minilm import embed

    train = context.warehouse.query(
        "SELECT text, completion FROM training_set JOIN reviews USING (review_id) WHERE split = 'train' AND text <> '' ORDER BY review_id"
    )
    if not train:
        return "nearest training review", [Written("", "", error="the training split is empty")] * len(rows)
    nearest = (embed([row["text"] for row in rows]) @ embed([row["text"] for row in train]).T).argmax(axis=1)
    texts = [train[index]["completion"] for index in nearest]
    return "nearest training review", [Written(text, text) for text in texts]


def _shuffled(rows: Sequence[MissingText], context: Context) -> tuple[str, list[Written]]:
    """Each test review gets the teacher's text of the next one: a derangement that is always the same."""
    test = context.warehouse.query(
        "SELECT review_id, completion FROM training_set WHERE split = 'test' ORDER BY review_id"
    )
    following = {row["review_id"]: test[(index + 1) % len(test)]["completion"] for index, row in enumerate(test)}
    return "another review's teacher text", [Written(following[row["review_id"]], "") for row in rows]


_WRITERS = {
    "student_base": _base,
    "student": _tuned,
    "control_constant": _constant,
    "control_nearest": _nearest,
    "control_shuffled": _shuffled,
}

GENERATE = Stage(
    "generate",
    ("review_id", "role"),
    spec,
    transform,
    parents=(DISTILL,),
    params=params,
    batch_size=128,
    prepare=prepare,
)
