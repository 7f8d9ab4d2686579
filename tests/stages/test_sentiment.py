"""Sentiment is decided by words and stars, and what the words alone say stays beside it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.backends.fake import FakeReader
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile, Sentiment
from pipeline.core.stage import Context, Row, fingerprint, run_stage
from pipeline.core.warehouse import Warehouse, audit
from pipeline.reader.decide import ANY, Rules
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from tests.checkpoints import Checkpoints
from tests.factory import review

RULES = dataclasses.replace(
    FakeReader().rules(),
    stars={
        "1": (2.0, 0.0, -2.0),
        "2": (1.0, 0.0, -1.0),
        "3": (0.0, 1.0, 0.0),
        "4": (-1.0, 0.0, 1.0),
        "5": (-2.0, 0.0, 2.0),
    },
    sure={ANY: 0.8, "de": 0.3},
)
UNCLEAR, NEGATIVE = (0.45, 0.1, 0.45), (0.9, 0.05, 0.05)


@pytest.fixture(autouse=True)
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Rules], None]:
    """Sets the reader's rules; RULES until it is called."""

    def set_rules(rules: Rules) -> None:
        monkeypatch.setattr(FakeReader, "rules", lambda self: rules)

    set_rules(RULES)
    return set_rules


@pytest.fixture
def by_reading(fake_profile: Profile) -> Profile:
    """A profile whose sentiment is decided over readings, as usual."""
    return dataclasses.replace(fake_profile, sentiment=Sentiment())


def sentiment_of(warehouse: Warehouse, profile: Profile, *rows: Row) -> list[Row]:
    return list(SENTIMENT.transform(rows, Context(profile, warehouse, "r", "f", Path())))


def read(words: tuple[float, ...] | None, text: str = "Some words.", **columns: Any) -> Row:
    """A review as it was read: the input of the stage."""
    return review(text) | {"words": None if words is None else list(words)} | columns


def classes(row: Row, prefix: str = "") -> list[float]:
    return [row[f"{prefix}{label}"] for label in ("negative", "neutral", "positive")]


def test_stars_are_evidence_beside_the_words(warehouse: Warehouse, by_reading: Profile) -> None:
    given = (1.0, 3.0, 5.0, None)
    rows = sentiment_of(warehouse, by_reading, *(read(NEGATIVE, stars=stars) for stars in given))
    assert [row["label"] for row in rows] == ["negative", "negative", "positive", "negative"]
    assert rows[0]["negative"] > rows[3]["negative"] > rows[1]["negative"] > rows[2]["negative"]
    for row in rows:
        assert row["text_label"] == "negative" and row["model"] == "reader"
        assert classes(row, "text_") == pytest.approx(NEGATIVE, abs=1e-6), "whatever the stars"
        assert sum(classes(row)) == pytest.approx(1)
    assert classes(rows[3]) == pytest.approx(NEGATIVE, abs=1e-6), "no stars"
    # Five stars add -2, 0 and 2 to the logits.
    weights = np.array(NEGATIVE) * np.exp([-2.0, 0.0, 2.0])
    assert classes(rows[2]) == pytest.approx(weights / weights.sum(), abs=1e-5)


def test_words_that_are_not_clear_leave_the_label_to_the_stars(warehouse: Warehouse, by_reading: Profile) -> None:
    rows = sentiment_of(warehouse, by_reading, *(read(UNCLEAR, stars=stars) for stars in (1.0, 5.0, None)))
    assert [row.get("label") for row in rows] == ["negative", "positive", None]
    assert [row["text_label"] for row in rows] == [None] * 3
    assert "not clear enough in this language (en)" in rows[2]["error"] and "negative" not in rows[2]
    assert classes(rows[2], "text_") == pytest.approx(UNCLEAR, abs=1e-6), "what they say is kept"
    (german,) = sentiment_of(warehouse, by_reading, read((0.5, 0.3, 0.2), language="de"))
    assert german["label"] == german["text_label"] == "negative", "each language has its own threshold"
    (unknown,) = sentiment_of(warehouse, by_reading, read((0.5, 0.3, 0.2), language=None))
    assert "(unknown)" in unknown["error"]


def test_what_was_not_read_or_may_not_be_gets_no_guess(warehouse: Warehouse, by_reading: Profile) -> None:
    english = dataclasses.replace(by_reading, sentiment=Sentiment(languages=("en",)))
    rows = sentiment_of(
        warehouse,
        english,
        read(NEGATIVE, language="de", stars=1.0),
        read(None, stars=1.0),
        read(NEGATIVE, "Ascii of no language.", language=None),
        read(NEGATIVE, "好吃", language=None),
    )
    assert ["error" in row for row in rows] == [True, True, False, True]
    assert "(de)" in rows[0]["error"] and not {"label", "text_label", "negative"} & rows[0].keys()


def calibrated(path: Path) -> str:
    languages = {ANY: {"n": 99, "temperature": 1.0, "bias": [0.0, 0.0, 0.0]}}
    languages["de"] = {"n": 99, "temperature": 2.0, "bias": [1.0, 0.0, -1.0]}
    path.write_text(json.dumps({"classes": ["negative", "neutral", "positive"], "languages": languages}))
    return str(path)


