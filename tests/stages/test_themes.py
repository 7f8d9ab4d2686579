"""The sentiment of a mention: of the aspect where a model reads it, else of the clause."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from pipeline.backends import registry
from pipeline.core import profile
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, fingerprint
from pipeline.core.warehouse import Warehouse
from pipeline.reader.heads import AspectHead
from pipeline.stages.themes import THEMES
from tests.factory import review

MIXED = "The rude waiter brought us a wonderful soup."


def chosen(which: str, base: Profile | None = None) -> Profile:
    base = base or profile.load("embedded")
    return dataclasses.replace(base, themes=dataclasses.replace(base.themes, sentiment=which))


def themes_of(warehouse: Warehouse, settings: Profile, text: str, **columns: str | None) -> dict[str, Row]:
    context = Context(settings, warehouse, "r", "f", Path())
    return {row["theme"]: row for row in THEMES.transform([review(text, **columns)], context)}


def test_one_clause_can_praise_and_blame(warehouse: Warehouse) -> None:
    found = themes_of(warehouse, chosen("aspects"), MIXED)
    assert (found["service"]["sentiment"], found["food_quality"]["sentiment"]) == ("negative", "positive")
    assert {row["evidence"] for row in found.values()} == {MIXED}, "evidence stays the clause"
    plain = themes_of(warehouse, chosen("clause"), MIXED)
    assert len({row["score"] for row in plain.values()}) == 1 < len(plain)


def test_a_happy_customers_faint_blame_is_no_complaint(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The soup was hot. The waiter came. The room has a view."

    def labels(stars: float | None, negative: float) -> set[str]:
        answer = np.array([[negative, 1 - negative, 0.0]], dtype=np.float32)
        monkeypatch.setattr(
            AspectHead, "probabilities", lambda self, sentences, terms: answer.repeat(len(sentences), 0)
        )
        monkeypatch.setattr(AspectHead, "mix", staticmethod(lambda aspects, clauses: aspects))
        context = Context(chosen("aspects"), warehouse, "r", "f", Path())
        return {row["sentiment"] for row in THEMES.transform([review(text) | {"stars": stars}], context)}

    assert labels(5.0, 0.55) == {"neutral"}
    assert labels(5.0, 0.75) == labels(2.0, 0.55) == labels(3.0, 0.55) == labels(None, 0.55) == {"negative"}


def test_languages_that_the_aspect_model_does_not_read_keep_the_clause(warehouse: Warehouse) -> None:
    text = "Maden var dejlig, men tjeneren var uhøflig."
    both = [themes_of(warehouse, chosen(which), text, language="da") for which in ("aspects", "clause")]
    assert both[0] == both[1] and both[0], "Danish"


def test_the_sentence_around_the_mention_is_read_unless_it_is_too_long(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, str]] = []

    def spy(self: AspectHead, sentences: list[str], terms: list[str]) -> np.ndarray:
        read.extend(zip(sentences, terms, strict=True))
        return np.full((len(sentences), 3), 1 / 3)

    monkeypatch.setattr(AspectHead, "probabilities", spy)
    short, long = (
        "We liked the Soup, but the WAITER was rude.",
        f"The soup {'and the bread and the butter ' * 10}was good.",
    )
    themes_of(warehouse, chosen("aspects"), f"{short} {long}")
    assert (short, "Soup") in read and (short, "WAITER") in read
    assert all(len(sentence) <= 240 for sentence, _ in read)


def test_the_setting_decides_and_enters_the_fingerprint(fake_profile: Profile) -> None:
    embedded = profile.load("embedded")
    assert registry.aspects(embedded) and not registry.aspects(fake_profile) and not registry.aspects(chosen("clause"))
    assert registry.aspects(chosen("aspects", fake_profile)), "beside any other sentiment"
    marks = {which: fingerprint(THEMES, chosen(which)) for which in ("auto", "aspects", "clause")}
    assert marks["auto"] == marks["aspects"] != marks["clause"]


def test_both_readings_are_mixed() -> None:
    aspects, clauses = np.array([[0.8, 0.1, 0.1]]), np.array([[0.1, 0.1, 0.8]])
    mixed = AspectHead.mix(aspects, clauses)
    assert mixed.sum() == pytest.approx(1) and mixed[0, 0] > mixed[0, 2] > mixed[0, 1], "the aspect weighs more"
    assert AspectHead.mix(aspects, aspects)[0, 1] == pytest.approx(0.2 / 2.9, abs=1e-4), "neutral counts for two thirds"
    assert np.isfinite(AspectHead.mix(np.array([[1.0, 0, 0]]), np.array([[0, 0, 1.0]]))).all()
