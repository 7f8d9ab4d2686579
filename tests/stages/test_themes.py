"""Themes are decided over what was read: the piece that proves them, the stars, the two boxes, what is usual there."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.advice.matching import Matcher, Weights
from pipeline.advice.problems import load_problems
from pipeline.backends.fake import FakeReader
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, fingerprint, run_stage
from pipeline.core.warehouse import Warehouse
from pipeline.reader.decide import Rules
from pipeline.stages import themes as themes_stage
from pipeline.stages.read import READ
from pipeline.stages.themes import THEMES
from tests.factory import review

WEIGHTS = Weights(30 * np.eye(2, dtype=np.float32), np.zeros(2, np.float32))
TEXT = "Cold soup, but the staff were kind. We liked the room."


def sentence(start: int, end: int, *themes: Row) -> Row:
    return {
        "start": start,
        "end": end,
        "negative": 0.5,
        "neutral": 0.2,
        "positive": 0.3,
        "wish": 0.0,
        "themes": list(themes),
    }


def theme(name: str, start: int, end: int, negative: float = 0.9, probability: float = 0.9) -> Row:
    rest = {"neutral": 0.0, "positive": 1 - negative}
    return {"theme": name, "probability": probability, "negative": negative, **rest, "start": start, "end": end}


def themes_of(warehouse: Warehouse, profile: Profile, sentences: list[Row], **columns: Any) -> dict[str, Row]:
    nothing = {"business": None, "liked": None, "disliked": None, "attributes": None}
    row = review(TEXT) | nothing | {"sentences": sentences} | columns
    context = Context(profile, warehouse, "r", "f", Path())
    return {found["theme"]: found for found in THEMES.transform([row], context)}


def ruled(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    rules: Rules = dataclasses.replace(FakeReader().rules(), **changes)
    monkeypatch.setattr(FakeReader, "rules", lambda self: rules)


def test_the_evidence_is_the_piece_that_proves_it(warehouse: Warehouse, fake_profile: Profile) -> None:
    sentences = [sentence(0, 35, theme("food_quality", 0, 9), theme("staff_attitude", 11, 35, 0.02)), sentence(36, 54)]
    found = themes_of(warehouse, fake_profile, sentences)
    assert {name: (row["evidence"], row["sentiment"]) for name, row in found.items()} == {
        "food_quality": ("Cold soup", "negative"),
        "staff_attitude": ("but the staff were kind.", "positive"),
    }
    assert found["food_quality"]["score"] == pytest.approx(-0.8) and 0.5 < found["food_quality"]["probability"] <= 1


def test_a_complaint_that_is_surely_a_case_of_a_problem_names_it(
    warehouse: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = [problem for problem in load_problems() if problem.theme == "food_quality"][:2]
    monkeypatch.setattr(themes_stage, "_matcher", lambda section, all_problems: Matcher(problems, WEIGHTS))
    about = theme("food_quality", 0, 9)
    said = {
        vector: themes_of(
            warehouse,
            fake_profile,
            [sentence(0, 35, about | change) | {"vector": np.array(vector, np.float16).tobytes()}],
        )["food_quality"]
        for vector, change in (((0.0, 1.0), {}), ((0.7, 0.7), {}), ((1.0, 0.0), {"negative": 0.0, "positive": 1.0}))
    }
    assert said[0.0, 1.0]["problem"] == problems[1].id and said[0.0, 1.0]["problem_probability"] > 0.9
    assert said[0.7, 0.7]["problem"] is None, "two are as close"
    assert said[1.0, 0.0]["problem"] is None, "praise is no case of a problem"
    unread = themes_of(warehouse, fake_profile, [sentence(0, 35, about)])["food_quality"]
    assert unread["problem"] is None, "no vector"


def test_the_library_can_be_read_in_the_warehouse(warehouse: Warehouse, fake_profile: Profile) -> None:
    warehouse.append("store.current", [{"stage": "themes", "fingerprint": "f"}])
    context = Context(fake_profile, warehouse, "r", "f", Path())
    for _ in range(2):
        assert THEMES.finish is not None
        THEMES.finish(context)
        rows = {row["problem"]: row for row in warehouse.query("SELECT * FROM problems")}
        assert len(rows) == len(load_problems())
        for problem in load_problems():
            assert rows[problem.id]["fix"] == list(problem.fix) and rows[problem.id]["who"] == problem.who


def test_a_review_that_speaks_of_nothing_has_one_row(warehouse: Warehouse, fake_profile: Profile) -> None:
    assert themes_of(warehouse, fake_profile, [sentence(0, 54)]) == {
        "": {"review_id": review(TEXT)["review_id"], "theme": ""}
    }
    assert set(themes_of(warehouse, fake_profile, [])) == {""}
    unknown = [sentence(0, 35, theme("of_no_taxonomy", 0, 9))]
    assert set(themes_of(warehouse, fake_profile, unknown)) == {""}


def test_a_rating_of_the_theme_itself_counts_in_place_of_the_stars(
    warehouse: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled(monkeypatch, complaint={"bias": -1.0, "strength": 1.0, "stars": 0.6})
    faint = [sentence(0, 35, theme("food_quality", 0, 9, negative=0.8, probability=0.8))]
    said = {
        food: set(themes_of(warehouse, fake_profile, faint, stars=3.0, attributes={"Food": food}))
        for food in ("1", "5")
    }
    assert said == {"1": {"food_quality"}, "5": {""}}


def test_a_happy_customers_faint_blame_is_no_complaint(
    warehouse: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled(monkeypatch, complaint={"bias": -1.0, "strength": 1.0, "stars": 0.6})
    faint = [sentence(0, 35, theme("food_quality", 0, 9, negative=0.8, probability=0.8))]
    said = {stars: themes_of(warehouse, fake_profile, faint, stars=stars) for stars in (5.0, 1.0)}
    assert "food_quality" not in said[5.0] and said[1.0]["food_quality"]["sentiment"] == "negative"


def test_what_stands_in_the_box_of_what_was_liked_is_no_complaint(warehouse: Warehouse, fake_profile: Profile) -> None:
    doubtful = [sentence(36, 54, theme("room_condition", 36, 53, 0.7))]
    assert themes_of(warehouse, fake_profile, doubtful)["room_condition"]["sentiment"] == "negative"
    liked = themes_of(warehouse, fake_profile, doubtful, liked="We liked the room.", disliked="Cold soup")
    assert liked["room_condition"]["sentiment"] == "positive"
    praise = [sentence(36, 54, theme("room_condition", 36, 53, 0.3))]
    disliked = themes_of(warehouse, fake_profile, praise, liked=None, disliked="We liked the room.")
    assert disliked["room_condition"]["sentiment"] == "negative", "also where it sounds like praise"


def test_what_a_source_speaks_of_is_counted_and_weighs(
    warehouse: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["The wait was bad.", "A bad wait, and a bad soup.", "The soup was fine.", "Nothing to say."]
    rows = [review(text, source="a.csv", business=("Inn", "Inn", "Bar", None)[n]) for n, text in enumerate(texts)]
    warehouse.append("store.reviews", [*rows, review("Lovely wait.", source="b.csv")])
    run_stage(READ, fake_profile, warehouse, "r", Path())
    shares = {
        (row["source"], row["business"], row["theme"]): (round(row["share"], 3), row["reviews"])
        for row in warehouse.query("SELECT * FROM theme_shares")
    }
    assert shares["a.csv", "", "waiting_time"] == (0.495, 4) and shares["b.csv", "", "waiting_time"] == (0.99, 1)
    assert shares["a.csv", "Inn", "waiting_time"] == (0.99, 2) and ("a.csv", "Bar", "waiting_time") not in shares
    ruled(monkeypatch, prior=1.0)
    doubtful = [
        sentence(0, 35, theme("waiting_time", 0, 9, 0.95, 0.3)),
        sentence(36, 54, theme("noise", 36, 54, 0.95, 0.3)),
    ]
    here = themes_of(warehouse, fake_profile, doubtful, source="a.csv", business="Inn")
    assert set(here) == {"waiting_time"}, "people wait there, and nobody speaks of noise"
    assert set(themes_of(warehouse, fake_profile, doubtful, source="new.csv")) == {""}


def test_the_trade_of_a_playbook_is_certain_and_decides_anew(
    warehouse: Warehouse, fake_profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('of_trade = "salon"\n')
    salon = dataclasses.replace(fake_profile, themes=dataclasses.replace(fake_profile.themes, taxonomy=str(file)))
    asked: list[dict[str, float]] = []

    class Asked(Matcher):
        def match(self, vector: Any, theme: str, trades: Any = None) -> None:
            asked.append(trades)

    monkeypatch.setattr(themes_stage, "_matcher", lambda section, problems: Asked(problems[:2], WEIGHTS))
    cold = sentence(0, 35, theme("service", 0, 9)) | {"vector": np.array((0.0, 1.0), np.float16).tobytes()}
    for profile in (fake_profile, salon):
        themes_of(warehouse, profile, [cold])
    assert asked[0]["salon"] < 0.1 and asked[1] == {name: float(name == "salon") for name in asked[0]}
    assert "trade" not in THEMES.spec(fake_profile) and THEMES.spec(salon)["trade"] == "salon"


def test_a_theme_of_ones_own_is_found_by_its_words(
    warehouse: Warehouse, fake_profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    general = '[[aspect]]\nid = "general"\nlabel = "All"\nsteps = ["a", "b", "c"]\n'
    soup = general.replace("general", "soup").replace("All", "Soup") + '[aspect.terms]\nen = ["soup"]\n'
    file.write_text(general + soup)
    mine = dataclasses.replace(fake_profile, themes=dataclasses.replace(fake_profile.themes, taxonomy=str(file)))
    sentences = [sentence(0, 35, theme("food_quality", 0, 9)) | {"negative": 0.9, "positive": 0.0, "neutral": 0.1}]
    found = themes_of(warehouse, mine, sentences)
    assert set(found) == {"soup"}, "and what is not in the playbook is not named"
    assert found["soup"]["sentiment"] == "negative" and "soup" in found["soup"]["evidence"]


def test_another_threshold_decides_again_and_reads_nothing_again(
    fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [fingerprint(stage, fake_profile) for stage in (READ, THEMES)]
    ruled(monkeypatch, praise=0.7)
    after = [fingerprint(stage, fake_profile) for stage in (READ, THEMES)]
    assert after[0] == before[0] and after[1] != before[1]
