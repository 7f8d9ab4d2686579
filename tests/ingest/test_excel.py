"""Excel workbooks as people and programs write them."""

from __future__ import annotations

import re
import tracemalloc
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.core.errors import InputError
from pipeline.ingest.formats.record import Broken, Layout, ReadOptions, Record
from pipeline.ingest.sources import read_items, read_records

HEADER = ["Review", "Stars", "Date"]
LAMP = ["The lamp hums at night.", 2, datetime(2024, 5, 1)]
DESK = ["A sturdy desk.", 4, datetime(2024, 5, 2)]
LAMP_RECORD = {"Review": "The lamp hums at night.", "Stars": "2", "Date": "2024-05-01 00:00:00"}
DESK_RECORD = {"Review": "A sturdy desk.", "Stars": "4", "Date": "2024-05-02 00:00:00"}


def write(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], merge: str | None = None) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merge:
            sheet.merge_cells(merge)
    book.save(path / "r.xlsx")
    return path / "r.xlsx"


def read(path: Path, header: bool | None = None, **mapping: str) -> list[Record]:
    return list(read_records(str(path), ReadOptions(header=header, mapping=mapping)))


@pytest.mark.parametrize(
    "sheets",
    [
        {"One": [HEADER, LAMP, DESK]},
        {"May 1": [HEADER, LAMP], "May 2": [HEADER, DESK]},
        {"Empty": [], "Reviews": [HEADER, LAMP, DESK]},
        {"Cover": [["All that our guests wrote"], ["Made by", "the front desk"]], "Reviews": [HEADER, LAMP, DESK]},
        {"Titled": [["Feedback"], ["Period", "May"], [], HEADER, LAMP, DESK]},
        {"Dated": [["Date", "2024-06-01"], [], HEADER, LAMP, DESK]},
        {"Reviews": [HEADER, LAMP, DESK], "Notes": [["Written down by hand"]]},
        {"Only a header": [HEADER], "Reviews": [HEADER, LAMP, [], DESK]},
    ],
    ids=lambda sheets: ", ".join(sheets),
)
def test_every_sheet_that_holds_records_is_read_from_its_header(tmp_path: Path, sheets: dict[str, Any]) -> None:
    assert read(write(tmp_path, sheets)) == [LAMP_RECORD, DESK_RECORD]


def test_a_merged_title_is_no_header(tmp_path: Path) -> None:
    file = write(tmp_path, {"Reviews": [["Guests' reviews in May"], HEADER, LAMP]}, merge="A1:C1")
    assert read(file) == [LAMP_RECORD]


def test_merged_cells_give_their_value_to_the_first(tmp_path: Path) -> None:
    file = write(tmp_path, {"Reviews": [["Hotel", "Review"], ["Inn", "It hums."], [None, "Sturdy."]]}, merge="A2:A3")
    assert read(file) == [{"Hotel": "Inn", "Review": "It hums."}, {"Hotel": None, "Review": "Sturdy."}]


def test_sheets_keep_their_own_columns(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [HEADER, LAMP], "B": [["Comment", "Hotel"], ["Fine.", "Inn"]]})
    assert read(file) == [LAMP_RECORD, {"Comment": "Fine.", "Hotel": "Inn"}]


def test_numbers_and_gaps_in_a_header_are_names(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [["Review", 3, None], ["It hums.", 4, "x"]]})
    assert read(file) == [{"Review": "It hums.", "3": "4", "3_3": "x"}]
    assert read(file, stars="3") == read(file)


@pytest.mark.parametrize("width", [1, 3])
def test_a_sheet_that_goes_on_without_a_header_is_reported(tmp_path: Path, width: int) -> None:
    records = read(write(tmp_path, {"A": [HEADER[:width], LAMP[:width]], "B": [DESK[:width]] * 2}))
    assert isinstance(records[0], dict) and records[0]["Review"] == LAMP[0]
    assert isinstance(records[1], Broken) and records[1].reason.startswith("sheet B was not read")
    assert len(records) == 2


def test_columns_can_be_mapped_by_name_below_a_title_and_by_number(tmp_path: Path) -> None:
    named = write(tmp_path, {"A": [["Our guests"], [], ["Remark", "Given"], ["It hums.", 2]]})
    assert read(named, text="Remark") == [{"Remark": "It hums.", "Given": "2"}]
    assert read(write(tmp_path, {"A": [["It hums.", 2], ["Sturdy.", 4]]}), text="1") == [
        {"1": "It hums.", "2": "2"},
        {"1": "Sturdy.", "2": "4"},
    ]
    assert read(write(tmp_path, {"A": [HEADER[:2], LAMP[:2]]}), text="1") == [{"1": LAMP[0], "2": "2"}]


