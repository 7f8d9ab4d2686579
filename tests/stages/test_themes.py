"""Themes are decisions over readings: what is said of a theme, which piece proves it, and what else is evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends.fake import FakeReader
from pipeline.core.profile import Profile, Themes
from pipeline.core.rows import Sentence
from pipeline.core.stage import Context, Row, fingerprint, run_stage
from pipeline.core.warehouse import Warehouse, audit, sql_file
from pipeline.reader.decide import ANY, Rules
from pipeline.stages.discover import DISCOVER
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from pipeline.stages.themes import THEMES
from pipeline.themes.taxonomy import load_aspects
from tests.factory import review
from tests.stages.sentences import BAD, GOOD, Polarity, about, sentence

RULES = dataclasses.replace(
    FakeReader().rules(),
    complaint={"bias": -1.0, "present": 1.0, "negative": 2.0, "stars": 1.0},
    shares={aspect.id: 0.1 for aspect in load_aspects()},
    prior=1.0,
)
TEXT = "The soup was lovely, but the waiter was rude. We left at nine."
FIRST = "The soup was lovely, but the waiter was rude."


@pytest.fixture(autouse=True)
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Rules], None]:
    """Sets the reader's rules; RULES until it is called."""

    def set_rules(rules: Rules) -> None:
        monkeypatch.setattr(FakeReader, "rules", lambda self: rules)

    set_rules(RULES)
    return set_rules


@pytest.fixture
def context(warehouse: Warehouse, fake_profile: Profile) -> Context:
    return Context(fake_profile, warehouse, "r", "f", Path())


def read(text: str, *sentences: Sentence, **columns: Any) -> Row:
    """A review as it was read: the input of the stage."""
    boxes = {"business": None, "liked": None, "disliked": None}
    return review(text) | boxes | {"sentences": list(sentences)} | columns


def themes_of(context: Context, row: Row) -> dict[str, Row]:
    return {found["theme"]: found for found in THEMES.transform([row], context)}


def test_evidence_is_the_piece_that_proves_it(context: Context) -> None:
    said = sentence(
        TEXT,
        FIRST,
        about("food_quality", TEXT, "The soup was lovely", polarity=GOOD),
        about("service", TEXT, "the waiter was rude"),
    )
    found = themes_of(context, read(TEXT, said))
    assert {theme: (row["evidence"], row["sentiment"]) for theme, row in found.items()} == {
        "food_quality": ("The soup was lovely", "positive"),
        "service": ("the waiter was rude", "negative"),
    }
    assert found["service"]["score"] == pytest.approx(-0.85) and found["service"]["probability"] > 0.9


def test_a_review_without_a_theme_has_one_row_and_so_has_one_without_a_reading(context: Context) -> None:
    faint = sentence(TEXT, FIRST, about("service", TEXT, FIRST, probability=0.05, polarity=(0.4, 0.3, 0.3)))
    for row in (read(TEXT, faint), read(TEXT), read(TEXT, sentences=None)):
        assert THEMES.transform([row], context) == [{"review_id": row["review_id"], "theme": ""}]


def test_a_complaint_outweighs_praise(context: Context) -> None:
    text = "Service was great on Monday. Service was slow on Tuesday. Service was fine on Sunday."
    sentences = [
        sentence(text, words, about("service", text, words, probability, polarity))
        for words, probability, polarity in (
            ("Service was great on Monday.", 0.99, (0.0, 0.01, 0.99)),
            ("Service was slow on Tuesday.", 0.8, (0.7, 0.2, 0.1)),
            ("Service was fine on Sunday.", 0.99, (0.1, 0.1, 0.8)),
        )
    ]
    (found,) = THEMES.transform([read(text, *sentences)], context)
    assert (found["sentiment"], found["evidence"]) == ("negative", "Service was slow on Tuesday.")


def test_stars_are_evidence_for_and_against_blame(context: Context) -> None:
    def sentiment(polarity: Polarity, stars: float | None) -> str | None:
        said = sentence(TEXT, FIRST, about("service", TEXT, FIRST, polarity=polarity))
        (found,) = THEMES.transform([read(TEXT, said, stars=stars)], context)
        return found.get("sentiment")

    faint, clear = (0.55, 0.15, 0.3), (0.95, 0.04, 0.01)
    assert [sentiment(faint, stars) for stars in (1.0, 3.0, None, 5.0)] == ["negative"] * 3 + [None]
    assert sentiment(clear, 5.0) == "negative", "who is content may still complain"


