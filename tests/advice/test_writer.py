"""The playbook writes feedback that names, quotes and answers the complaint, and nothing that was not said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.advice.answer import parse_suggestions
from pipeline.advice.problems import load_problems
from pipeline.advice.writer import MOST_WORDS, Playbook
from pipeline.backends.base import Request
from pipeline.core.labels import EMOTIONS
from pipeline.themes.taxonomy import GENERAL
from pipeline.themes.terms import find_mentions

PLAYBOOK = Playbook()
QUOTE = re.compile(r"“(.+?)”")


def theme(
    name: str, evidence: str, sentiment: str | None = "negative", score: float | None = -0.8, problem: str | None = None
) -> dict[str, Any]:
    return {"theme": name, "evidence": evidence, "sentiment": sentiment, "score": score, "problem": problem}


def review(text: str, *found: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "text": text,
        "stars": 2.0,
        "emotions": [],
        "language": "en",
        "business": None,
        "themes": list(found),
    } | more


COLD = next(problem for problem in load_problems() if problem.id == "food_cold")
WAITED = theme("waiting_time", "We waited fifty minutes for two coffees.")
RUDE = theme("staff_attitude", "the barista rolled his eyes at my mother", score=-0.9)
VIEW = theme("ambience", "The terrace is lovely.", "positive", 0.9)
CAFE = review(
    "We waited fifty minutes for two coffees. the barista rolled his eyes at my mother. The terrace is lovely.",
    WAITED,
    RUDE,
    VIEW,
)
SOUP = theme("food_temperature", "the lentil soup came stone cold", score=-0.5, problem=COLD.id)


def test_it_is_a_teacher() -> None:
    written = PLAYBOOK.write([Request("the prompt", CAFE), Request("", review("meh"))])
    assert len(written) == 2
    assert written[0].text == written[0].raw == PLAYBOOK.compose(CAFE)[0]
    assert not written[0].truncated and written[0].error is None
    assert "the prompt" not in written[0].text
    assert PLAYBOOK.write([]) == []


def test_a_known_problem_is_named_with_its_cause_its_remedy_and_what_to_watch() -> None:
    text, steps = PLAYBOOK.compose(review("The lentil soup came stone cold.", SOUP))
    said, listed, watch = text.split("\n\nWhat to do:\n\n")[0], *text.split("\n\n")[2:]
    assert said == f"{COLD.name}: “the lentil soup came stone cold”. Usual cause: {COLD.cause}"
    assert listed.split("\n") == [f"{number}. {step}" for number, step in enumerate(steps, 1)]
    assert parse_suggestions(text) == steps
    assert steps[0].startswith("For this customer: ") and COLD.customer[1:] in steps[0]
    assert COLD.fix[0] in steps[1] and steps[1].lower().startswith(COLD.who.lower())
    assert COLD.measure[1:] in watch


def test_the_gravest_problem_comes_first_and_each_gets_a_step() -> None:
    grave = next(p for p in load_problems() if p.severity == 4 and "restaurant" in p.trades)
    found = [SOUP | {"score": -1.0}, theme(grave.theme, "my throat closed", score=-0.1, problem=grave.id), RUDE]
    text, steps = PLAYBOOK.compose(review("x", *found))
    assert text.startswith(f"{grave.name}: “my throat closed”")
    assert grave.customer[1:] in steps[0] and grave.fix[0] in steps[1] and COLD.fix[0] in steps[2] and len(steps) == 4
    assert "The customer writes: “the barista rolled his eyes at my mother”." in text, "it is quoted, without a remedy"
    assert steps[3].startswith("Speak with whoever dealt with this customer about “the barista rolled his eyes")


def test_the_same_problem_twice_is_told_once() -> None:
    again = theme("service", "and the second soup was cold too", problem=COLD.id)
    text, steps = PLAYBOOK.compose(review("x", SOUP, again))
    assert text.count(COLD.name) == 1 and len(steps) == 2


def test_what_is_no_known_problem_is_quoted_and_looked_into() -> None:
    text, steps = PLAYBOOK.compose(review("x", theme("staff_attitude", "Her tone, that day.")))
    assert text.startswith("The customer writes: “Her tone, that day”.\n") and "Usual cause" not in text
    assert steps == [
        "Speak with whoever dealt with this customer about “Her tone, that day”, agree on what they will do differently, and "
        "tell the customer."
    ]


def test_what_is_no_known_problem_is_quoted_in_one_sentence_without_the_theme() -> None:
    found = [theme("bathroom", "It was pink.", score=-0.9), theme("noise", "A hum.", score=-0.8)]
    text, steps = PLAYBOOK.compose(review("x", *found))
    assert (
        text.startswith("The customer writes: “It was pink”, “A hum”.\n") and "pink" in steps[0] and "hum" in steps[1]
    )


def test_one_look_into_all_that_was_said_about_a_group_of_themes() -> None:
    found = [
        theme("noise", "It has a hum.", score=-0.9),
        theme("billing", "The sums are odd."),
        theme("smell", "And it smells."),
    ]
    _, steps = PLAYBOOK.compose(review("x", *found))
    assert len(steps) == 2 and "“It has a hum”, “And it smells”" in "".join(steps)
    _, steps = PLAYBOOK.compose(review("x", theme("claims", "They will not pay for the roof.")))
    assert steps[0].startswith(
        "Take this case up again: check “They will not pay for the roof” against what was agreed"
    )


def test_a_word_or_two_are_quoted_with_their_sentence() -> None:
    text, _ = PLAYBOOK.compose(review("Fine. But slow, cold! Bye.", theme("noise", "cold!")))
    assert "“But slow, cold!”" in text


def test_a_step_begins_with_whoever_acts() -> None:
    for problem in load_problems():
        _, steps = PLAYBOOK.compose(review("x", theme(problem.theme, "it happened", problem=problem.id)))
        assert steps[1].partition(": ")[0].lower() == problem.who.lower()


def test_what_the_customer_liked_is_kept() -> None:
    text, _ = PLAYBOOK.compose(CAFE)
    assert QUOTE.findall(text)[:2] == [RUDE["evidence"], "We waited fifty minutes for two coffees"]
    assert "Keep what this customer liked: “The terrace is lovely”." in text
    assert "liked" not in PLAYBOOK.compose(review("x", WAITED, VIEW | {"score": 0.3}))[0], "lukewarm"


def test_a_mere_mention_gives_way_to_complaints_but_counts_without_them() -> None:
    mention = theme("parking", "We parked behind the house.", "neutral", 0.0)
    assert "parking" not in PLAYBOOK.compose(review("x", WAITED, mention))[0].lower()
    for only in (mention, theme("parking", "We parked behind the house.", None, None)):
        text, _ = PLAYBOOK.compose(review("x", only, VIEW))
        assert text.startswith("On parking, the customer writes: “We parked behind the house”."), (
            "not called a complaint"
        )


def test_without_scores_words_of_complaint_come_first() -> None:
    found = [
        theme("noise", "the quiet corner table was lovely and we enjoyed it", None, None),
        theme("wifi", "the internet never worked", None, None),
    ]
    text, _ = PLAYBOOK.compose(review("x", *found))
    assert text.startswith("On WiFi and internet, the customer writes: “the internet never worked”.")


def test_no_more_than_five_complaints_each_with_words_of_its_own() -> None:
    names = ("noise", "parking", "wifi", "smell", "refund", "seating", "selection")
    found = [theme(name, f"clause number {name}", score=-0.3 - number / 10) for number, name in enumerate(names)]
    text, _ = PLAYBOOK.compose(review("clauses", *found))
    quoted = [name for name in names if f"“clause number {name}”" in text]
    assert quoted == ["wifi", "smell", "refund", "seating", "selection"]
    same = [theme("noise", "the bar was loud and smelled"), theme("smell", "the bar was loud and smelled")]
    assert PLAYBOOK.compose(review("x", *same))[0].split("What to do:")[0].count("the bar was loud") == 1


def test_without_themes_the_review_itself_is_quoted() -> None:
    text, steps = PLAYBOOK.compose(
        review("Meh. The whole afternoon felt like queueing for nothing in particular. Bye.")
    )
    assert "“The whole afternoon felt like queueing for nothing in particular”" in text
    assert steps[0].startswith("Ask those involved about “The whole afternoon felt like")
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


def test_the_same_review_gets_the_same_text() -> None:
    assert PLAYBOOK.compose(CAFE) == Playbook().compose(dict(CAFE))


@pytest.mark.parametrize("language", ["de", "zh", "ja"])
def test_quotes_stay_in_their_language(language: str) -> None:
    said = {"de": "Das Personal war sehr unfreundlich", "zh": "服务态度很差", "ja": "店員の態度が悪い"}[language]
    text, _ = PLAYBOOK.compose(review(said, theme("staff_attitude", said), language=language))
    assert f"“{said}”" in text
    assert len(text.split()) <= MOST_WORDS


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
def test_every_problem_fits(evidence: str) -> None:
    problems = load_problems()
    for number, problem in enumerate(problems):
        for count in (1, 3):
            some = (problems * 2)[number : number + count]
            found = [theme(other.theme, f"{evidence}{other.id}", problem=other.id) for other in some]
            text, steps = PLAYBOOK.compose(review(f"{evidence} {problem.id}", *found))
            assert len(text.split()) <= MOST_WORDS, (problem.id, count, text)
            assert parse_suggestions(text) == steps and len(steps) == 1 + count
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
    st.lists(
        st.tuples(
            st.sampled_from([*PLAYBOOK.aspects, "new_one"]),
            hostile,
            st.floats(-1, 1),
            st.sampled_from([None, "of another library", *sorted(problem.id for problem in load_problems())]),
        ),
        max_size=4,
    ),
    st.lists(st.sampled_from([*EMOTIONS, "unknown"]), max_size=3),
    st.one_of(st.none(), st.floats(1, 5)),
    hostile,
)
def test_any_characters_survive(
    text: str, found: list[tuple[str, str, float, str | None]], emotions: list[str], stars: float | None, business: str
) -> None:
    rows = [theme(name, evidence, score=score, problem=problem) for name, evidence, score, problem in found]
    answer, steps = PLAYBOOK.compose(review(text, *rows, emotions=emotions, stars=stars, business=business))
    assert parse_suggestions(answer) == steps
    assert 2 <= len(answer.split("\n\n")) <= 4
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", answer)


def test_a_playbook_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[[aspect]]\nid = "geese"\nlabel = "Geese"\n'
        'steps = ["Move the geese.", "Feed the geese.", "Ask the geese."]\nterms.en = ["geese"]\n'
        '[[aspect]]\nid = "general"\nlabel = "All"\nsteps = ["A b.", "C d.", "E f."]\n'
    )
    text, steps = Playbook(file).compose(review("The geese bit me.", theme("geese", "The geese bit me.")))
    assert text.startswith("The customer writes: “The geese bit me”.") and steps == ["Geese: Move the geese."]
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
        assert len(answer.split()) <= MOST_WORDS
        assert parse_suggestions(answer) == steps
        flat = " ".join(text.split())
        for quoted in QUOTE.findall(answer):
            assert quoted.strip("…") in flat
