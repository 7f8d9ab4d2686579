"""train and study: what the command line makes of them; the trainings themselves are tested in tests/training."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pipeline import cli
from pipeline.cli.training import MODELS, OPTIONS


def test_every_option_is_a_parameter_of_its_training_and_every_parameter_an_option() -> None:
    for name, (_, own) in MODELS.items():
        parameters = inspect.signature(importlib.import_module(f"pipeline.training.{name}").train).parameters
        first = ["out"] if name == "problems" else ["data", "out"]
        assert list(parameters)[: len(first)] == first and set(list(parameters)[len(first) :]) == set(own), name
    assert {option for _, own in MODELS.values() for option in own} == set(OPTIONS)


def test_figures_on_stdout_and_progress_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.training import bleurt, fit

    def train(data: Path, out: Path, **options: Any) -> dict[str, Any]:
        fit.logger.info("epoch %d: %.2f on dev", 1, 0.5)
        return {"data": data.name, "out": out.name, **options}

    monkeypatch.setattr(bleurt, "train", train)
    arguments = ["train", "bleurt", "--data", str(tmp_path / "d"), "--out", str(tmp_path / "o"), "--epochs", "2"]
    assert cli.main(arguments) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"data": "d", "out": "o", "epochs": 2}, "what was not given keeps its default"
    assert captured.err == "epoch 1: 0.50 on dev\n"
    assert not logging.getLogger("pipeline").handlers


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train"], "MODEL"),
        (["train", "nonsense"], "review-insights train --help"),
        (["train", "bleurt", "--data", ".", "--out", "m", "--most", "3"], "--most"),
        (["train", "bleurt", "--data", "missing", "--out", "m"], "phi2_vs_mistral_500.csv is missing"),
        (["study", "people", "--data", "missing"], "metrics/wmt17"),
        (["study", "replies", "--data", "missing.csv"], "missing.csv cannot be read"),
        (["build-wordnet", "--wordnet", "missing", "--out", "table"], "wordnet-base"),
    ],
)
def test_bad_usage_is_one_line(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert says in captured.err and captured.err.count("\n") == 1 and not captured.out
    assert not list(tmp_path.iterdir()), "nothing was left behind"


def test_replies_are_studied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("The app crashes after the update.", "Sorry, please update again."), ("The fees are too high.", "Sorry.")]
    file = tmp_path / "replies.csv"
    file.write_text("content,replyContent,score\n" + "".join(f'"{a}","{b}",1\n' for a, b in (*rows, ("Fine.", ""))))
    assert cli.main(["study", "replies", "--data", str(file)]) == 0
    figures = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert figures["reviews"] == "2.000" and float(figures["distinct_drafts"]) == 1


def test_the_library_of_problems_is_read_into_the_readers_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipeline.advice import matching
    from pipeline.advice.problems import load_problems
    from pipeline.core.assets import READER
    from pipeline.training import problems

    shipped = matching.load(load_problems(), READER, lambda texts: [])
    (tmp_path / matching.FILE).write_bytes((READER / matching.FILE).read_bytes())
    reader = type("Reader", (), {"read": staticmethod(lambda texts: [])})()
    monkeypatch.setattr(problems.reading, "load", lambda folder: reader)
    assert cli.main(["train", "problems", "--out", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == len(load_problems())
    assert (tmp_path / matching.FILE).read_bytes() == (READER / matching.FILE).read_bytes(), "nothing changed"
    again = matching.load(load_problems(), tmp_path, lambda texts: [])
    assert (again.weights.vectors == shipped.weights.vectors).all() and again.weights.none == shipped.weights.none