def test_a_box_says_what_is_meant(context: Context) -> None:
    liked, disliked = "The waiter knows everything.", "The waiter knows everybody."
    text = f"{liked}\n\n{disliked}"

    def labels(**columns: Any) -> list[str]:
        sentences = [
            sentence(text, liked, about("service", text, liked, polarity=(0.6, 0.1, 0.3))),
            sentence(text, disliked, about("expertise", text, disliked, polarity=(0.2, 0.1, 0.7))),
        ]
        found = themes_of(context, read(text, *sentences, **columns))
        return [found[theme]["sentiment"] for theme in ("service", "expertise")]

    assert labels() == ["negative", "positive"], "by the words alone"
    assert labels(liked=liked, disliked=disliked) == ["positive", "negative"]
    assert labels(liked=text, disliked=text) == labels(), "what stands in both says nothing"


def test_a_verdict_says_nothing_beside_a_subject_of_the_same_polarity(context: Context) -> None:
    verdict = about("general", TEXT, "We left at nine.")
    rude = about("service", TEXT, "the waiter was rude")
    both = [sentence(TEXT, FIRST, rude), sentence(TEXT, "We left at nine.", verdict)]
    assert set(themes_of(context, read(TEXT, *both))) == {"service"}
    kind = about("service", TEXT, "the waiter was rude", polarity=GOOD)
    assert set(themes_of(context, read(TEXT, sentence(TEXT, FIRST, kind), both[1]))) == {"service", "general"}


# --- a source's own shares ---


def stored(warehouse: Warehouse, name: str, themes: list[dict[str, float]], **columns: Any) -> None:
    """A review, read: per sentence the probabilities of its themes."""
    row = review(name, review_id=name, **columns)
    sentences = [
        sentence(name, name, *(about(theme, name, name, value) for theme, value in said.items())) for said in themes
    ]
    reading = {"review_id": name, "fingerprint": "f", "run_id": "r", "model": "fake", "sentences": sentences}
    warehouse.append("store.reviews", [row])
    if not row["rating_only"]:
        warehouse.append("store.read", [reading])


@pytest.fixture
def counted(context: Context) -> Context:
    """Two sources; in a.csv one review is of no business, and another a rating without words."""
    warehouse = context.warehouse
    warehouse.append("store.current", [{"stage": "read", "fingerprint": "f"}])
    stored(warehouse, "r1", [{"service": 0.2}, {"service": 0.6}], source="a.csv", business="Inn")
    stored(warehouse, "r2", [{"service": 0.5, "food_quality": 0.4}], source="a.csv", business="Inn")
    stored(warehouse, "r3", [{"service": 0.3}], source="a.csv")
    stored(warehouse, "r4", [], source="a.csv", business="Inn", rating_only=True)
    stored(warehouse, "r5", [{}], source="a.csv", business="Zoo")
    stored(warehouse, "r6", [{"food_quality": 0.8}], source="b.csv", business="Inn")
    assert READ.finish
    READ.finish(context)
    return context


def shares(context: Context, sources: list[str], businesses: list[str]) -> dict[tuple[str, ...], tuple[float, int]]:
    rows = context.warehouse.query(
        sql_file("reading", "theme_shares.sql"), {"sources": sources, "businesses": businesses}
    )
    return {
        (row["source"], row["business"], row["theme"]): (pytest.approx(row["total"], abs=1e-6), row["reviews"])
        for row in rows
    }


def test_what_each_place_speaks_of_is_counted_once_per_review(counted: Context) -> None:
    assert shares(counted, ["a.csv", "b.csv"], ["Inn", ""]) == {
        ("a.csv", "", "service"): (0.6 + 0.5 + 0.3, 4),
        ("a.csv", "", "food_quality"): (0.4, 4),
        ("a.csv", "Inn", "service"): (0.6 + 0.5, 2),
        ("a.csv", "Inn", "food_quality"): (0.4, 2),
        ("b.csv", "", "food_quality"): (0.8, 1),
    }
    assert {business for _, business, _ in shares(counted, ["a.csv"], ["Zoo"])} == {""}, "the Zoo's says nothing"


def test_what_is_withdrawn_is_no_longer_counted(counted: Context) -> None:
    counted.warehouse.execute("UPDATE store.reviews SET current = false WHERE review_id IN ('r2', 'r6')")
    assert READ.finish
    READ.finish(counted)
    READ.finish(counted)
    assert shares(counted, ["a.csv", "b.csv"], ["Inn", "Inn"]) == {
        ("a.csv", "", "service"): (0.9, 3),
        ("a.csv", "Inn", "service"): (0.6, 1),
    }


