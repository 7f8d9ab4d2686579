"""Sentiment: by words and stars, with what the words alone say beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends.embedded import EmbeddedReader
from pipeline.backends.fake import FakeReader
from pipeline.core import profile
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row
from pipeline.core.warehouse import Warehouse
from pipeline.reader.decide import ANY
from pipeline.stages.sentiment import SENTIMENT
from tests.factory import review

STARS = {
    "1": (2.0, 0.0, -2.0),
    "2": (1.0, 0.0, -1.0),
    "3": (0.0, 1.0, 0.0),
    "4": (-1.0, 0.0, 1.0),
    "5": (-2.0, 0.0, 2.0),
}


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> Profile:
    """The reader's answers, with rules of our own; nothing is loaded."""
    rules = dataclasses.replace(FakeReader().rules(), stars=STARS, sure={"en": 0.5, ANY: 0.9})
    monkeypatch.setattr(EmbeddedReader, "rules", lambda self: rules)
    return profile.load("embedded")


def decided(warehouse: Warehouse, chosen: Profile, words: list[float] | None, **columns: Any) -> Row:
    (row,) = SENTIMENT.transform(
        [review("Soup.") | {"words": words} | columns], Context(chosen, warehouse, "r", "f", Path())
    )
    return dict(row)


def test_stars_are_evidence_and_the_words_are_kept(warehouse: Warehouse, embedded: Profile) -> None:
    doubtful, plain = [0.55, 0.05, 0.4], [0.97, 0.01, 0.02]
    assert decided(warehouse, embedded, doubtful)["label"] == "negative"
    happy = decided(warehouse, embedded, doubtful, stars=5.0)
    assert (happy["label"], happy["text_label"]) == ("positive", "negative")
    assert happy["text_negative"] == pytest.approx(0.55) and happy["negative"] < 0.1
    beyond_doubt = decided(warehouse, embedded, [0.9999, 0.0, 0.0001], stars=5.0)
    assert beyond_doubt["label"] == "negative", "whatever the stars say"
    assert decided(warehouse, embedded, plain, stars=None)["negative"] == pytest.approx(0.97)


def test_words_that_are_not_clear_enough_get_no_label(warehouse: Warehouse, embedded: Profile) -> None:
    unclear = [0.6, 0.2, 0.2]
    assert decided(warehouse, embedded, unclear)["text_label"] == "negative", "clear enough in English"
    silent = decided(warehouse, embedded, unclear, language="xx")
    assert "label" not in silent and "(xx)" in silent["error"] and silent["text_label"] is None
    by_stars = decided(warehouse, embedded, unclear, language="xx", stars=1.0)
    assert (by_stars["label"], by_stars["text_label"]) == ("negative", None) and "error" not in by_stars


def test_a_review_that_was_not_read_and_a_language_that_is_not_wanted_say_so(
    warehouse: Warehouse, embedded: Profile
) -> None:
    assert "does not read" in decided(warehouse, embedded, None)["error"]
    only = dataclasses.replace(embedded, sentiment=dataclasses.replace(embedded.sentiment, languages=("de",)))
    assert "(en)" in decided(warehouse, only, [1.0, 0.0, 0.0])["error"]


def test_another_model_reads_the_words_itself(warehouse: Warehouse, fake_profile: Profile) -> None:
    row = decided(warehouse, fake_profile, None)
    assert (row["label"], row["text_label"], row["model"], row["trained_on"]) == ("positive", "positive", "fake", None)
