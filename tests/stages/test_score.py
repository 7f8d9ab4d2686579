"""What a candidate is scored with, and that nothing about it is lost."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends import registry
from pipeline.backends.base import Request, Written
from pipeline.core.errors import BackendDown
from pipeline.core.profile import Judge, Profile
from pipeline.core.stage import Context, Unfinished, fingerprint
from pipeline.core.warehouse import Warehouse
from pipeline.quality import summary
from pipeline.stages.score import SCORE, transform
from tests.factory import review

REVIEW = "The soup was cold, and nobody came to our table for an hour."
TEACHER = "The guest waited an hour for cold soup.\n\n1. Check every table twice an hour.\n2. Serve soup hot."
PROMPT = f"Review: {REVIEW}\nFeedback:"


def candidate(role: str, text: str | None, raw: str | None = None) -> dict[str, Any]:
    return {
        "review_id": "r1",
        "role": role,
        "candidate": text,
        "raw_output": raw or text,
        "prompt": PROMPT,
        "reference": TEACHER,
        "review": REVIEW,
    }


ROWS = [
    candidate("teacher", TEACHER),
    candidate("student", "1. Serve the soup hot.\n2. Look after the tables.", f"{PROMPT} 1. Serve the soup hot."),
    candidate("student_base", None),
    candidate("control_constant", "Train the staff. " * 60),
    candidate("control_nearest", "Der Gast hat eine Stunde auf die kalte Suppe gewartet und"),
]


@pytest.fixture
def context(warehouse: Warehouse, fake_profile: Profile, tmp_path: Path) -> Context:
    return Context(fake_profile, warehouse, "run", "f", tmp_path)


def scored(context: Context) -> dict[str, dict[str, Any]]:
    context.warehouse.append("store.reviews", [review(REVIEW, review_id="r1")])
    rows = transform(ROWS, context)
    context.warehouse.append("store.score", [{**row, "fingerprint": "f", "run_id": "run"} for row in rows])
    return {row["role"]: row for row in rows}


def test_metrics_and_signals_of_each_candidate(context: Context) -> None:
    rows = scored(context)
    teacher, student, base, constant, nearest = (rows[row["role"]] for row in ROWS)
    assert "meteor" not in teacher and "length_ratio" not in teacher, "compared with itself it says nothing"
    assert teacher["unfinished"] is False and teacher["grounding"] is None, "no other review to tell it from"
    assert 0 < base["meteor"] + 0.01 < student["meteor"] < 1 and student["bleurt"] > base["bleurt"]
    assert student["prompt_echo"] > 0.9 and constant["prompt_echo"] == 0.0
    assert constant["repetition"] > 0.9 and student["repetition"] == 0.0
    assert constant["length_ratio"] > 5 and base["length_ratio"] == 0.0
    assert constant["bleurt_cut"] and not student["bleurt_cut"] and not constant["bertscore_cut"]
    assert nearest["unfinished"] and nearest["wrong_language"] and student["wrong_language"] is False
    assert base["unfinished"] and base["wrong_language"] is None
    assert "judge" not in student, "no judge was asked for"


class LongerIsBetter:
    """A judge that prefers the longer text wherever it stands."""

    model = "judge"

    def write(self, requests: Any) -> list[Written]:
        def answer(request: Request) -> Written:
            first = request.prompt.rpartition("<text_a>")[2].partition("</text_a>")[0]
            second = request.prompt.rpartition("<text_b>")[2].partition("</text_b>")[0]
            text = f"It says more.\n{'A' if len(first) > len(second) else 'B'}"
            return Written(text, text)

        return [answer(request) for request in requests]


def test_a_judge_s_verdict_is_a_metric_like_any_other(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "judge", lambda config: LongerIsBetter())
    rows = scored(context)
    assert rows["control_constant"]["judge"] == 1.0 and rows["student"]["judge"] == 0.0
    assert "It says more." in rows["student"]["judge_reason"] and rows["student"]["judge_error"] is None
    context.warehouse.append("store.current", [{"stage": "score", "fingerprint": "f"}])
    summary.write(context.warehouse, "run", context.profile)
    sql = "SELECT mean FROM metrics WHERE role = 'control_constant' AND metric = 'judge'"
    assert context.warehouse.value(sql) == 1.0


def test_a_judge_or_another_pool_makes_other_scores(fake_profile: Profile) -> None:
    judge = Judge(backend="openai", model="m", base_url="http://localhost:1/v1")
    judged = dataclasses.replace(fake_profile, judge=judge)
    rescaled = dataclasses.replace(fake_profile, score=dataclasses.replace(fake_profile.score, pool=50))
    assert len({fingerprint(SCORE, profile) for profile in (fake_profile, judged, rescaled)}) == 3


class GoneAfter(LongerIsBetter):
    """The same, until its server is gone."""

    def __init__(self, answers: int) -> None:
        self.answers = answers

    def write(self, requests: Any) -> list[Written]:
        down = BackendDown("gone")
        down.answers = [*super().write(requests[: self.answers]), *[None] * (len(requests) - self.answers)]
        raise down


def test_verdicts_before_the_judge_is_gone_are_kept(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "judge", lambda config: GoneAfter(3))
    context.warehouse.append("store.reviews", [review(REVIEW, review_id="r1")])
    with pytest.raises(Unfinished) as caught:
        transform(ROWS, context)
    assert isinstance(caught.value.__cause__, BackendDown)
    # The teacher's needs no verdict, the student's has both orders, the next one's only one.
    assert [(row["role"], row.get("judge")) for row in caught.value.rows] == [("teacher", None), ("student", 0.0)]
    assert caught.value.rows[1]["meteor"] > 0, "and the other scores beside it"
