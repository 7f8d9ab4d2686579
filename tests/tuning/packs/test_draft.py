from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.core import pack
from pipeline.core.warehouse import Warehouse
from pipeline.themes.taxonomy import load_taxonomy
from pipeline.tuning.packs import draft
from pipeline.tuning.packs.check import read_examples
from tests.conftest import ROOT
from tests.factory import review
from tests.tuning.packs.test_check import FAKE


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    (tmp_path / "fake.toml").write_text(FAKE)
    file = tmp_path / "my.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("text", "stars"))
        for n in range(24):
            said = ("The queue was bad and long", "The visit was as usual", "A lovely haircut by the team")[n % 3]
            writer.writerow((f"{said}, on day {n} of the month. Mail me: jane{n}@example.org", 2 * (n % 3) + 1))
    return file


def test_a_pack_is_drafted_and_can_be_checked_and_named(
    reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["pack", "new", "salon", "--from", str(reviews), "--profile", "fake.toml"]
    assert main(command) == 0
    told = capsys.readouterr().out
    folder = tmp_path / "salon"
    assert "pack: salon" in told and "too few stars to tune it (8 negative, 8 neutral, 8 positive" in told
    assert sorted(file.name for file in folder.iterdir()) == [pack.EXAMPLES, pack.FILE, pack.PLAYBOOK]
    taxonomy = load_taxonomy(folder / pack.PLAYBOOK)
    assert taxonomy.trade == "salon" and pack.load(folder).name == "salon"
    assert "waiting_time" in (folder / pack.PLAYBOOK).read_text().splitlines()[1], "what is spoken of most"
    examples = read_examples(folder / pack.EXAMPLES, [])
    assert {example["label"] for example in examples} == {"negative", "neutral", "positive"} and len(examples) == 12
    assert "example.org" not in (folder / pack.EXAMPLES).read_text(), "it is to be shared"
    assert pack.folder_of("salon") == Path("salon"), "a folder here goes before the shipped one"
    assert main(["pack", "check", "salon", "--profile", "fake.toml"]) == 1, "the fake knows no neutral"
    assert "8 of 12" in capsys.readouterr().out
    assert main(command) == 2
    assert "salon exists" in capsys.readouterr().err


@pytest.mark.slow
def test_a_pack_is_made_checked_and_shared_by_the_commands_of_its_page(
    reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    commands = [line.split() for block in blocks for line in block.splitlines()]
    assert {words[2] for words in commands if words[:2] == ["review-insights", "pack"]} == {"new", "check", "list"}
    monkeypatch.chdir(tmp_path)
    for program, *words in commands:
        if program == "review-insights":
            with_fake = [] if words[1] == "list" else ["--profile", "fake.toml"]
            assert main([*words, *with_fake]) == (words[1] == "check"), "the fake knows no neutral"
        elif program == "python" or shutil.which(program):
            program = sys.executable if program == "python" else program
            subprocess.run([program, *words], check=True, capture_output=True)
    assert "dental: " in capsys.readouterr().out
    assert pack.load(Path("elsewhere/my_salon")).name == "salon", "as it was shared"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["florist"], "no such trade. Trades: hotel, "),
        (["Salon!", "--trade", "salon"], "cannot be called"),
        (["salon", "--limit", "0"], "--limit"),
        (["salon", "--map", "text"], "--map text"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_read(
    reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    out = str(tmp_path / "out")
    assert main(["pack", "new", *arguments, "--from", str(reviews), "--out", out]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1 and not Path(out).exists()


def test_discovered_themes_become_themes_with_their_sentences(warehouse: Warehouse, tmp_path: Path) -> None:
    texts = [f'The "parking meter" ate my coins, {n} in all. Call 555-010{n}.' for n in range(6)]
    rows = [review(text) for text in texts]
    warehouse.append("store.reviews", rows)
    warehouse.append("store.current", [{"stage": "discover", "fingerprint": "f"}])
    known = {"fingerprint": "f", "run_id": "r"}
    theme = {"theme": "t1", "name": "Parking, wifi", "words": ["wifi"], "centroid": b"", **known}
    warehouse.append("store.discovered", [theme])
    warehouse.append(
        "store.discover",
        [
            {"review_id": row["review_id"], "place": 0, "evidence": text, "theme": "t1", "closeness": 0.9, **known}
            for row, text in zip(rows, texts, strict=True)
        ],
    )
    (found,) = draft._discovered(warehouse)
    assert found["id"] == "wifi_2", "a shipped theme has that id"
    assert found["label"] == "Parking, wifi" and len(found["examples"]) >= 5
    file = tmp_path / "playbook.toml"
    file.write_text(draft._playbook("mine", "salon", [found], []))
    (aspect, *_) = load_taxonomy(file).aspects
    assert aspect.id == "wifi_2" and aspect.examples == tuple(found["examples"])
    assert all(10 <= len(step.split()) <= 24 for step in aspect.steps)


def test_the_commented_problem_is_one_once_it_is_uncommented(tmp_path: Path) -> None:
    from pipeline.advice.problems import own_problems

    text = draft._playbook("mine", "salon", [], [])
    start = text.index("# [[problem]]")
    file = tmp_path / "playbook.toml"
    file.write_text(text[:start] + "\n".join(line.removeprefix("# ") for line in text[start:].splitlines()))
    (problem,) = own_problems(file)
    assert problem.trades == ("salon",)
