"""--estimate says what a run would ask and leaves no trace."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.core.warehouse import open_read_only
from tests.answering import answering

TEXTS = [f"The soup was bad and cold, visit {number}." for number in range(6)] + ["Lovely bread."]
ANSWER = "The soup came cold.\n\n1. Measure the heat of the soup at the pass."


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "r.csv").write_text(
        "text,stars\n" + "".join(f'"{text}",{5 if "Lovely" in text else 1}\n' for text in TEXTS)
    )
    return tmp_path


def profile(folder: Path, url: str, more: str = "") -> str:
    file = folder / "mine.toml"
    file.write_text(
        'extends = "embedded"\n[reader]\nbackend = "fake"\n[sentiment]\nbackend = "fake"\n[emotions]\nbackend = "fake"\n'
        f'[feedback]\nbackend = "openai"\nmodel = "m"\nbase_url = "{url}/v1"\nmax_new_tokens = 100\nprompt = "feedback.v1"\n{more}'
    )
    return str(file)


def run(folder: Path, profile: str, *more: str) -> int:
    where = ["--reviews", str(folder / "r.csv"), "--warehouse", str(folder / "w.duckdb"), "--profile", profile]
    return cli.main(["run", *where, *more])


def test_an_estimate_before_the_first_run(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = profile(files, "http://nobody.example", "input_price = 2.0\noutput_price = 10.0\n")
    before = sorted(files.iterdir())
    assert run(files, asked, "--estimate", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(files.iterdir()) == before, "nothing is left behind"
    assert (found["reviews"], found["model"], found["where"]) == (6, "m", "nobody.example")
    assert found["completion_tokens"] == 600 and found["measured"] == 0 and 600 < found["prompt_tokens"] < 1500
    assert found["cost"] == pytest.approx((found["prompt_tokens"] * 2 + 6000) / 1e6)
    assert run(files, asked, "--estimate") == 0
    shown = capsys.readouterr().out
    assert (
        "6 reviews would go to m on nobody.example" in shown and "at most 600 out" in shown and "Cost: at most" in shown
    )


def test_it_follows_earlier_answers_and_counts_only_what_is_pending(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def respond(question: Any) -> tuple[int, Any]:
        length = len(question["messages"][0]["content"])
        usage = {"prompt_tokens": length // 2, "completion_tokens": 30}
        choice = {"finish_reason": "stop", "message": {"content": ANSWER}}
        return 200, {"choices": [choice], "usage": usage}

    with answering(respond) as url:
        asked = profile(files, url, "max_reviews = 4\n")
        assert run(files, asked, "--until", "feedback", "--no-report") == 0
        assert "feedback: m, 4 answers, " in capsys.readouterr().out
    assert run(files, asked, "--estimate") == 0
    assert "nothing would be sent" in capsys.readouterr().out
    content = (files / "w.duckdb").read_bytes()
    assert run(files, profile(files, url), "--estimate", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["reviews"], found["measured"], found["completion_tokens"], found["cost"]) == (2, 4, 60, None)
    assert (files / "w.duckdb").read_bytes() == content
    with contextlib.closing(open_read_only(files / "w.duckdb")) as warehouse:
        assert warehouse.value("SELECT sum(requests) FROM store.usage") == 4


def test_the_playbook_costs_nothing(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(files, "embedded", "--estimate") == 0
    assert "nothing would be sent" in capsys.readouterr().out and not (files / "w.duckdb").exists()


def test_a_checked_prompt_may_ask_twice_and_a_judge_is_named(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = '[judge]\nbackend = "openai"\nmodel = "j"\nbase_url = "http://nobody.example/v1"\n'
    asked = Path(profile(files, "http://nobody.example", more))
    asked.write_text(asked.read_text().replace("feedback.v1", "feedback.v2"))
    assert run(files, str(asked), "--estimate") == 0
    shown = capsys.readouterr().out
    assert "up to twice" in shown and "The judge is asked besides, at most" in shown
