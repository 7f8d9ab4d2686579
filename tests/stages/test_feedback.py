"""feedback: what the teacher's text depends on, and that a checked answer's row says how it came about."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.advice import problems
from pipeline.backends import registry
from pipeline.backends.base import Request, Written
from pipeline.core.profile import Profile
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.stages.feedback import FEEDBACK
from tests.advice.test_checked import BAD, GOOD, REVIEW


class Teacher:
    model = "teacher"

    def write(self, requests: Sequence[Request]) -> list[Written]:
        answers = [GOOD if request.review["review_id"] == "good" else BAD for request in requests]
        return [Written(answer, answer) for answer in answers]


def with_feedback(profile: Profile, **changes: str) -> Profile:
    return dataclasses.replace(profile, feedback=dataclasses.replace(profile.feedback, **changes))


def test_a_row_says_what_was_not_accepted_and_who_wrote(
    warehouse: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "teacher", lambda profile: Teacher())
    profile = with_feedback(fake_profile, prompt="feedback.v2", backend="openai")
    rows = FEEDBACK.transform(
        [REVIEW | {"review_id": "good"}, REVIEW | {"review_id": "bad"}], Context(profile, warehouse, "r", "f", Path())
    )
    good, bad = rows
    assert (good["model"], good["faults"], good["error"]) == ("teacher", [], None)
    assert good["suggestions"] == json.loads(GOOD)["complaints"][0]["steps"] and good["raw_output"] == GOOD
    assert bad["model"] == "playbook" and len(bad["faults"]) == 2 and bad["suggestions"] and bad["error"] is None
    warehouse.append("store.feedback", [row | {"fingerprint": "f", "run_id": "r"} for row in rows])
    assert warehouse.value("SELECT sum(len(faults)) FROM store.feedback") == 2


def test_a_checked_text_depends_on_the_language_and_other_prompts_do_not(fake_profile: Profile) -> None:
    for prompt, depends in (("feedback.v2", True), ("feedback.v1", False)):
        profile = with_feedback(fake_profile, backend="openai", prompt=prompt)
        assert (FEEDBACK.spec(with_feedback(profile, language="de")) != FEEDBACK.spec(profile)) is depends


def test_the_playbooks_text_depends_on_the_library_and_the_language(
    fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = with_feedback(fake_profile, backend="playbook")
    spec = FEEDBACK.spec(profile)
    assert FEEDBACK.spec(with_feedback(profile, language="de")) != spec
    monkeypatch.setattr("pipeline.stages.feedback.remedies_identity", lambda: "another library")
    assert FEEDBACK.spec(profile) != spec and problems.remedies_identity() != "another library"
