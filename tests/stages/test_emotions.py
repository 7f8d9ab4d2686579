"""Emotions are decided over readings, each with its own threshold."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline.core.labels import EMOTIONS as LABELS
from pipeline.core.profile import Emotions, Profile
from pipeline.core.stage import Context, Row, fingerprint, run_stage
from pipeline.core.warehouse import Warehouse, audit
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.read import READ
from tests.factory import review

THRESHOLDS = dict.fromkeys(LABELS, 0.5)


def emotions_of(warehouse: Warehouse, profile: Profile, *rows: Row) -> list[Row]:
    return list(EMOTIONS.transform(rows, Context(profile, warehouse, "r", "f", Path())))


def felt(text: str = "Some words.", language: str | None = "en", **probabilities: float) -> Row:
    """A review as it was read: the input of the stage."""
    return review(text, language=language) | {"felt": [probabilities.get(label, 0.01) for label in LABELS]}


@pytest.fixture
def by_reading(fake_profile: Profile) -> Profile:
    """A profile whose emotions are decided over readings, as usual."""
    return dataclasses.replace(fake_profile, emotions=Emotions(thresholds=THRESHOLDS | {"anger": 0.2}))


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        ({"anger": 0.3, "joy": 0.4}, ["anger"]),
        ({"anger": 0.3, "sadness": 0.8}, ["sadness", "anger"]),
        ({"neutral": 0.9, "sadness": 0.6}, ["sadness"]),
        ({"neutral": 0.9}, ["neutral"]),
        ({"joy": 0.4}, ["joy"]),
        ({"joy": 0.2}, []),
    ],
    ids=["own threshold", "by probability", "neutral beside another", "neutral alone", "nearly", "nothing"],
)
def test_labels_are_those_above_their_thresholds(
    warehouse: Warehouse, by_reading: Profile, probabilities: dict[str, float], labels: list[str]
) -> None:
    (row,) = emotions_of(warehouse, by_reading, felt(**probabilities))
    assert (row["labels"], row["model"]) == (labels, "reader")
    assert [label for label, _ in row["probabilities"]] == list(LABELS)
    assert dict(row["probabilities"])["joy"] == probabilities.get("joy", 0.01)


def test_what_was_not_read_or_may_not_be_gets_an_error(warehouse: Warehouse, by_reading: Profile) -> None:
    english = dataclasses.replace(by_reading, emotions=dataclasses.replace(by_reading.emotions, languages=("en",)))
    rows = [felt("Traurig.", "de", sadness=0.9), felt("Sad.", sadness=0.9), review("Unread.") | {"felt": None}]
    found = {row["review_id"]: row for row in emotions_of(warehouse, english, *rows)}
    german, sad, unread = (found[row["review_id"]] for row in rows)
    assert sad["labels"] == ["sadness"]
    assert "(de)" in german["error"] and "error" in unread and not {"labels", "probabilities"} & german.keys()


def test_a_threshold_decides_again_and_reads_nothing(by_reading: Profile) -> None:
    other = dataclasses.replace(by_reading, emotions=Emotions(thresholds=THRESHOLDS))
    assert fingerprint(EMOTIONS, by_reading) != fingerprint(EMOTIONS, other)
    assert fingerprint(READ, by_reading) == fingerprint(READ, other)


@pytest.mark.parametrize("backend", ["embedded", "fake"])
def test_a_run_keeps_all_probabilities(warehouse: Warehouse, fake_profile: Profile, backend: str) -> None:
    profile = dataclasses.replace(fake_profile, emotions=Emotions(backend=backend, thresholds=THRESHOLDS))
    warehouse.append("store.reviews", [review("A bad place."), review("Lovely."), review("", rating_only=True)])
    for stage in (READ, EMOTIONS):
        assert run_stage(stage, profile, warehouse, "r", Path()).written == 2
    for row in warehouse.query("SELECT * FROM emotions"):
        assert tuple(row["probabilities"]) == LABELS and row["error"] is None
        assert {label for label, value in row["probabilities"].items() if value >= 0.5} - {"neutral"} <= set(
            row["labels"]
        )
    audit(warehouse)
