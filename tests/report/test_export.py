"""Rows as files: what each format does with each kind of value, and the same bytes for the same rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_work, publish
from pipeline.report import export, workbook

COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "text": ("VARCHAR", ['=1+1 "now"', "two\nlines, <b> & “quotes”", None]),
    "yes": ("BOOLEAN", [True, False, None]),
    "count": ("INTEGER", [1, -2, None]),
    "huge": ("HUGEINT", [10**20, -1, None]),
    "price": ("DECIMAL(10,2)", [Decimal("1.50"), Decimal("-0.25"), None]),
    "share": ("DOUBLE", [0.5, float("nan"), float("inf")]),
    "labels": ("VARCHAR[]", [["joy", "love"], [], None]),
    "quotes": ("STRUCT(a INTEGER, b DOUBLE)[]", [[{"a": 1, "b": float("nan")}], [], None]),
    "day": ("DATE", [date(2026, 1, 2), date(1850, 1, 2), None]),
    "time": ("TIMESTAMP", [datetime(2026, 1, 2, 12), datetime(1850, 1, 2), None]),
}
NAMES = list(COLUMNS)
TYPES = [kind for kind, _ in COLUMNS.values()]
ROWS = list(zip(*(values for _, values in COLUMNS.values()), strict=True))


def write(folder: Path, rows: list[tuple[Any, ...]] = ROWS, names: list[str] = NAMES) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    files = {form: folder / f"rows.{form}" for form in export.FORMATS}
    export.write(files, names, TYPES, iter(rows))
    return files


def test_json_has_native_values_and_no_nan(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    first, second, third = json.loads(write(tmp_path)["json"].read_bytes(), parse_constant=refuse)
    assert first["text"] == '=1+1 "now"' and first["labels"] == ["joy", "love"] and first["huge"] == 10**20
    assert first["quotes"] == [{"a": 1, "b": None}] and first["price"] == 1.5 and first["yes"] is True
    assert (first["day"], first["time"]) == ("2026-01-02", "2026-01-02T12:00:00")
    assert second["share"] is None and third["share"] is None and third["labels"] is None


def test_csv_opens_in_a_spreadsheet_as_utf_8_without_formulas(tmp_path: Path) -> None:
    raw = write(tmp_path)["csv"].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    first, second, third = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert first["text"] == '\'=1+1 "now"' and second["text"] == "two\nlines, <b> & “quotes”" and third["text"] == ""
    assert (first["labels"], second["labels"], third["labels"]) == ("joy; love", "", "")
    assert (first["quotes"], first["price"], first["huge"]) == ('[{"a": 1, "b": null}]', "1.50", str(10**20))
    assert (second["count"], second["price"]) == ("-2", "-0.25"), "negative numbers are no formulas"


def test_parquet_keeps_the_types(tmp_path: Path) -> None:
    table = pq.read_table(write(tmp_path)["parquet"])
    types = {field.name: field.type for field in table.schema}
    assert (types["count"], types["yes"], types["day"]) == (pa.int32(), pa.bool_(), pa.date32())
    assert types["labels"].value_type == types["quotes"] == pa.string(), "structs are JSON"
    assert table["text"].to_pylist()[0] == '=1+1 "now"' and table["huge"].to_pylist()[0] == Decimal(10**20)


def test_xlsx_cells_are_numbers_dates_and_texts(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(write(tmp_path)["xlsx"]).active
    assert sheet is not None and sheet.freeze_panes == "A2" and sheet["A1"].font.bold
    first, second, third = (dict(zip(NAMES, row, strict=True)) for row in sheet.iter_rows(min_row=2, values_only=True))
    assert first["text"] == '\'=1+1 "now"' and second["text"] == "two\nlines, <b> & “quotes”"
    assert (first["yes"], first["count"], first["price"], first["share"]) == (True, 1, 1.5, 0.5)
    assert second["share"] is None and third["share"] is None and first["labels"] == "joy; love"
    assert (first["day"], first["time"]) == (datetime(2026, 1, 2), datetime(2026, 1, 2, 12))
    assert second["day"] == "1850-01-02", "Excel has no dates before 1900"


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    many = ROWS * 700  # several batches
    first, second = write(tmp_path / "a", many), write(tmp_path / "b", many)
    assert [first[form].read_bytes() for form in first] == [second[form].read_bytes() for form in second]
    assert len(json.loads(first["json"].read_bytes())) == pq.read_table(first["parquet"]).num_rows == len(many)


def test_no_rows_and_columns_of_one_name(tmp_path: Path) -> None:
    files = write(tmp_path, [])
    assert json.loads(files["json"].read_bytes()) == [] and pq.read_table(files["parquet"]).num_rows == 0
    assert files["csv"].read_text(encoding="utf-8-sig").startswith('"text","yes"')
    files = write(tmp_path, names=["text", *NAMES[:-1]])
    assert list(json.loads(files["json"].read_bytes())[0])[:2] == ["text", "text_2"]
    assert pq.read_table(files["parquet"]).column_names[:2] == ["text", "text_2"]


def test_a_sheet_that_is_too_long_is_an_input_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    with pytest.raises(InputError, match="holds 2 rows"):
        export.write({"xlsx": tmp_path / "r.xlsx"}, NAMES, TYPES, ROWS)
    with pytest.raises(InputError, match="cannot be written"):
        export.write({"csv": tmp_path / "missing" / "r.csv"}, NAMES, TYPES, ROWS)


def test_a_warehouse_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    publish(open_work(path))
    before = path.read_bytes()
    with pytest.raises(InputError, match="is a DuckDB file"):
        export.write({"csv": path}, ["a"], ["BIGINT"], [(1,)])
    assert path.read_bytes() == before
    export.write(
        {"csv": tmp_path / "new.csv"}, ["a"], ["TIMESTAMP WITH TIME ZONE"], [(datetime(2026, 1, 1, tzinfo=UTC),)]
    )


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path, part = tmp_path / "x.csv", tmp_path / ".x.csv.part"

    def rows() -> Iterator[tuple[int]]:
        yield (1,)
        assert part.exists() and path.read_text() == "earlier"
        raise ZeroDivisionError

    path.write_text("earlier")
    part.write_text("left by a killed process")
    with pytest.raises(ZeroDivisionError):
        export.write({"csv": path}, ["n"], ["INTEGER"], rows())
    assert path.read_text() == "earlier" and not part.exists()
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    export.write({"csv": link}, ["n"], ["INTEGER"], [(1,)])
    assert link.is_symlink() and path.read_text(encoding="utf-8-sig") == '"n"\n1\n'
