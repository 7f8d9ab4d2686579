"""Files that are meant to cost time or memory, or to break what reads them."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import openpyxl
import pytest

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from pipeline.ingest.understanding import MOST_ATTRIBUTES
from pipeline.report.sources import describe
from tests.ingest.cases.reading import column, counts, read, write

TEXT = "The hinge snapped off."


def test_thousands_of_columns_are_neither_kept_nor_listed(warehouse: Warehouse, tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(5_000)]
    rows = [["text", *names], *([f"{TEXT} {n}", *("ab" for _ in names)] for n in range(30))]
    result = read(warehouse, write(tmp_path / "wide.csv", "\n".join(map(",".join, rows))))
    assert counts(result) == (30, 0, 0, 0) and len(result.attributes) == MOST_ATTRIBUTES
    lines = describe(vars(result)).lines
    assert lines[-1].endswith("and 4920 more") and max(map(len, lines)) < 300


def test_a_cell_at_the_edge_of_a_sheet_hides_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (("text", "stars"), (TEXT, 1)):
        sheet.append(row)
    sheet.cell(row=2, column=16_384, value="far")
    buffer = io.BytesIO()
    book.save(buffer)
    read(warehouse, write(tmp_path / "far.xlsx", buffer.getvalue()))
    assert column(warehouse, "text") == [TEXT] and column(warehouse, "stars") == [1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stars", "1" * 20_000),
        ("stars", "4 " + " " * 50_000 + "/"),
        ("date", "1 " + "a" * 6_000),
        ("date", "2025-01-01T00:00:00." + "9" * 500),
        ("date", "99999999999999999999"),
        ("language", "x" * 10_000),
        ("id", "9" * 6_000),
    ],
)
def test_a_value_beyond_measure_is_none_and_its_review_is_kept(
    warehouse: Warehouse, tmp_path: Path, field: str, value: str
) -> None:
    read(warehouse, write(tmp_path / "r.json", json.dumps([{"text": TEXT, field: value}, {"text": "A fine hinge."}])))
    assert column(warehouse, "text") == [TEXT, "A fine hinge."]
    assert column(warehouse, "stars") == column(warehouse, "reviewed_at") == [None, None]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.json", b'{"text": "x", "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        ("digits.json", b'[{"text": "x", "stars": ' + b"1" * 5_000 + b"}]"),
        ("cut.json", b'[{"text": "x"}, {"text": "y'),
        ("false.csv.gz", b"text\nThe hinge snapped off.\n"),
        ("cut.csv.gz", gzip.compress(b"text\nThe hinge snapped off.\n" * 50, mtime=0)[:-12]),
        ("twice.csv.gz", gzip.compress(gzip.compress(b"text\nThe hinge snapped off.\n", mtime=0), mtime=0)),
        ("line.csv.gz", gzip.compress(b"text\n" + b"x" * 50_000_001, mtime=0)),
        ("false.parquet", b"PAR1 no parquet"),
        ("mark.csv", b"\xef\xbb\xbf"),
    ],
)
def test_a_file_that_is_hostile_as_a_whole_is_one_clear_line(
    warehouse: Warehouse, tmp_path: Path, name: str, content: bytes
) -> None:
    with pytest.raises(InputError, match=name) as error:
        read(warehouse, write(tmp_path / name, content))
    assert "\n" not in str(error.value)


def test_what_would_steer_a_terminal_is_not_in_a_message(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column with a usual name") as error:
        read(warehouse, write(tmp_path / "r.csv", '"te\nxt\x1b[31m",stars\nThe hinge snapped off.,1\n'))
    assert str(error.value).isprintable()
