"""The playbook writes feedback that names, quotes and answers the complaint, and nothing that was not said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.advice.answer import parse_suggestions
from pipeline.advice.writer import MOST_WORDS, Playbook
from pipeline.backends.base import Request
from pipeline.core.labels import EMOTIONS
from pipeline.themes.taxonomy import GENERAL
from pipeline.themes.terms import find_mentions

PLAYBOOK = Playbook()
QUOTE = re.compile(r"“(.+?)”")


def theme(name: str, evidence: str, sentiment: str | None = "negative", score: float | None = -0.8) -> dict[str, Any]:
    return {"theme": name, "evidence": evidence, "sentiment": sentiment, "score": score}


def review(text: str, *found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "text": text,
        "stars": 2.0,
        "emotions": [],
        "language": "en",
        "business": None,
        "themes": list(found),
    } | more


WAITED = theme("waiting_time", "We waited fifty minutes for two coffees.")
RUDE = theme("staff_attitude", "the barista rolled his eyes at my mother", score=-0.9)
VIEW = theme("ambience", "The terrace is lovely.", "positive", 0.9)
CAFE = review(
    "We waited fifty minutes for two coffees. the barista rolled his eyes at my mother. The terrace is lovely.",
    WAITED,
    RUDE,
    VIEW,
)


def test_it_is_a_teacher() -> None:
    written = PLAYBOOK.write([Request("the prompt", CAFE), Request("", review("meh"))])
    assert len(written) == 2
    assert written[0].text == written[0].raw == PLAYBOOK.compose(CAFE)[0]
    assert not written[0].truncated and written[0].error is None
    assert "the prompt" not in written[0].text
    assert PLAYBOOK.write([]) == []


def test_the_shape_opening_steps_closing() -> None:
    text, steps = PLAYBOOK.compose(CAFE | {"emotions": ["annoyance", "disappointment", "anger"]})
    opening, listed, closing = text.split("\n\n")
    assert "annoyed and disappointed" in opening and "angry" not in opening
    assert opening.endswith(":")
    assert listed.split("\n") == [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    assert 3 <= len(steps) <= 4
    assert re.match(r"(Finally|After that), ", closing) and closing.count(".") == 1
    assert parse_suggestions(text) == steps


def test_complaints_are_quoted_worst_first_and_praise_is_not() -> None:
    text, steps = PLAYBOOK.compose(CAFE)
    assert QUOTE.findall(text.split("\n\n")[0])[0] == RUDE["evidence"]
    assert steps[0].startswith("Staff attitude: ")
    assert any(step.startswith("Waiting time (“We waited fifty minutes for two coffees”): ") for step in steps)
    assert "Atmosphere" not in text


def test_a_mere_mention_gives_way_to_complaints_but_counts_without_them() -> None:
    mention = theme("parking", "We parked behind the house.", "neutral", 0.0)
    assert "Parking" not in PLAYBOOK.compose(review("x", WAITED, mention))[0]
    assert "Parking: " in PLAYBOOK.compose(review("x", mention, VIEW))[0]
    unread = theme("parking", "Parken war teuer.", None, None)
    assert "Parking: " in PLAYBOOK.compose(review("Parken war teuer.", unread, language="de"))[0]


def test_what_nobody_judged_is_not_called_a_complaint() -> None:
    for number in range(6):  # all variants
        text, _ = PLAYBOOK.compose(review(f"We ate soup. {number}", theme("food_quality", "We ate soup.", None, None)))
        opening = text.split("\n\n")[0]
        assert "food quality" in opening and "“We ate soup”" in opening
        assert not any(line.split("{")[0] in opening for line in PLAYBOOK.aspects["food_quality"].acknowledge)


def test_without_scores_words_of_complaint_come_first() -> None:
    found = [
        theme("noise", "the quiet corner table was lovely and we enjoyed it", None, None),
        theme("wifi", "the internet never worked", None, None),
    ]
    assert PLAYBOOK.compose(review("x", *found))[1][0].startswith("WiFi and internet: ")


def test_no_more_than_three_complaints_each_with_words_of_its_own() -> None:
    names = ("noise", "parking", "wifi", "smell", "refund")
    found = [theme(name, f"clause number {name}", score=-0.5 - number / 10) for number, name in enumerate(names)]
    text, _ = PLAYBOOK.compose(review("clauses", *found))
    quoted = [name for name in names if f"“clause number {name}”" in text]
    assert quoted == ["wifi", "smell", "refund"]
    same = [theme("noise", "the bar was loud and smelled"), theme("smell", "the bar was loud and smelled")]
    assert PLAYBOOK.compose(review("x", *same))[0].count("the bar was loud") == 1


def test_the_step_that_speaks_of_the_complaint_comes_first() -> None:
    _, steps = PLAYBOOK.compose(review("x", theme("bathroom", "The shower had no hot water and no pressure")))
    assert "hot water, pressure" in steps[0]
    _, steps = PLAYBOOK.compose(review("x", theme("bathroom", "There was no soap and no paper")))
    assert "soap and paper" in steps[0]


def test_without_themes_the_review_itself_is_quoted() -> None:
    text, steps = PLAYBOOK.compose(
        review("Meh. The whole afternoon felt like queueing for nothing in particular. Bye.")
    )
    assert "“The whole afternoon felt like queueing for nothing in particular”" in text
    assert steps[0].startswith("Overall experience: ")
    assert "“”" not in PLAYBOOK.compose(review(""))[0]
    silent = {
        "theme": "",
        "evidence": None,
        "sentiment": None,
        "score": None,
    }  # what the warehouse holds for such a review
    assert PLAYBOOK.compose(review("Meh.", silent)) == PLAYBOOK.compose(review("Meh."))


def test_a_review_of_text_alone_is_enough() -> None:
    assert PLAYBOOK.compose({"text": "Bad."})[1]
    assert PLAYBOOK.compose({"text": "Bad.", "stars": None, "emotions": None, "business": None, "themes": None})[1]


def test_a_lukewarm_review_is_not_called_unhappy() -> None:
    text, _ = PLAYBOOK.compose(CAFE | {"stars": 3.0, "emotions": ["joy", "annoyance"]})
    assert "mixed" in text or "not all bad" in text


def test_the_same_review_gets_the_same_text_and_others_get_others() -> None:
    assert PLAYBOOK.compose(CAFE) == Playbook().compose(dict(CAFE))
    openings = {PLAYBOOK.compose(review(f"text {number}"))[0].split(".")[0] for number in range(40)}
    firsts = {PLAYBOOK.compose(review(f"text {number}", theme("noise", "x")))[1][0] for number in range(40)}
    assert len(openings) == 3 and len(firsts) >= 4


def test_a_business_is_named_unless_it_is_an_identifier() -> None:
    assert "with Café Nord" in PLAYBOOK.compose(CAFE | {"business": " Café\nNord "})[0]
    for unusable in ("9yKzy9PApeiPPOUJEtnvkg", "4711", "", "n" * 61, None):
        text, _ = PLAYBOOK.compose(CAFE | {"business": unusable})
        assert not unusable or unusable not in text
        assert "with ." not in text and "{" not in text


def test_a_discovered_theme_keeps_its_name() -> None:
    text, steps = PLAYBOOK.compose(review("x", theme("loud_geese", "the geese screamed all night")))
    assert steps[0].startswith("Loud geese: ") and "“the geese screamed all night”" in text


@pytest.mark.parametrize("language", ["de", "zh", "ja"])
def test_quotes_stay_in_their_language(language: str) -> None:
    said = {"de": "Das Personal war sehr unfreundlich", "zh": "服务态度很差", "ja": "店員の態度が悪い"}[language]
    text, _ = PLAYBOOK.compose(review(said, theme("staff_attitude", said), language=language))
    assert f"“{said}”" in text
    assert 90 <= len(text.split()) <= MOST_WORDS


def test_a_long_quote_is_cut_between_words_around_what_it_is_about() -> None:
    evidence = "and then, " + "as we had feared all along, " * 7 + "the waiter was gone"
    text, _ = PLAYBOOK.compose(review(evidence, theme("service", evidence)))
    quoted = QUOTE.findall(text)[0]
    assert quoted.startswith("…") and "the waiter" in quoted and len(quoted) <= 122
    assert quoted.strip("…") in evidence and set(quoted.strip("…").split()) <= set(evidence.split())
    evidence = "the waiter " + "frowned and sighed and " * 9
    quoted = QUOTE.findall(PLAYBOOK.compose(review(evidence, theme("service", evidence)))[0])[0]
    assert quoted.startswith("the waiter") and quoted.endswith("…")
    assert set(quoted.strip("…").split()) <= set(evidence.split())


EVIDENCE = ["x", "loud " * 45, "supercalifragilistic" * 10, "It was " + "a b c d e f g " * 15, "太慢了" * 60]


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_every_aspect_gives_90_to_160_words(evidence: str) -> None:
    names = [*PLAYBOOK.aspects]
    for number, name in enumerate(names):
        for count in (1, 2, 3):
            found = [theme(other, f"{evidence}{other}") for other in (names * 2)[number : number + count]]
            for business in (None, "The Honourable Company of Tea and Scone Makers of the Moor"):
                text, steps = PLAYBOOK.compose(review(f"{evidence} {name}", *found, business=business))
                assert 90 <= len(text.split()) <= MOST_WORDS, (name, count, text)
                assert parse_suggestions(text) == steps
                assert "{" not in text


hostile = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [
                "1. ",
                "\n2. ",
                "- ",
                "**b**",
                "{quote}",
                "{business}",
                "“",
                "”",
                '"',
                "«",
                "\n\n",
                "\u202e",
                "\x00",
                "\u2028",
                "字",
                "…",
                "waiter ",
                "%s",
                "\\1",
                "a" * 50,
                "\ud800",
            ]
        ),
        max_size=30,
    ).map("".join),
)


@settings(derandomize=True, deadline=None)
@given(
    hostile,
    st.lists(st.tuples(st.sampled_from([*PLAYBOOK.aspects, "new_one"]), hostile, st.floats(-1, 1)), max_size=4),
    st.lists(st.sampled_from([*EMOTIONS, "unknown"]), max_size=3),
    st.one_of(st.none(), st.floats(1, 5)),
    hostile,
)
def test_any_characters_survive(
    text: str, found: list[tuple[str, str, float]], emotions: list[str], stars: float | None, business: str
) -> None:
    rows = [theme(name, evidence, score=score) for name, evidence, score in found]
    answer, steps = PLAYBOOK.compose(review(text, *rows, emotions=emotions, stars=stars, business=business))
    assert parse_suggestions(answer) == steps
    assert len(answer.split("\n\n")) == 3
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", answer)


def test_a_playbook_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[aspect]]\nid = "geese"\nlabel = "Geese"\nacknowledge = ["At {business} geese were heard: {quote}."]\n'
        'steps = ["Move the geese.", "Feed the geese.", "Ask the geese."]\nterms.en = ["geese"]\n'
        '[[aspect]]\nid = "general"\nlabel = "All"\nacknowledge = ["{quote}."]\nsteps = ["A b.", "C d.", "E f."]\n'
    )
    text, steps = Playbook(file).compose(review("The geese bit me.", theme("geese", "The geese bit me.")))
    assert "At the business geese were heard: “The geese bit me”." in text
    assert sorted(step.removeprefix("Geese: ") for step in steps) == [
        "Ask the geese.",
        "Feed the geese.",
        "Move the geese.",
    ]
    assert GENERAL in Playbook(file).aspects


def test_it_quotes_real_reviews_word_for_word(shared_data: Path) -> None:
    import csv

    csv.field_size_limit(10**9)
    aspects = tuple(PLAYBOOK.aspects.values())
    with (shared_data / "reviews" / "yelp.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file) if row["stars"] in "12"][:150]
    for text in texts:
        rows = [theme(m.aspect_id, text[m.start : m.end], None, None) for m in find_mentions(text, "en", aspects)]
        answer, steps = PLAYBOOK.compose(review(text, *rows))
        assert 90 <= len(answer.split()) <= MOST_WORDS
        assert parse_suggestions(answer) == steps
        flat = " ".join(text.split())
        for quoted in QUOTE.findall(answer):
            assert quoted.strip("…") in flat
