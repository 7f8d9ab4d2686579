"""Names on the command line to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest.sources import expand


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "b.csv", "o'brien (1).csv", "my reviews.csv"):
        (tmp_path / name).write_text("text\nGood.\n")
    return tmp_path


@pytest.mark.parametrize("name", ["o'brien (1).csv", "my reviews.csv", "a.csv"])
def test_a_name_is_taken_as_it_is(folder: Path, name: str) -> None:
    assert expand([name]) == [name]


def test_several_names_in_one_value(folder: Path) -> None:
    assert expand(["a.csv b.csv"]) == ["a.csv", "b.csv"]
    assert expand(["[ab].csv o*.csv"]) == ["a.csv", "b.csv", "o'brien (1).csv"]
    with pytest.raises(InputError, match=r"There is no file a.csv c.csv"):
        expand(["a.csv c.csv"])