def test_header_option(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [["Ours", "Text"], ["It hums.", "x"]]})
    assert read(file, header=True) == [{"Ours": "It hums.", "Text": "x"}]
    assert read(file, header=False) == [{"1": "Ours", "2": "Text"}, {"1": "It hums.", "2": "x"}]


def test_a_review_that_is_a_columns_name_is_no_header(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [["Remark", "Place"], ["It hums.", "Inn"], ["Great", "Store"], ["Sturdy.", "Shop"]]})
    assert [r["Remark"] for r in read(file) if isinstance(r, dict)] == ["It hums.", "Great", "Sturdy."]


@pytest.mark.parametrize("sheets", [{"A": [HEADER]}, {"A": []}, {"A": [["Review"]], "B": []}])
def test_a_workbook_without_rows_is_one_clear_line(tmp_path: Path, sheets: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no sheet has rows below a header"):
        read(write(tmp_path, sheets))


def damage(path: Path, sheet: int, after: str) -> None:
    """Cuts a sheet's XML off behind a cell."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = f"xl/worksheets/sheet{sheet}.xml"
    end = re.search(rf'<c r="{after}"', parts[name].decode())
    assert end
    parts[name] = parts[name][: end.start()]
    with zipfile.ZipFile(path, "w") as book:
        for part, content in parts.items():
            book.writestr(part, content)


def test_a_damaged_sheet_keeps_what_can_be_read_and_says_what_is_lost(tmp_path: Path) -> None:
    many = [HEADER, *[LAMP] * 200]
    file = write(tmp_path, {"A": many, "B": [HEADER, DESK]})
    damage(file, 1, "A101")
    records = read(file)
    assert records[:99] == [LAMP_RECORD] * 99
    assert isinstance(records[99], Broken) and records[99].reason.startswith("sheet A is damaged after row 100")
    assert records[100:] == [DESK_RECORD]


def test_a_workbook_of_one_damaged_sheet_is_one_clear_line(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [HEADER, LAMP]})
    damage(file, 1, "A1")
    with pytest.raises(InputError, match="sheet A is damaged after row 0") as caught:
        read(file)
    assert "\n" not in str(caught.value)


def test_a_workbook_with_broken_styles_is_one_clear_line(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [HEADER, LAMP]})
    with zipfile.ZipFile(file) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(file, "w") as book:
        for part, content in parts.items():
            book.writestr(part, b"<styleSheet>&oops;" if part == "xl/styles.xml" else content)
    with pytest.raises(InputError, match="not an Excel file that can be read") as caught:
        read(file)
    assert "\n" not in str(caught.value)


def test_dimensions_that_are_too_small_hide_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, {"A": [HEADER, LAMP, DESK]})
    with zipfile.ZipFile(file) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(file, "w") as book:
        for part, content in parts.items():
            book.writestr(part, content.replace(b'<dimension ref="A1:C3"', b'<dimension ref="A1"'))
    assert read(file) == [LAMP_RECORD, DESK_RECORD]


def test_each_sheet_has_a_layout_before_its_records(tmp_path: Path) -> None:
    file = write(tmp_path, {"May": [HEADER, LAMP], "Cover": [["Ours"]], "June": [["Feedback"], [], HEADER, DESK]})
    assert list(read_items(str(file), ReadOptions())) == [
        Layout(header_line=1, part="May"),
        LAMP_RECORD,
        Layout(header_line=3, part="June"),
        DESK_RECORD,
    ]
    by_number = list(read_items(str(file), ReadOptions(header=False)))
    assert [item.header_line for item in by_number if isinstance(item, Layout)] == [None] * 3


def test_a_sheet_is_never_held_whole(tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in range(10_000):
        sheet.append(["The lamp hums at night.", number] if number else HEADER[:2])
    book.save(tmp_path / "r.xlsx")
    items = read_items(str(tmp_path / "r.xlsx"), ReadOptions())
    next(items)
    next(items)
    tracemalloc.start()
    try:
        assert sum(1 for _ in items) == 9_998
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000
