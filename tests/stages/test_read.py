"""Every review is read once; what was read survives the warehouse, and goes when its review changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.profile import Profile
from pipeline.core.stage import run_stage
from pipeline.core.warehouse import Warehouse, sql_file
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from tests.factory import review

TEXTS = ["The soup was bad. The waiter was kind.", "Fine.", "All bad!"]


@pytest.fixture
def filled(warehouse: Warehouse) -> Warehouse:
    rows = [review(text) for text in TEXTS]
    warehouse.append("store.reviews", [*rows, review("5 stars", rating_only=True, stars=5.0)])
    return warehouse


def test_each_review_is_read_once(filled: Warehouse, fake_profile: Profile) -> None:
    first = run_stage(READ, fake_profile, filled, "r1", Path())
    again = run_stage(READ, fake_profile, filled, "r2", Path())
    assert (first.pending, first.written, again.pending) == (3, 3, 0), "a rating without words is not read"
    (row,) = filled.query("SELECT d.* FROM read d JOIN reviews USING (review_id) WHERE text = ?", [TEXTS[0]])
    assert [(s["start"], s["end"]) for s in row["sentences"]] == [(0, 17), (18, 38)]
    assert len(row["vector"]) == len(row["sentences"][0]["vector"]) == 768 and len(row["emotions"]) == 28
    assert {theme["theme"] for s in row["sentences"] for theme in s["themes"]} == {"food_quality", "service"}
    sentences = {row["sentence"] for row in filled.query("SELECT sentence FROM sentences")}
    assert sentences == {"The soup was bad.", "The waiter was kind.", "Fine.", "All bad!"}


def test_decisions_follow_what_was_read(filled: Warehouse, fake_profile: Profile) -> None:
    for stage in (READ, SENTIMENT, EMOTIONS):
        run_stage(stage, fake_profile, filled, "r", Path())
    assert filled.value("SELECT count(*) FROM sentiment WHERE label IS NOT NULL") == 3


def test_a_review_that_changed_is_read_again(filled: Warehouse, fake_profile: Profile) -> None:
    run_stage(READ, fake_profile, filled, "r1", Path())
    filled.execute(
        "CREATE TEMP TABLE before AS SELECT review_id, hash(text, liked, disliked, language, stars, label, business, product) "
        "AS content FROM reviews"
    )
    filled.execute("UPDATE store.reviews SET stars = 1 WHERE text = 'Fine.'")
    filled.execute(sql_file("ingest", "recompute.sql"))
    assert run_stage(READ, fake_profile, filled, "r2", Path()).pending == 1
