"""Facts of a review as markers, and back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.advice import complaints, markers, wording
from pipeline.advice.problems import load_problems
from pipeline.advice.request import request
from pipeline.advice.writer import Playbook
from pipeline.themes.taxonomy import load_aspects

ASPECTS = {aspect.id: aspect for aspect in load_aspects()}
REVIEW: dict[str, Any] = {
    "text": "We waited an hour for our table [1] and the soup was cold. The waiter was rude to my mother.",
    "stars": 2.0,
    "emotions": ["anger"],
    "language": "en",
    "business": "Blue Cafe",
    "themes": [
        {
            "theme": "waiting_time",
            "evidence": "We waited an hour for our table [1]",
            "sentiment": "negative",
            "score": -0.9,
        },
        {
            "theme": "staff_attitude",
            "evidence": "The waiter was rude to my mother.",
            "sentiment": "negative",
            "score": -0.8,
        },
    ],
}


def test_the_playbook_s_text_closes_and_fills_to_itself() -> None:
    wanted = request(REVIEW, "student.v3")
    text = Playbook().write([wanted])[0].text
    delexicalised = markers.delexicalise(text, wanted.slots)
    assert "[1]" in delexicalised and "waited an hour" not in delexicalised
    assert markers.fill(delexicalised, wanted.slots) == text, "the customer's own [1] is not taken for a marker"


def test_the_prompt_tells_what_was_found_in_a_few_words_each() -> None:
    long = "The waiter was rude to my mother, and to the two children who had spilled a little of their juice on the floor."
    known, other = REVIEW["themes"]
    review = {
        **REVIEW,
        "text": f"{REVIEW['text']} {long}",
        "themes": [{**known, "problem": "kitchen_slow"}, {**other, "evidence": long}],
    }
    wanted = request(review, "student.v3")
    assert "- [2] Staff attitude “The waiter was rude to my mother" in wanted.prompt and "juice" not in wanted.prompt
    (problem,) = (problem for problem in load_problems() if problem.id == "kitchen_slow")
    assert f"- [1] Waiting time: {problem.name} “We waited an hour" in wanted.prompt
    assert "at [name]" in wanted.prompt and "Blue Cafe" not in wanted.prompt
    assert request(REVIEW, "student.v1").slots == {}, "other prompts have no markers"


def test_a_marker_without_a_fact_leaves_no_trace() -> None:
    slots = {"[1]": ("“cold soup”",)}
    assert markers.fill("It was [1]. Staff ([2]): smile. Then [3].", slots) == "It was “cold soup”. Staff: smile. Then."
    assert markers.fill("Thank you.", {"[name]": ("Bo's",)}) == "Thank you."


def test_a_text_without_a_marker_ends_with_the_quotes() -> None:
    slots = {"[2]": ("“dear”",), "[1]": ("“cold soup”",), "[+]": ("“and more”",)}
    assert markers.fill("Thank you.", slots) == "Thank you.\n\nThe customer writes: “cold soup”, “dear”."
    assert markers.fill("", slots) == ""


def test_a_long_quote_is_closed_at_whatever_length_it_was_cut() -> None:
    said = "the lift was out of order all week and we carried five suitcases up four floors every single evening of our stay"
    review = {
        **REVIEW,
        "text": said,
        "themes": [{"theme": "facilities", "evidence": said, "sentiment": "negative", "score": -1.0}],
    }
    slots = markers.slots(review, complaints.find_complaints(review, ASPECTS), ASPECTS)
    (complaint,) = complaints.find_complaints(review, ASPECTS)
    for length in (120, 90, 60, 40, 25):
        assert (
            markers.delexicalise(f"They say {wording.quote(complaint.evidence, length, complaint.term)}.", slots)
            == "They say [1]."
        )


@given(st.text(max_size=120), st.text(max_size=60))
def test_filling_never_fails_and_quotes_stand_verbatim(text: str, business: str) -> None:
    review = {**REVIEW, "text": text or "x", "business": business, "themes": []}
    slots = markers.slots(review, complaints.find_complaints(review, ASPECTS), ASPECTS)
    assert all(value for values in slots.values() for value in values)
    filled = markers.fill("Said: [1].", slots)
    assert slots["[1]"][0] in filled if "[1]" in slots else "[1]" not in filled