@pytest.mark.parametrize("backend", ["embedded", "fake"])
def test_with_a_calibration_the_words_before_it_are_kept(
    warehouse: Warehouse, fake_profile: Profile, tmp_path: Path, backend: str
) -> None:
    section = Sentiment(backend=backend, calibration=calibrated(tmp_path / "c.json"))
    profile = dataclasses.replace(fake_profile, sentiment=section)
    english, german = sentiment_of(warehouse, profile, read(UNCLEAR), read(UNCLEAR, language="de"))
    assert classes(english, "raw_") == pytest.approx(classes(english, "text_"), abs=1e-6)
    raw = np.array(classes(german, "raw_"))
    logits = np.log(raw) / 2 + [1.0, 0.0, -1.0]
    assert classes(german, "text_") == pytest.approx(np.exp(logits) / np.exp(logits).sum(), abs=1e-5)
    plain = dataclasses.replace(fake_profile, sentiment=dataclasses.replace(section, calibration=""))
    assert "raw_negative" not in sentiment_of(warehouse, plain, read(UNCLEAR))[0]
    assert fingerprint(SENTIMENT, plain) != fingerprint(SENTIMENT, profile)


def test_a_calibration_that_cannot_be_applied_is_one_clear_line(
    warehouse: Warehouse, by_reading: Profile, tmp_path: Path
) -> None:
    (tmp_path / "c.json").write_text("{}")
    section = Sentiment(calibration=str(tmp_path / "c.json"))
    with pytest.raises(InputError, match="review-insights calibrate"):
        sentiment_of(warehouse, dataclasses.replace(by_reading, sentiment=section), read(NEGATIVE))


def test_another_classifier_reads_the_words_itself(warehouse: Warehouse, fake_profile: Profile) -> None:
    rows = sentiment_of(
        warehouse,
        fake_profile,
        read(None, "A bad place.", stars=5.0),
        read(NEGATIVE, "A lovely place."),
        read(NEGATIVE, "Nicht so gut.", language="de"),
    )
    assert [row.get("text_label") for row in rows] == ["negative", "positive", None]
    assert [row.get("label") for row in rows[:2]] == ["negative", "positive"]
    assert rows[0]["negative"] < rows[0]["text_negative"], "the stars count beside any words"
    assert "(de)" in rows[2]["error"]
    assert {row["model"] for row in rows} == {"fake"} and {row["trained_on"] for row in rows} == {None}


def test_a_checkpoint_of_ones_own_is_weighed_with_the_stars(
    warehouse: Warehouse, fake_profile: Profile, tiny: Checkpoints
) -> None:
    labels = {"LABEL_0": "negative", "LABEL_1": "neutral", "LABEL_2": "positive"}
    section = Sentiment(backend="transformers", model=tiny.gpt2_sentiment, labels=labels)
    profile = dataclasses.replace(fake_profile, sentiment=section)
    texts = ["The soup was cold.", "The soup was hot."]
    one, five = ([read(None, text, stars=stars) for text in texts] for stars in (1.0, 5.0))
    low, high = sentiment_of(warehouse, profile, *one), sentiment_of(warehouse, profile, *five)
    for unhappy, happy in zip(low, high, strict=True):
        assert classes(unhappy, "text_") == classes(happy, "text_") and unhappy["text_label"]
        assert unhappy["negative"] > happy["negative"]
        assert sum(classes(unhappy)) == pytest.approx(1)


def test_a_run_is_accepted_by_its_audits(warehouse: Warehouse, by_reading: Profile) -> None:
    reviews = [
        review("A bad place.", stars=1.5),
        review("Lovely.", stars=4.5, language=None),
        review("Wie schön.", language="de"),
        review("", rating_only=True, stars=1.0),
    ]
    warehouse.append("store.reviews", reviews)
    for stage in (READ, SENTIMENT):
        run_stage(stage, by_reading, warehouse, "r", Path())
    rows = warehouse.query(
        "SELECT r.text, s.label, s.text_label, s.error FROM sentiment s JOIN reviews r USING (review_id)"
    )
    assert {row["text"]: (row["label"], row["text_label"], row["error"]) for row in rows} == {
        "A bad place.": ("negative", "negative", None),
        "Lovely.": ("positive", "positive", None),
        "Wie schön.": ("positive", "positive", None),
    }
    audit(warehouse)


def test_rules_and_model_decide_the_fingerprint(by_reading: Profile, use: Callable[[Rules], None]) -> None:
    marks = [fingerprint(SENTIMENT, by_reading)]
    for section in (Sentiment(languages=("en",)), Sentiment(backend="fake")):
        marks.append(fingerprint(SENTIMENT, dataclasses.replace(by_reading, sentiment=section)))
    use(dataclasses.replace(RULES, sure={ANY: 0.5}))
    marks.append(fingerprint(SENTIMENT, by_reading))
    assert len(set(marks)) == 4
