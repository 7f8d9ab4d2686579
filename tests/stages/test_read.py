"""Every review with words is read once, and what it says survives the warehouse."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.backends.fake import FakeReader
from pipeline.core.profile import Profile
from pipeline.core.rows import Reading
from pipeline.core.stage import run_stage
from pipeline.core.warehouse import Warehouse, sql_file
from pipeline.stages.read import READ
from tests.factory import review

TEXTS = ["The waiter was bad. Lovely soup!", 'Nice \U0001f35c noodles, "quoted".', "好吃。服务很差。", "..."]


def night(warehouse: Warehouse, profile: Profile, run: str = "r") -> int:
    return run_stage(READ, profile, warehouse, run, Path()).written


def rounded(value: Any) -> Any:
    """A reading as the warehouse keeps it, its numbers as FLOAT."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(np.float32(value)) if isinstance(value, float) else value


def test_a_reading_comes_back_as_it_was_stored(warehouse: Warehouse, fake_profile: Profile) -> None:
    warehouse.append("store.reviews", [review(text) for text in TEXTS])
    assert night(warehouse, fake_profile) == len(TEXTS)
    expected = dict(zip(TEXTS, FakeReader().read(TEXTS), strict=True))
    assert len(expected[TEXTS[0]]["sentences"]) == 2 and expected[TEXTS[0]]["sentences"][0]["themes"]
    rows = warehouse.query("SELECT r.text, model, COLUMNS(d.*) FROM read d JOIN reviews r USING (review_id)")
    for row in rows:
        assert row["model"] == "fake"
        assert {name: row[name] for name in Reading.__annotations__} == rounded(expected[row["text"]])
    assert len(rows) == len(TEXTS)


def test_ratings_without_words_are_not_read(warehouse: Warehouse, fake_profile: Profile) -> None:
    warehouse.append("store.reviews", [review("Fine."), review("", rating_only=True, stars=4.0)])
    assert night(warehouse, fake_profile) == 1
    assert warehouse.value("SELECT count(*) FROM read") == 1


def test_a_second_night_reads_what_is_new_alone(
    warehouse: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    original = FakeReader.read

    def spy(self: FakeReader, texts: Sequence[str]) -> list[Reading]:
        seen.extend(texts)
        return original(self, texts)

    monkeypatch.setattr(FakeReader, "read", spy)
    warehouse.append("store.reviews", [review(text) for text in TEXTS])
    assert night(warehouse, fake_profile, "r1") == len(TEXTS) and sorted(seen) == sorted(TEXTS)
    assert night(warehouse, fake_profile, "r2") == 0 and len(seen) == len(TEXTS)
    other = dataclasses.replace(
        fake_profile,
        sentiment=dataclasses.replace(fake_profile.sentiment, languages=("de",)),
        emotions=dataclasses.replace(fake_profile.emotions, threshold=0.1),
    )
    assert night(warehouse, other, "r3") == 0, "what decides over readings does not matter"
    warehouse.append("store.reviews", [review("Brand new.")])
    assert night(warehouse, fake_profile, "r4") == 1 and seen[-1] == "Brand new."


def test_a_review_whose_content_changed_is_read_again(warehouse: Warehouse, fake_profile: Profile) -> None:
    rows = [review("Kept as it is.", review_id="a"), review("The first wording.", review_id="b")]
    warehouse.append("store.reviews", rows)
    night(warehouse, fake_profile)
    warehouse.execute(
        "CREATE TEMP TABLE before AS SELECT review_id, "
        "hash(text, liked, disliked, language, stars, label, business, product) AS content FROM reviews"
    )
    warehouse.execute("UPDATE store.reviews SET text = 'The second, bad wording.' WHERE review_id = 'b'")
    warehouse.execute(sql_file("ingest", "recompute.sql"))
    assert warehouse.query("SELECT review_id FROM read") == [{"review_id": "a"}]
    assert night(warehouse, fake_profile, "r2") == 1
    (row,) = warehouse.query("SELECT sentiment, run_id FROM read WHERE review_id = 'b'")
    assert row["run_id"] == "r2" and row["sentiment"][0] > 0.9
