"""Files that are meant to cost time or memory, or to break what reads them."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
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


@pytest.mark.parametrize("name", ["one.json", "lines.jsonl", "after.json"])
def test_a_number_of_thousands_of_digits_is_a_text(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    records = [f'{{"text": "{TEXT}", "stars": {"1" * 5_000}}}', '{"text": "A fine hinge.", "stars": 5}']
    content = {
        "one.json": f"[{', '.join(records)}]",
        "lines.jsonl": "\n".join(records),
        "after.json": " ".join(records),
    }
    result = read(warehouse, write(tmp_path / name, content[name]))
    assert counts(result) == (2, 0, 0, 0) and column(warehouse, "stars") == [None, 5]


@pytest.mark.parametrize("line", [b"The hinge snapped off.\n", b"a\n"])
def test_what_unpacks_to_far_more_than_a_list_of_reviews_is_one_clear_line(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr("pipeline.ingest.formats.decode._FREE_UNPACKED", 100_000)
    bomb = b"text\n" + line * 500_000
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", bomb)
    within = io.BytesIO()
    with zipfile.ZipFile(within, "w") as book:
        book.writestr("reviews.csv.gz", gzip.compress(bomb, mtime=0))
    for name, content in (("a.csv.gz", gzip.compress(bomb, mtime=0)), ("b.xlsx", sheet), ("c.zip", within)):
        with pytest.raises(InputError, match=f"{name}.*unpacks to") as error:
            read(warehouse, write(tmp_path / name, content if isinstance(content, bytes) else content.getvalue()))
        assert "\n" not in str(error.value)


def test_an_archive_in_an_archive_is_said_to_be_left_out(warehouse: Warehouse, tmp_path: Path) -> None:
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as book:
        book.writestr("more.csv", f"text\n{TEXT}\n")
    with zipfile.ZipFile(outer, "w") as book:
        book.writestr("one.csv", f"text\n{TEXT}\n")
        book.writestr("inner.zip", inner.getvalue())
    assert counts(read(warehouse, write(tmp_path / "r.zip", outer.getvalue()))) == (1, 1, 0, 0)
    (reject,) = warehouse.query("FROM rejects")
    assert reject["raw"] == "inner.zip" and "an archive in an archive" in reject["reason"]


@pytest.mark.parametrize("name", ["wide.csv", "many.json"])
def test_more_columns_than_a_table_can_have_are_one_clear_line(
    warehouse: Warehouse, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ingest.understanding._MOST_COLUMNS", 500)
    content = {
        "wide.csv": "text" + ",x" * 500 + f"\n{TEXT}" + ",1" * 500 + "\n",
        "many.json": [{"text": TEXT, f"x{n}": n} for n in range(600)],
    }
    with pytest.raises(InputError, match=f"{name} has more than 500 columns"):
        read(warehouse, write(tmp_path / name, content[name]))


CHINESE = "这家店的菜很好吃，老板也很热情。"


@pytest.mark.parametrize(
    ("other", "encoding"), [(CHINESE, "gb18030"), ("Суп был холодный, а официант грубил.", "cp1251")]
)
def test_a_file_in_two_encodings_is_read_line_by_line(
    warehouse: Warehouse, tmp_path: Path, other: str, encoding: str
) -> None:
    halves = [f"{CHINESE}{n};5\n".encode() for n in range(30)], [f"{other} {n};1\n".encode(encoding) for n in range(30)]
    result = read(warehouse, write(tmp_path / "r.csv", b"text;stars\n" + b"".join(halves[0] + halves[1])))
    assert counts(result) == (60, 0, 0, 0)
    assert column(warehouse, "text") == [f"{CHINESE}{n}" for n in range(30)] + [f"{other} {n}" for n in range(30)]
    assert result.layouts[0]["encoding"] == f"utf-8/{encoding}"
    assert f"some lines are not in utf-8; they are read as {encoding}" in " ".join(result.notes)


def test_a_name_that_is_not_utf8_is_kept_as_escapes(warehouse: Warehouse, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")
    try:
        Path(name).write_text(f"text\n{TEXT}\n")
    except OSError:
        pytest.skip("file names of this system are all UTF-8")
    result = read(warehouse, name)
    assert result.source.endswith("/caf\\xe9.csv") and counts(result) == (1, 0, 0, 0)
    assert warehouse.query("SELECT source FROM reviews") == [{"source": result.source}]


def test_what_would_steer_a_terminal_is_not_in_a_message(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column with a usual name") as error:
        read(warehouse, write(tmp_path / "r.csv", '"te\nxt\x1b[31m",stars\nThe hinge snapped off.,1\n'))
    assert str(error.value).isprintable()
