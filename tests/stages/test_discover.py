"""Themes outside the playbook: planted ones are found and named, and later nights leave them as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.backends import fake
from pipeline.core import queries
from pipeline.core.profile import Profile
from pipeline.core.stage import StageResult, run_stage
from pipeline.core.warehouse import Warehouse, audit
from pipeline.reader import minilm
from pipeline.stages.discover import DISCOVER
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from pipeline.themes import discovery
from pipeline.themes.taxonomy import load_aspects
from pipeline.themes.terms import find_mentions
from tests.factory import review

PARROT = [
    "Their bad parrot pecked my finger.",
    "A bad parrot pecks whoever passes.",
    "That bad old parrot pecked our boy on the finger.",
    "The bad-tempered parrot pecked me twice on my finger.",
    "We were pecked by their bad parrot.",
    "The parrot is bad and pecks fingers.",
]
MAGICIAN = [
    "The bad magician lost my ring.",
    "A bad magician who lost her wedding ring.",
    "Bad magician, my ring never came out of his hat.",
    "That bad magician dropped my ring and hid it.",
    "The magician was bad and lost two rings.",
]
VERDICTS = [
    f"Really bad, we will not be back {word}." for word in ("again", "soon", "ever", "here", "anymore", "at all")
]
OTHERS = [f"All of it was fine on visit {number}." for number in range(30)]


def night(warehouse: Warehouse, profile: Profile, texts: list[str], run: str, **columns: Any) -> StageResult:
    warehouse.append("store.reviews", [review(text, run_id=run, **columns) for text in texts])
    run_stage(READ, profile, warehouse, run, Path())
    run_stage(SENTIMENT, profile, warehouse, run, Path())
    return run_stage(DISCOVER, profile, warehouse, run, Path())


def discovered(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in warehouse.query("SELECT * FROM discovered_themes")}


@pytest.fixture(autouse=True)
def _vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sentences that mean something, which the fake reader's do not."""
    monkeypatch.setattr(fake, "_vector", lambda text: minilm.embed([text])[0].astype(np.float16).tobytes())


@pytest.fixture
def filled(warehouse: Warehouse, fake_profile: Profile) -> Warehouse:
    night(warehouse, fake_profile, [*PARROT, *MAGICIAN, *VERDICTS, *OTHERS], "r1")
    return warehouse


def test_planted_themes_are_found_and_named_by_their_words(filled: Warehouse) -> None:
    assert not any(find_mentions(text, "en", load_aspects()) for text in PARROT + MAGICIAN), "outside the playbook"
    found = discovered(filled)
    assert {words[0] for words in (row["words"] for row in found.values())} == {"parrot", "magician"}, found
    (parrot,) = (row for row in found.values() if row["words"][0] == "parrot")
    assert (parrot["reviews"], parrot["of_reviews"], parrot["weight"]) == (6, 47, "some")
    assert parrot["share_low"] < parrot["share"] == 6 / 47 < parrot["share_high"]
    assert len(parrot["quotes"]) == 3 and {quote["evidence"] for quote in parrot["quotes"]} <= set(PARROT)
    assert set(parrot["review_ids"]) == {review(text)["review_id"] for text in PARROT}
    audit(filled)


def test_a_later_night_keeps_ids_and_joins_what_is_known_before_it_founds(
    filled: Warehouse, fake_profile: Profile
) -> None:
    before = discovered(filled)
    more = [
        "The bad parrot pecked my uncle's finger.",
        *(f"A bad drone buzzed above our heads {n} times." for n in ("two", "nine")),
    ]
    night(filled, fake_profile, more, "r2")
    after = discovered(filled)
    assert {name: row["theme"] for name, row in after.items()} == {name: row["theme"] for name, row in before.items()}
    assert sorted(row["reviews"] for row in after.values()) == [5, 7], "the parrot has bitten again; two are no theme"
    # What was left over becomes a theme once there is enough of it, on whichever night.
    night(
        filled,
        fake_profile,
        [f"The bad drone buzzed over us, {n} flights of it." for n in ("three", "six", "ten")],
        "r3",
    )
    new = {name: row for name, row in discovered(filled).items() if name not in after}
    assert [(row["reviews"], row["founded_by"]) for row in new.values()] == [(5, "r3")] and "drone" in "".join(new)
    assert {row["theme"] for row in discovered(filled).values()} > {row["theme"] for row in before.values()}


