"""No answer of a model server ends a run in a traceback, or costs the right answers beside it."""

from __future__ import annotations

import pytest

from tests.backends import hostile_server
from tests.backends.hostile_server import ODDITIES, failures, survey


@pytest.mark.slow
def test_every_odd_answer_is_survived() -> None:
    assert len(ODDITIES) >= 22
    assert failures() == {}


def test_the_survey_notices_what_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: ODDITIES[name] for name in ("a list", "no money", "negative tokens")}
    assert survey(few) == (3, 3, 0)
    monkeypatch.setattr("pipeline.backends.openai.answer", lambda body: body["choices"][0])
    monkeypatch.setattr(hostile_server, "PROMPTS", ("feedback.v1",))
    assert survey(few) == (3, 0, 3)