def test_what_is_usual_in_a_place_is_evidence_there(counted: Context, use: Callable[[Rules], None]) -> None:
    use(dataclasses.replace(RULES, complaint={"bias": 0.0, "present": 1.0, "negative": 1.0, "stars": 1.0}))

    def probability(**columns: Any) -> float | None:
        even = about("service", TEXT, FIRST, probability=0.5, polarity=(0.5, 0.3, 0.2))
        found = themes_of(counted, read(TEXT, sentence(TEXT, FIRST, even), **columns))
        return found["service"]["probability"] if "service" in found else None

    # Presence and polarity are even, so the odds are those of the share against those of the usual one, 1 to 9. A share is
    # drawn towards the one above it by 30 reviews: (1.4 + 30 * 0.1) / 34 in a.csv, then (1.1 + 30 * that) / 32 in its Inn.
    of_source = (1.4 + 3) / 34
    of_inn = (1.1 + 30 * of_source) / 32
    assert probability(source="a.csv") == pytest.approx(9 * of_source / (1 + 8 * of_source))
    assert probability(source="a.csv", business="Zoo") == probability(source="a.csv")
    assert probability(source="a.csv", business="Inn") == pytest.approx(9 * of_inn / (1 + 8 * of_inn))
    assert probability(source="b.csv", business="Inn") is None, "nobody speaks of it there"
    assert probability(source="new.csv") == pytest.approx(0.5), "as usual as anywhere"


# --- the user's own playbook ---

OWN = """
[[aspect]]
id = "parrots"
label = "Parrots"
acknowledge = ["You wrote {quote}."]
steps = ["Feed them.", "Cage them.", "Sell them."]
terms.en = ["parrot*"]

[[aspect]]
id = "general"
label = "General"
acknowledge = ["You wrote {quote}."]
steps = ["Ask.", "Listen.", "Act."]
"""


@pytest.fixture
def own(fake_profile: Profile, tmp_path: Path) -> Profile:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    return dataclasses.replace(fake_profile, themes=Themes(taxonomy=str(file)))


def test_own_themes_are_found_by_their_words_and_judged_by_their_sentence(warehouse: Warehouse, own: Profile) -> None:
    text = "The soup was lovely, but their parrots bite. One parrot sang for us."
    bite, sang = "The soup was lovely, but their parrots bite.", "One parrot sang for us."
    context = Context(own, warehouse, "r", "f", Path())
    praised = read(text, sentence(text, bite, polarity=GOOD), sentence(text, sang, polarity=GOOD))
    blamed = read(text, sentence(text, bite, polarity=BAD), sentence(text, sang, polarity=GOOD))
    assert themes_of(context, praised)["parrots"]["sentiment"] == "positive"
    (found,) = THEMES.transform([blamed], context)
    assert (found["theme"], found["sentiment"], found["evidence"]) == ("parrots", "negative", "but their parrots bite.")


def test_themes_that_the_playbook_lacks_are_left_out_and_outdo_nothing(warehouse: Warehouse, own: Profile) -> None:
    said = sentence(TEXT, FIRST, about("service", TEXT, FIRST), about("general", TEXT, FIRST))
    assert set(themes_of(Context(own, warehouse, "r", "f", Path()), read(TEXT, said))) == {"general"}


# --- the stage ---


def test_a_changed_threshold_decides_again_and_reads_nothing(
    warehouse: Warehouse, fake_profile: Profile, own: Profile, use: Callable[[Rules], None]
) -> None:
    def marks(profile: Profile) -> dict[str, str]:
        return {stage.name: fingerprint(stage, profile) for stage in (READ, SENTIMENT, EMOTIONS, DISCOVER, THEMES)}

    before = marks(fake_profile)
    assert {name for name, mark in marks(own).items() if mark != before[name]} == {"themes"}
    use(dataclasses.replace(RULES, least={ANY: 0.9}))
    changed = {name for name, mark in marks(fake_profile).items() if mark != before[name]}
    assert "themes" in changed and "read" not in changed


def test_a_run_reads_decides_and_leaves_what_its_audits_accept(warehouse: Warehouse, fake_profile: Profile) -> None:
    texts = ["The waiter was bad and we waited.", "Lovely soup. \U0001f35c The waiter was bad.", "The sky is blue."]
    warehouse.append("store.reviews", [review(text) for text in texts])
    for stage in (READ, THEMES):
        run_stage(stage, fake_profile, warehouse, "r", Path())
    rows = warehouse.query(
        "SELECT text, theme, evidence, t.sentiment FROM store.themes t JOIN reviews USING (review_id)"
    )
    found = {(row["text"], row["theme"]): (row["evidence"], row["sentiment"]) for row in rows}
    assert found[texts[1], "service"] == ("The waiter was bad.", "negative")
    assert found[texts[1], "food_quality"][1] == "positive"
    assert found[texts[2], ""] == (None, None)
    audit(warehouse)
    assert run_stage(THEMES, fake_profile, warehouse, "r2", Path()).pending == 0