def test_a_quiet_night_changes_nothing_and_loads_nothing(
    filled: Warehouse, fake_profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = filled.query("SELECT * FROM store.discover ORDER BY ALL")

    def never(*args: Any) -> None:
        raise AssertionError("nothing was new")

    monkeypatch.setattr(discovery, "new_themes", never)
    result = run_stage(DISCOVER, fake_profile, filled, "r2", Path())
    assert (result.pending, result.written) == (0, 0)
    assert filled.query("SELECT * FROM store.discover ORDER BY ALL") == state


def test_a_run_that_was_killed_before_its_end_is_finished_by_the_next(filled: Warehouse, fake_profile: Profile) -> None:
    expected = discovered(filled)
    vectors = filled.query("SELECT review_id, place FROM store.discover WHERE place >= 0")
    filled.execute("DELETE FROM store.discover")
    filled.execute("DELETE FROM store.discovered")
    import dataclasses

    cut = dataclasses.replace(DISCOVER, finish=None, batch_size=3)
    run_stage(cut, fake_profile, filled, "r1", Path())
    assert filled.value("SELECT count(*) FROM store.discover WHERE theme IS NULL AND place >= 0") == len(vectors)
    run_stage(DISCOVER, fake_profile, filled, "r1", Path())
    assert discovered(filled) == expected, "and batches do not matter"


def test_other_languages_say_that_they_were_not_searched(warehouse: Warehouse, fake_profile: Profile) -> None:
    result = night(
        warehouse, fake_profile, ["Der Papagei hat mich gebissen.", "Nie wieder."], "r", language="de", stars=1.0
    )
    assert result.failed == 2
    (row,) = warehouse.query("SELECT DISTINCT place, error FROM store.discover")
    assert row["place"] == -1 and "(de)" in row["error"]


def test_four_reviews_are_no_theme_here_or_in_a_choice(filled: Warehouse, fake_profile: Profile) -> None:
    filled.execute("UPDATE store.reviews SET business = 'Zoo' WHERE contains(text, 'parrot') AND review_id < 'a'")
    query = queries.load("discovered_themes")
    for row in filled.query(query.sql, query.bind({"business": "Zoo"})):
        assert row["reviews"] >= 5
    assert len(filled.query(query.sql, query.bind({"limit": 1}))) == 1


def test_a_name_must_be_said_by_the_unhappy_more_than_by_others() -> None:
    members = [discovery.Clause(str(n), "The restaurant elevator rattled.") for n in range(6)]
    others = [("A restaurant with a view.", False)] * 200
    unhappy = [("A restaurant with a queue.", True)] * 194 + [(clause.text, True) for clause in members]
    assert discovery.name_words(members, discovery.background(unhappy + others)) == ("elevator", "rattled")
    assert discovery.name_words(members, discovery.background([(clause.text, True) for clause in members])) == ()


def test_the_nearest_theme_takes_a_clause_and_a_far_one_none() -> None:
    centroids = np.eye(4, dtype=np.float32)[:2]
    vectors = np.array([[0.8, 0.6, 0, 0], [0.6, 0.8, 0, 0], [0.1, 0.1, 0.7, 0.7]], dtype=np.float32)
    taken, closeness = discovery.assign(vectors, centroids)
    assert taken.tolist() == [0, 1, -1] and closeness.tolist() == pytest.approx([0.8, 0.8, 0.1])
    assert discovery.assign(vectors, np.zeros((0, 4)))[0].tolist() == [-1, -1, -1]


def test_sentences_with_a_theme_or_without_content_are_left_out(warehouse: Warehouse, fake_profile: Profile) -> None:
    night(
        warehouse,
        fake_profile,
        ["A bad, long wait. It was bad! The bad parrot pecked my finger. The parrot sang well."],
        "r",
    )
    assert [row["evidence"] for row in warehouse.query("SELECT evidence FROM store.discover")] == [
        "The bad parrot pecked my finger."
    ]
