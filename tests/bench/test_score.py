"""The benchmark of the scores compares like with like; how fast a machine is, is no test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bench import meteor as meteor_bench
from pipeline.bench import score as bench
from pipeline.bench.measure import Sizes
from pipeline.core.errors import InputError
from pipeline.metrics import meteor

REFERENCES = ["Apologise for the cold soup.\nTrain the waiters.", "Answer the phone.\nCall the guest back."]
OTHERS = ["Refund the parcel.", "Clean the rooms."]


@pytest.fixture(autouse=True)
def no_wordnet_but_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(meteor_bench, "DEBIAN_WORDNET", tmp_path)
    monkeypatch.setattr(meteor_bench, "_nltk_has_wordnet", lambda: False)
    monkeypatch.setattr(bench, "_WINDOW", 192)  # none of these pairs is longer


@pytest.mark.slow  # loads three models
def test_each_metric_is_compared_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_advice", lambda: [*REFERENCES, *OTHERS])
    found = bench.run(Sizes(limit=1, rounds=1))
    assert [one.name for one in found] == [
        f"beside plain calls, {name}" for name in ("all", "BERTScore", "BLEURT", "METEOR")
    ]
    assert found[0].bar == 4 and found[0].why and found[1].bar is None
    details = found[0].details
    assert details["pairs"] == 10 and details["equal"] and all(one.value > 0 for one in found)


@pytest.mark.slow
def test_a_wrong_value_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_advice", lambda: [*REFERENCES, *OTHERS])
    monkeypatch.setattr(meteor, "score", lambda candidates, references: [2.0] * len(candidates))
    with pytest.raises(AssertionError, match="METEOR"):
        bench.run(Sizes(limit=1, rounds=1))


def test_every_role_has_a_candidate_for_each_reference() -> None:
    roles = bench.candidates(REFERENCES, OTHERS)
    assert all([pair[1] for pair in pairs] == REFERENCES for pairs in roles.values())
    assert [pair[0] for pair in roles["control_shuffled"]] == REFERENCES[::-1]
    assert len({pair[0] for pair in roles["control_constant"]}) == 1
    with pytest.raises(InputError, match="two reviews"):
        bench.candidates(REFERENCES[:1], OTHERS[:1])


def test_the_texts_are_the_playbook_s() -> None:
    texts = bench._advice()
    assert len(texts) == len(set(texts)) > 100 and texts == bench._advice()
