"""Tokens and cost are counted per run, stage and model, and no answer is forgotten because it was of no use."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.backends import registry
from pipeline.backends.base import Request, Written
from pipeline.backends.metered import Metered
from pipeline.core import usage
from pipeline.core.errors import BackendDown
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage, run_stage
from pipeline.core.warehouse import Warehouse


class Teacher:
    """Counts ten tokens per prompt and three per answer, and is gone after `answers` of them."""

    model = "teacher"

    def __init__(self, answers: int = 99) -> None:
        self.answers = answers

    def write(self, requests: Sequence[Request]) -> list[Written]:
        answers = [Written("", "", error="nothing", usage=(10, 3)) for _ in requests[: self.answers]]
        if len(answers) < len(requests):
            down = BackendDown("gone")
            down.answers = [*answers, None]
            raise down
        return answers


def stage_of(teacher: Teacher) -> Stage:
    def transform(rows: Sequence[Row], context: Context) -> list[Row]:
        asked = Metered(teacher, (2.0, 10.0)).write([Request("x" * 40, {}) for _ in range(3)])
        return [{"review_id": row["review_id"], "role": "t", "model": "m", "error": asked[0].error} for row in rows]

    return Stage("feedback", ("review_id",), lambda profile: {}, transform, params=params)


def params(profile: Profile) -> dict[str, float]:
    return {"max_stars": 3.0, "max_reviews": 0}


def test_a_stage_keeps_what_its_answers_cost(warehouse: Warehouse, fake_profile: Profile, one_unhappy: None) -> None:
    for _ in range(2):  # as two batches of a run
        warehouse.execute("DELETE FROM store.feedback")
        run_stage(stage_of(Teacher()), fake_profile, warehouse, "run-1", Path())
    found = usage.spent_in(warehouse, "run-1")
    assert found == {("feedback", "teacher"): usage.Spent(6, 240, 60, 18, pytest.approx(60 * 2e-6 + 18 * 1e-5))}


def test_what_was_paid_for_before_an_error_counts(
    warehouse: Warehouse, fake_profile: Profile, one_unhappy: None
) -> None:
    with pytest.raises(BackendDown):
        run_stage(stage_of(Teacher(answers=2)), fake_profile, warehouse, "run-1", Path())
    assert usage.spent_in(warehouse, "run-1")["feedback", "teacher"].requests == 2
    assert warehouse.value("SELECT count(*) FROM store.feedback") == 0, "the rows stay pending"


def test_without_prices_and_without_counts() -> None:
    with usage.counted() as spent:
        usage.count("m", 10, (0, 0), (1.0, 1.0))
        usage.count("n", 10, (5, 5))
    assert spent == {"n": usage.Spent(1, 10, 5, 5, None)}
    assert usage.cost((1_000_000, 1_000_000), (None, 3.0)) == 3.0
    usage.count("m", 10, (5, 5))  # nobody listens


def test_prices_are_the_profiles_and_change_nothing_else(fake_profile: Profile) -> None:
    section = dataclasses.replace(fake_profile.feedback, input_price=0.5, output_price=1.5)
    priced = dataclasses.replace(fake_profile, feedback=section)
    teacher = registry.teacher(priced)
    assert isinstance(teacher, Metered) and teacher.prices == (0.5, 1.5)
    from pipeline.stages.feedback import FEEDBACK

    assert FEEDBACK.spec(priced) == FEEDBACK.spec(fake_profile)


@pytest.fixture
def one_unhappy(warehouse: Warehouse) -> None:
    from tests.factory import review

    warehouse.append("store.reviews", [review("The soup was cold.", stars=1.0)])
