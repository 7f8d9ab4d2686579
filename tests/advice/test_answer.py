"""Suggestions out of whatever a model wrote."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.advice.answer import parse_suggestions, presentable, read_answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Here you go:\n\n1. Train the team.\n2. Open a till.\n\nThank you.", ["Train the team.", "Open a till."]),
        ("1) Train the team\n2) Open a till", ["Train the team", "Open a till"]),
        ("(1) Train the team\n(2) Open a till", ["Train the team", "Open a till"]),
        ("1.Train the team\n2.Open a till", ["Train the team", "Open a till"]),
        ("- Train the team\n* Open a till\n• Air the rooms", ["Train the team", "Open a till", "Air the rooms"]),
        ("To improve, take these steps: 1. Train the team. 2. Open a till.", ["Train the team.", "Open a till."]),
        ("Steps: 1) Train 10 people by 2. May 2) Open a till", ["Train 10 people by 2. May", "Open a till"]),
        ("Ideas: • train the team • open a till", ["train the team", "open a till"]),
        ("We can do this: - Train the team. - Open a till.", ["Train the team.", "Open a till."]),
        ("1. **Team:** with role plays\n2. **Tills**: open one", ["Team: with role plays", "Tills: open one"]),
        ("**1. Team**\nTrain it.\n**2. Tills**\nOpen one.", ["Team: Train it.", "Tills: Open one."]),
        ("### 1. Team\nTrain it.\n\n### 2. Tills\nOpen one.", ["Team: Train it.", "Tills: Open one."]),
        ("**Team:** train it. **Tills:** open one.", ["Team: train it.", "Tills: open one."]),
        ("1. Train\n   - Role plays\n   - Feedback\n2. Open a till", ["Train: Role plays; Feedback", "Open a till"]),
        ("1. Train the team\nand the managers\n\nBest wishes", ["Train the team and the managers"]),
        ("---\n1. Train the team\n***\n", ["Train the team"]),
        ("It took 3.5 hours. Train the team. You should open a till.", ["Train the team.", "You should open a till."]),
        ("To improve it, consider opening a till. It rained.", ["To improve it, consider opening a till."]),
        ("The soup was cold and the waiter was late.", []),
        ("1.\n2. \n- \n", []),
        ("1. 2. 3.", []),
        ("", []),
        (" \n ", []),
    ],
)
def test_suggestions(text: str, expected: list[str]) -> None:
    assert parse_suggestions(text) == expected


markup = st.sampled_from(
    [
        "1. ",
        "2) ",
        "- ",
        "**",
        "**Title:** ",
        "\n",
        "\n\n",
        "• ",
        "(3) ",
        "Train the team. ",
        "###",
        " ",
        "---",
        "\u2028",
    ]
)


@settings(derandomize=True, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(markup, max_size=40).map("".join)))
def test_any_text_gives_lines_with_words(text: str) -> None:
    for suggestion in parse_suggestions(text):
        assert suggestion == " ".join(suggestion.split())
        assert any(map(str.isalpha, suggestion))


@settings(derandomize=True, deadline=None)
@given(st.lists(st.from_regex(r"[A-Z][a-z]{2,8}( [a-z0-9.,']{1,9}){1,6}[a-z]", fullmatch=True), min_size=2, max_size=6))
def test_a_numbered_list_comes_back_as_it_was(items: list[str]) -> None:
    text = (
        "Dear owner,\n\n" + "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1)) + "\n\nKind regards"
    )
    assert parse_suggestions(text) == items


@settings(derandomize=True, deadline=None)
@given(st.lists(st.from_regex(r"[A-Z][a-z]{2,8}( [a-z]{1,9}){1,6}\.", fullmatch=True), min_size=2, max_size=6))
def test_a_list_run_together_comes_back_as_it_was(items: list[str]) -> None:
    assert parse_suggestions("Steps: " + " ".join(f"{number}. {item}" for number, item in enumerate(items, 1))) == items


def test_nearly_every_real_answer_has_suggestions(shared_data: Path) -> None:
    csv.field_size_limit(10**9)
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(len(parse_suggestions(row["mistral_output"])) >= 2 for row in rows) / len(rows) > 0.97
    tuned = [parse_suggestions(row["phi-2_output_fine-tuned"]) for row in rows]
    assert sum(map(bool, tuned)) / len(rows) > 0.97


STEPS = ["Train the team.", "Open a till."]
LISTED = "1. Train the team.\n2. Open a till."


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"text": "It was slow.", "suggestions": STEPS}, f"It was slow.\n\n{LISTED}"),
        ({"suggestions": STEPS, "Feedback": "It was slow.", "mood": "sad"}, f"It was slow.\n\n{LISTED}"),
        ({"feedback": {"text": "It was slow.", "suggestions": STEPS}}, f"It was slow.\n\n{LISTED}"),
        ({"feedback": STEPS}, LISTED),
        ({"recommendations": ["1. Train the team.", "- Open\na till."]}, LISTED),
        ({"steps": [{"id": 1, "suggestion": "Train the team."}, {"description": "Open a till."}]}, LISTED),
        (STEPS, LISTED),
        ({"feedback": f"It was slow.\n{LISTED}"}, f"It was slow.\n{LISTED}"),
        ({"summary": "It was slow.", "suggestions": LISTED}, f"It was slow.\n\n{LISTED}"),
        (
            {"text": "<think>Hm.</think>It was slow.", "suggestions": ["Train the team.</s>", "Open a till."]},
            f"It was slow.\n\n{LISTED}",
        ),
    ],
)
def test_json_is_read(document: object, expected: str) -> None:
    for around in ("{}", "Here it is:\n{}\nBest wishes", "\n {}"):
        answer = read_answer(around.replace("{}", json.dumps(document)))
        assert (answer.text, answer.suggestions, answer.error) == (expected, STEPS, None)


def test_titles_in_json_stand_before_what_they_announce() -> None:
    document = {"suggestions": [{"title": "Tills", "description": "Open one.", "priority": "high"}]}
    assert read_answer(json.dumps(document)).suggestions == ["Tills: Open one."]


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "It was slow.", "suggestions": ["Train the team.", "Open',
        '{"text": "It was slow.", "suggestions": ["Train the team.",]}',
        "{'text': 'It was slow.'}",
        "{text: 'It was slow.'}",
        '{"sentiment": "negative"}',
        '{"suggestions": []}',
        '{"suggestions": [1, 2]}',
        '{"suggestions": [{"cost": "high"}]}',
        "{}",
        "[]",
        '[["a"]]',
        'Sure: {"mood": "sad"}',
        "[{" * 50_000,
        '{"text":' * 100_000 + '"It was slow."' + "}" * 100_000,
        json.dumps({"text": json.dumps({"mood": "sad"})}),
    ],
)
def test_json_that_is_not_understood_is_an_error_and_no_text(text: str) -> None:
    answer = read_answer(text)
    assert (answer.text, answer.suggestions) == ("", []) and answer.error is not None and "JSON" in answer.error


def test_json_that_was_cut_says_what_to_do() -> None:
    assert "max_new_tokens" in str(read_answer('{"text": "It was', truncated=True).error)


@pytest.mark.parametrize(
    "text", ["[Name], thank you.", "[ ] Train the team.", "Call {name}.", "[1] Train the team.", ""]
)
def test_brackets_alone_are_no_json(text: str) -> None:
    assert read_answer(text).text == text


@settings(derandomize=True, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["text", "feedback", "suggestions", "steps", "title", "mood"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_json_is_stored_as_text(document: object) -> None:
    answer = read_answer(json.dumps({"feedback": document}))
    assert bool(answer.text) != bool(answer.error)
    assert answer.error or not answer.text.startswith("{")


def test_what_may_be_json_is_not_shown_while_it_is_written() -> None:
    text = 'It was slow.\n{"text": "It was slow."}'
    assert [presentable(text[:end]) for end in (6, 13, 14, len(text))] == ["It was", *["It was slow.\n"] * 3]
    assert presentable('["Train') == "" and presentable("Call [name]") == "Call [name]"
