"""`run` against model servers that answer oddly: what is stored, what is shown, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline import cli
from pipeline.core.warehouse import open_read_only
from tests.answering import answering

ANSWER = "The guest was treated badly.\n\n1. Train the team.\n2. Say sorry."
THOUGHT = "<think>Who is at fault?\n1. The cook?\n2. Nobody?"
JSON = json.dumps(
    {"text": "The guest was treated badly.", "suggestions": ["Train the team.", "Say sorry."], "mood": "sad"}
)
PAGE = "<!doctype html><html><head><title>Sign in</title></head><body>Who are you?</body></html>"


class Outcome(NamedTuple):
    code: int
    rows: list[dict[str, Any]]
    facts: dict[str, Any]  # what --json printed, if anything
    error: str


def message(content: str | None, finish_reason: str = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **more}, "finish_reason": finish_reason}]}


@pytest.fixture
def serve(tmp_path: Path, fake_profile: object, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs on two unhappy reviews against a server with these answers, one after the other (the last again and again)."""
    (tmp_path / "r.csv").write_text("text,stars\nBad soup in a bowl.,1\nBad waiters at the bar.,1\n")

    def run(*answers: tuple[int, Any], show_json: bool = True) -> Outcome:
        left = list(answers)
        with answering(lambda asked: left.pop(0) if len(left) > 1 else left[0]) as url:
            profile, warehouse = tmp_path / "server.toml", tmp_path / "w.duckdb"
            profile.write_text(
                f'extends = "{tmp_path}/fake.toml"\n[feedback]\nbackend = "openai"\nmodel = "m"\nbase_url = "{url}/v1"\n'
            )
            arguments = ["--reviews", str(tmp_path / "r.csv"), "--warehouse", str(warehouse), "--profile", str(profile)]
            code = cli.main(["run", *arguments, "--until", "feedback", "--no-report", *(["--json"] * show_json)])
        printed = capsys.readouterr()
        rows = open_read_only(warehouse).query("SELECT * FROM feedback") if warehouse.exists() else []
        facts = json.loads(printed.out) if show_json and printed.out else {"shown": printed.out}
        return Outcome(code, rows, facts, printed.err)

    return run


@pytest.mark.parametrize(
    "content",
    [
        f"{THOUGHT}</think>\n\n{ANSWER}",
        f"<|channel|>analysis<|message|>1. Hm.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}<|return|>",
        f"{ANSWER}</s>",
        f"[/INST] {ANSWER}<|im_end|>",
        f"```\n{ANSWER}\n```",
        JSON,
        f"```json\n{JSON}\n```",
    ],
    ids=["think", "harmony", "end", "template", "fence", "json", "fenced json"],
)
def test_an_answer_is_stored_without_what_does_not_belong_to_it(serve: Any, content: str) -> None:
    outcome = serve((200, message(content)))
    assert outcome.code == 0 and outcome.facts["failures"] == []
    for row in outcome.rows:
        assert (row["text"], row["suggestions"], row["error"]) == (ANSWER, ["Train the team.", "Say sorry."], None)
        assert row["raw_output"] == content


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, message(THOUGHT, "length"), "only thought; raise max_new_tokens"),
        (200, message(None, "length", reasoning_content="1. Hm."), "only thought; raise max_new_tokens"),
        (200, message(None), "wrote nothing"),
        (200, {"choices": []}, "without choices"),
        (200, {"error": {"message": "Overloaded"}}, "no chat completion: Overloaded"),
        (200, message('{"mood": "sad"}'), "JSON without a text"),
        (200, message('```json\n{"text": "The gue', "length"), "JSON that was cut off"),
        (400, {"error": {"message": "max_tokens is not supported"}}, "answered 400: max_tokens is not supported"),
        (422, {"detail": [{"loc": ["body", "top"], "msg": "no"}]}, "answered 422: body.top: no"),
    ],
)
def test_when_every_request_failed_the_run_says_so(serve: Any, status: int, body: Any, expected: str) -> None:
    outcome = serve((status, body))
    assert outcome.code == 1
    assert outcome.facts["stages"]["feedback"] == {"written": 2, "failed": 2, "doubted": 0}
    (line,) = outcome.facts["failures"]
    assert line.startswith("feedback: all 2 requests failed: ") and expected in line and "\n" not in line
    assert [(row["text"], row["suggestions"]) for row in outcome.rows] == [(None, [])] * 2


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, {"error": "model 'm' not found"}, "answered 404: model 'm' not found. Check model (m)"),
        (401, PAGE, "answered 401: Sign in. Check the key"),
        (200, PAGE, "answered with a web page: Sign in. Check base_url"),
        (500, PAGE, "answered 500: Sign in."),
    ],
)
def test_what_would_fail_every_request_ends_the_run_in_one_line(
    serve: Any, status: int, body: Any, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # of the client, before it tries again
    outcome = serve((status, body))
    (line,) = outcome.error.splitlines()
    assert outcome.code == 2 and expected in line and "127.0.0.1" in line


def test_a_few_failed_requests_are_counted_and_harmless(serve: Any) -> None:
    outcome = serve((200, message(THOUGHT)), (200, message(ANSWER)), show_json=False)
    assert outcome.code == 0
    shown = " ".join(outcome.facts["shown"].replace("│", " ").split())
    assert "feedback: 1 of 2 requests failed: The model server at 127.0.0.1:" in shown and "--retry-failed" in shown


def test_an_error_in_the_summary_is_no_markup(serve: Any) -> None:
    shown = serve((400, {"error": {"message": "too long"}}), show_json=False).facts["shown"]
    assert "all 2 requests failed" in shown and "[feedback]" in shown


def test_failures_of_an_earlier_run_are_tried_again_only_when_asked(serve: Any) -> None:
    assert serve((200, message(THOUGHT))).code == 1
    again = serve((200, message(ANSWER)))
    assert (again.code, again.facts["failures"]) == (0, [])
