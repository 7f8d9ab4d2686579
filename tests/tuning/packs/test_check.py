from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.core import pack
from pipeline.core.errors import InputError
from pipeline.tuning.packs.check import check, read_examples

FAKE = 'extends = "embedded"\n[reader]\nbackend = "fake"\n[sentiment]\nbackend = "fake"\nlanguages = ["en"]\n[emotions]\nbackend = "fake"\n'
IGLOO = '[[aspect]]\nid = "igloo"\nlabel = "Igloo"\nsteps = ["a", "b", "c"]\nterms.en = ["igloo"]\n'
EXAMPLES = """text,label,themes
A bad igloo without any door at all.,negative,igloo
The waiting time was short and the team was friendly.,positive,waiting_time
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "mine"
    found.mkdir()
    (found / pack.FILE).write_text('name = "mine"\ndescription = "Mine"\nlicence = "Apache-2.0"\n')
    (found / pack.PLAYBOOK).write_text(f'of_trade = "salon"\n{IGLOO}')
    (found / pack.EXAMPLES).write_text(EXAMPLES)
    (tmp_path / "fake.toml").write_text(FAKE)
    return found


def test_examples_are_read_as_a_run_with_the_pack_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["pack", "check", str(folder), "--profile", str(folder.parent / "fake.toml"), "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["own_themes"], told["examples"], told["misread"]) == ("mine", 1, 2, [])
    lines = EXAMPLES.replace(",positive,waiting_time", ",neutral,igloo noise")
    (folder / pack.EXAMPLES).write_text(lines)
    assert main(command[:-1]) == 1
    shown = capsys.readouterr().out
    assert "1 of 2 examples are read as they say" in shown
    assert "row 2: neutral, read as positive" in shown and "row 2: igloo, noise not found" in shown


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        (pack.FILE, "name = 1\n", "pack.toml: "),
        (pack.PLAYBOOK, 'of_trade = "moon"\n', "'of_trade' names the trade 'moon'"),
        (pack.PLAYBOOK, 'of_trade = "salon"\n[[problem]]\nid = "x"\n', "error"),
        (pack.EXAMPLES, "text,label\nx,negative\n", "its columns must be text, label, themes"),
        (pack.EXAMPLES, EXAMPLES.replace(",positive,", ",happy,"), "row 2: the label 'happy'"),
        (pack.EXAMPLES, EXAMPLES.replace(",igloo\n", ",iglu\n"), "row 1: 'iglu' is no theme"),
        (pack.EXAMPLES, EXAMPLES + "a bad igloo without any door at all.,negative,\n", "row 3: stands there twice"),
    ],
)
def test_the_first_file_that_is_wrong_is_one_line(folder: Path, file: str, content: str, says: str) -> None:
    (folder / file).write_text(content)
    with pytest.raises(InputError, match=says) as caught:
        check(folder, str(folder.parent / "fake.toml"))
    assert "\n" not in str(caught.value)


def test_a_calibration_that_cannot_be_applied_is_told(folder: Path) -> None:
    (folder / pack.CALIBRATION).write_text("{}")
    (folder / pack.FILE).write_text(
        (folder / pack.FILE).read_text() + '[sentiment]\ncalibration = "calibration.json"\n'
    )
    with pytest.raises(InputError, match="not a sentiment calibration"):
        check(folder)


def test_a_pack_needs_no_examples(folder: Path) -> None:
    (folder / pack.EXAMPLES).unlink()
    assert read_examples(folder / pack.EXAMPLES, []) == []
    assert check(folder).examples == 0
