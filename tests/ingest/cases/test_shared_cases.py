"""The cases beside the shared data: what a column "expected" holds comes out, and what is hostile is read or refused."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from tests.ingest.cases.reading import column, days, read

CASES = {"02-*/amazon_eu.csv": "expected_date", "09-*/stars.csv": "expected", "10-*/dates.csv": "expected"}


@pytest.mark.parametrize(("pattern", "name"), CASES.items())
def test_expected_values(warehouse: Warehouse, shared_data: Path, pattern: str, name: str) -> None:
    file = next(shared_data.parent.glob(f"cases/{pattern}"), None)
    if file is None:
        pytest.skip("needs the shared cases, which are not part of the project")
    with file.open(encoding="utf-8", newline="") as lines:
        expected = [row[name] for row in csv.DictReader(lines)]
    read(warehouse, str(file))
    stars = ["" if value is None else f"{value:g}" for value in column(warehouse, "stars")]
    read_as = stars if "stars" in pattern else [day or "null" for day in days(warehouse)]
    wrong = [pair for pair in zip(expected, read_as, strict=True) if not _fits(*pair)]
    assert not wrong


def _fits(expected: str, read_as: str) -> bool:
    """Whether it is one of the values offered ("... or null"), or none where the day is missing; "?" leaves it open."""
    no_day = re.fullmatch(r"\d{4}-\d\d", expected) and read_as == "null"
    return expected == "?" or bool(no_day) or read_as in re.split(r" or | \(", expected)


@pytest.mark.slow
def test_hostile_files_are_read_or_refused_in_one_line(warehouse: Warehouse, shared_data: Path) -> None:
    files = sorted(shared_data.parent.glob("cases/attack/*.*"))
    if not files:
        pytest.skip("needs the shared cases, which are not part of the project")
    for file in files:
        try:
            read(warehouse, str(file))
        except InputError as error:
            assert "\n" not in str(error)
