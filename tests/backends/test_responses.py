"""What is read from a response's body, whatever a server makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.backends.cleaning import ONLY_THOUGHT
from pipeline.backends.responses import WebPage, answer, reason


def completion(message: Any, reason: str = "stop") -> str:
    return json.dumps({"object": "chat.completion", "choices": [{"message": message, "finish_reason": reason}]})


def test_an_answer_in_parts_is_their_text() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "1. Apologize."},
    ]
    assert answer(completion({"content": parts})).text == "1. Apologize."
    assert ONLY_THOUGHT in str(answer(completion({"content": parts[:1]}, "length")).error)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("content", [None, "", "\n"])
def test_reasoning_beside_no_answer_is_a_failure_that_says_so(name: str, content: str | None) -> None:
    body = completion({"content": content, name: "Okay, soup."}, "length")
    written = answer(body)
    assert (written.text, written.raw, written.truncated) == ("", body, True)
    assert written.error is not None and ONLY_THOUGHT in written.error and "reasoning" in written.error


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (completion({"content": None}), "the model wrote nothing"),
        (completion(None), "the model wrote nothing"),
        (completion({"content": None, "refusal": "I can't\nhelp."}), "refused: I can't help."),
        (completion({"content": ""}, "content_filter"), "filter"),
        (json.dumps({"choices": []}), "without choices"),
        (json.dumps({"error": {"message": "upstream is down", "code": 502}}), "no chat completion: upstream is down"),
        (json.dumps(["what"]), "no chat completion: what"),
        ("", "no chat completion"),
        ("data: {}\n\n", "no chat completion: data: {}"),
        ("[" * 100_000, "no chat completion"),
    ],
)
def test_no_answer_is_an_error_in_one_line(body: str, expected: str) -> None:
    written = answer(body)
    assert (written.text, written.raw) == ("", body)
    assert written.error is not None and expected in written.error and "\n" not in written.error


def test_a_page_is_no_answer() -> None:
    with pytest.raises(WebPage, match=r"^Welcome$"):
        answer("<!doctype html><title>Welcome</title><h1>Hello</h1>")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": {"message": "too\\nlong", "type": "invalid_request_error"}}', "too long"),
        ('{"error": "model \\"x\\" not found, try pulling it first"}', 'model "x" not found, try pulling it first'),
        ('{"object": "error", "message": "no such model", "code": 404}', "no such model"),
        ('{"detail": "Not Found"}', "Not Found"),
        (
            '{"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}',
            "body.seed: Extra inputs are not permitted",
        ),
        ("<html><head><title>502 Bad&nbsp;Gateway</title></head><body>nginx</body></html>", "502 Bad Gateway"),
        ("<body><script>var x = 1;</script><p>Busy &amp; tired</p></body>", "Busy & tired"),
        ("Internal Server Error", "Internal Server Error"),
        ("x" * 1000, "x" * 200 + "…"),
        ("", "no reason given"),
        ("{}", "no reason given"),
    ],
)
def test_the_reason_in_a_body(body: str, expected: str) -> None:
    assert reason(body) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "error", "detail", "text", "loc", "finish_reason"]), inner
        )
    ),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(json_values)
def test_any_json_gives_an_answer_or_an_error_in_one_line(value: Any) -> None:
    for body in (json.dumps(value), json.dumps({"choices": [{"message": value}]})):
        written = answer(body)
        assert bool(written.text) != bool(written.error)
        assert "\n" not in reason(body)
