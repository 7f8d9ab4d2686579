"""compare-prompts: the same reviews for every writer, paired differences, and what each costs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends import registry
from pipeline.backends.base import Request, Written
from pipeline.cli.main import main
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile, load
from pipeline.core.warehouse import open_memory, open_read_only
from pipeline.tuning import prompts
from tests.report.test_report import write_warehouse

TEXTS = [f"We waited {n} minutes for soup at table {n}." for n in range(12)]


class Teacher:
    """Quotes its review, or with `feedback.v2` answers in a way that never passes."""

    model = "teacher"

    def write(self, requests: Sequence[Request]) -> list[Written]:
        return [
            Written(f"{request.review['text']}\n\n1. Time the soup.\n2. Dance.", "raw", usage=(100, 10))
            for request in requests
        ]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Profile:
    known = registry.teacher
    monkeypatch.setattr(registry, "teacher", lambda p: Teacher() if p.feedback.backend == "openai" else known(p))
    return load("server")


def test_the_same_reviews_for_every_writer(tmp_path: Path, server: Profile) -> None:
    warehouse = open_read_only(write_warehouse(tmp_path / "w.duckdb", TEXTS))
    figures, report = prompts.run(
        warehouse,
        [load("embedded"), server],
        ["feedback.v1", "feedback.v2"],
        tmp_path / "out",
        limit=10,
        price=(2.0, 10.0),
    )
    warehouse.close()
    playbook, first, second = figures["sides"]
    assert [side["name"] for side in figures["sides"]] == [
        "embedded: playbook",
        "server: mistral:7b-instruct, feedback.v1",
        "server: mistral:7b-instruct, feedback.v2",
    ]
    assert figures["n"] == 10 and playbook["cost"] == 0 and playbook["means"]["support"]["difference"] is None
    assert first["tokens"] == (100, 10) and first["cost"] == pytest.approx(1000 * (100 * 2 + 10 * 10) / 1e6)
    assert first["means"]["support"]["mean"] == 0.5 and first["means"]["steps"]["mean"] == 2
    assert first["means"]["grounding"]["mean"] > 0.8 and first["replaced"] == first["again"] == 0
    assert second["replaced"] == second["again"] == 10 and second["tokens"] == (200, 20), "each was asked twice"
    mean, low, high = second["means"]["words"]["difference"]
    assert mean == pytest.approx(0) and low <= mean <= high, "the playbook wrote in its place"
    text = report.read_text()
    assert "mistral:7b-instruct, feedback.v2" in text and "Time the soup." in text
    assert (report.parent / "report.md").is_file() and json.loads((report.parent / "figures.json").read_text())[
        "n"
    ] == 10


def test_without_unhappy_reviews(tmp_path: Path, server: Profile) -> None:
    with pytest.raises(InputError, match="no unhappy reviews"):
        prompts.run(open_memory(), [server], [], tmp_path)


def test_the_command(tmp_path: Path, server: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_warehouse(tmp_path / "w.duckdb", TEXTS)
    arguments: list[Any] = ["compare-prompts", "--warehouse", path, "--out", tmp_path / "out", "--json"]
    assert main([*map(str, arguments), "--profile", "server", "--limit", "3"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["n"] == 3 and Path(shown["report"]).is_file()
    assert [side["name"] for side in shown["sides"]] == ["server: mistral:7b-instruct, feedback.v2"]
    assert main([*map(str, arguments), "--prompts", "feedback.v99"]) == 2
    assert dataclasses.is_dataclass(server)
