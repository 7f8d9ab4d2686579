"""The `evaluate` classes say what the functions say, offline."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import evaluate
import pytest

from pipeline.metrics import bertscore, bleurt, grounding, meteor
from pipeline.metrics.evaluate_metrics import Bertscore, Bleurt, Grounding, Meteor

TEXTS = ["Keep the soup hot.", "Ship in sturdier boxes.", ""]
TEACHER = ["Serve the soup hot.", "Use a stronger box.", "Say sorry."]
REVIEWS = ["The soup was cold.", "My parcel arrived crushed.", "Nobody came to our table."]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_combined(bleurt_bert: tuple[Path, Any]) -> None:
    folder = str(bleurt_bert[0])
    parts = [Bleurt(model=folder), Bertscore(model="minilm"), Meteor(), Grounding(distractors=REVIEWS)]
    got = evaluate.combine(parts).compute(predictions=TEXTS, references=TEACHER, reviews=REVIEWS)
    expected = {
        "bleurt": bleurt.score(TEXTS, TEACHER, folder),
        "bertscore_f1": bertscore.score(TEXTS, TEACHER, "minilm"),
        "meteor": meteor.score(TEXTS, TEACHER),
        "grounding": grounding.score(TEXTS, REVIEWS, REVIEWS),
    }
    assert set(got) == {*expected, *(f"{name}_scores" for name in expected)}
    for name, values in expected.items():
        assert got[f"{name}_scores"] == pytest.approx(values, abs=1e-4)
        assert got[name] == pytest.approx(sum(values) / 3, abs=1e-4)


def test_rows_can_be_added_one_by_one() -> None:
    metric = Meteor()
    for text, reference in zip(TEXTS, TEACHER, strict=True):
        metric.add(prediction=text, reference=reference)
    assert metric.compute()["meteor_scores"] == meteor.score(TEXTS, TEACHER)
    assert metric.compute(predictions=TEXTS[:1], references=TEACHER[:1])["meteor_scores"] == meteor.score(
        TEXTS[:1], TEACHER[:1]
    )


def test_no_rows_have_no_mean() -> None:
    assert Meteor().compute(predictions=[], references=[]) == {"meteor": None, "meteor_scores": []}


def test_an_unknown_option_is_an_error() -> None:
    with pytest.raises(TypeError, match="modle"):
        Bertscore(modle="minilm").compute(predictions=["a"], references=["a"])
