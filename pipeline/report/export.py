"""Rows as files: CSV, JSON, Parquet and XLSX, batch by batch, so that a hundred thousand of them need little memory.

The same rows give the same bytes. Cells that a spreadsheet would run as a formula are neutralised in CSV and XLSX.
Texts, nearly all there is, are escaped and joined by Arrow, a column at a time: Python takes twice as long.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import IO, Any, TypeAlias
from xml.sax.saxutils import escape

from pipeline.core.errors import InputError

FORMATS = ("csv", "json", "parquet", "xlsx")
Row = Sequence[Any]
_Put: TypeAlias = "Callable[[_Batch], None]"  # how a file that is open takes rows

_BATCH = 1000  # rows; an Arrow column of texts holds 2 GB at most
_LONGEST_CELL = 32_767  # characters that Excel takes
_MOST_ROWS = 1_048_576
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LOOKS_ESCAPED = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_PLAIN = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_"  # either of the two, as Arrow writes it
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def write(files: Mapping[str, Path], names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes `rows`, read once, to each of `files`: format -> path. `types`: DuckDB's names of the columns' types.

    Raises InputError where a file cannot be written, or an XLSX sheet cannot hold so many rows.
    """
    openers = {"csv": _csv, "json": _json, "parquet": _parquet, "xlsx": _xlsx}
    kinds = [_arrow(kind) for kind in types]
    try:
        with contextlib.ExitStack() as stack:
            puts = [stack.enter_context(openers[form](path, names, kinds)) for form, path in files.items()]
            for some in _batches(rows, _BATCH):
                batch = _Batch(some, kinds)
                for put in puts:
                    put(batch)
    except OSError as error:
        named = error.filename or next(iter(files.values()))
        raise InputError(f"{named} cannot be written ({error.strerror or error}). Name another file.") from error


def neutralise(value: Any) -> Any:
    """A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    """What JSON holds of a value."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, float) else str(value)


def _cell(value: Any) -> Any:
    """One value in one cell: lists of texts joined, anything deeper as JSON."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return neutralise("; ".join(value))
    if isinstance(value, list | dict | tuple):
        return neutralise(json.dumps(_plain(value), ensure_ascii=False))
    return value


class _Batch:
    """Rows by columns; what several formats need of a column is computed once."""

    def __init__(self, rows: Sequence[Row], kinds: Sequence[Any]) -> None:
        self.columns = list(zip(*rows, strict=True))
        self.kinds = kinds
        self.rows = len(rows)

    @functools.cached_property
    def arrays(self) -> list[Any]:
        """Arrow arrays; what has no kind of its own as JSON."""
        import pyarrow as pa

        return [
            pa.array(column if kind != pa.string() or _are_texts(column) else map(_plain_text, column), kind)
            for column, kind in zip(self.columns, self.kinds, strict=True)
        ]

    @functools.cached_property
    def cells(self) -> list[Any]:
        """For spreadsheets: an Arrow array of texts, lists joined and formulas neutralised, or a list of values."""
        return [_cells(*column) for column in zip(self.columns, self.arrays, strict=True)]


def _are_texts(column: Sequence[Any]) -> bool:
    return {*map(type, column)} <= {str, NoneType}


def _cells(column: Sequence[Any], array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.type == pa.list_(pa.string()) and array.flatten().null_count == 0:
        array = pc.binary_join(array, "; ")
    elif pa.types.is_temporal(array.type) or pa.types.is_primitive(array.type):
        return column
    elif array.type != pa.string():
        array = pa.array([None if value is None else str(_cell(value)) for value in column], pa.string())
    formula = pc.is_in(pc.utf8_slice_codeunits(array, 0, 1), value_set=pa.array(_FORMULA))
    if not pc.any(formula).as_py():
        return array
    return pc.if_else(formula, pc.binary_join_element_wise("'", array, ""), array)


def write_csv(file: IO[str], names: Sequence[str], rows: Iterable[Row], newline: str = "\r\n") -> None:
    writer = csv.writer(file, lineterminator=newline)
    writer.writerow([neutralise(name) for name in names])
    writer.writerows([_cell(value) for value in row] for row in rows)


@contextlib.contextmanager
def _csv(path: Path, names: Sequence[str], kinds: Sequence[Any]) -> Iterator[_Put]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    kinds = [kind if pa.types.is_primitive(kind) and not pa.types.is_temporal(kind) else pa.string() for kind in kinds]
    schema = pa.schema(list(zip(_distinct([neutralise(name) for name in names]), kinds, strict=True)))

    def put(batch: _Batch) -> None:
        arrays = [
            column
            if isinstance(column, pa.Array)
            else pa.array(
                [None if value is None else str(value) for value in column] if kind == pa.string() else column, kind
            )
            for column, kind in zip(batch.cells, kinds, strict=True)
        ]
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))

    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")  # the mark: Excel reads UTF-8 then
        with arrow_csv.CSVWriter(file, schema, write_options=arrow_csv.WriteOptions(quoting_style="needed")) as writer:
            yield put


def write_json(file: IO[str], names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    """An array of objects, one per line."""
    kinds = [_arrow(kind) for kind in types]
    with _json_into(lambda text: file.write(bytes(text).decode()), names) as put:
        for some in _batches(rows, _BATCH):
            put(_Batch(some, kinds))


@contextlib.contextmanager
def _json(path: Path, names: Sequence[str], kinds: Sequence[Any]) -> Iterator[_Put]:
    with path.open("wb") as file, _json_into(file.write, names) as put:
        yield put


@contextlib.contextmanager
def _json_into(write: Callable[[bytes | memoryview], Any], names: Sequence[str]) -> Iterator[_Put]:
    heads = [(", " if at else ",\n{") + _ENCODER.encode(name) + ": " for at, name in enumerate(names)]
    written = 0

    def put(batch: _Batch) -> None:
        nonlocal written
        values = map(_json_values, batch.columns, batch.arrays)
        pieces = [piece for pair in zip(heads, values, strict=True) for piece in pair]
        write(_joined(*pieces, "}")[0 if written else 1 :])  # no comma before the first
        written += batch.rows

    write(b"[")
    yield put
    write(b"\n]\n")


def _joined(*pieces: Any) -> memoryview:
    """The pieces of each row, and the rows, joined: UTF-8. Pieces are Arrow columns, or a text for every row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pc.binary_join_element_wise(*pieces, "")
    return memoryview(pc.binary_join(pa.ListArray.from_arrays([0, len(rows)], rows), "")[0].as_buffer())


def _json_values(column: Sequence[Any], array: Any) -> Any:
    """One JSON text per value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.type == pa.string() and _are_texts(column):
        return pc.fill_null(_json_strings(array), "null")
    if array.type == pa.list_(pa.string()) and array.flatten().null_count == 0:
        texts = pa.ListArray.from_arrays(array.offsets, _json_strings(array.values))
        return pc.if_else(
            array.is_null(), "null", pc.binary_join_element_wise("[", pc.binary_join(texts, ", "), "]", "")
        )
    return pa.array(map(_json_text, column), pa.string())


def _json_text(value: Any) -> str:
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "null"  # JSON has no nan
    return _ENCODER.encode(_plain(value))


def _json_strings(array: Any) -> Any:
    import pyarrow.compute as pc

    if pc.any(pc.match_substring_regex(array, r'["\\\x00-\x1f]')).as_py():
        for character in ("\\", '"', "\n", "\r", "\t"):
            array = pc.replace_substring(array, character, _ENCODER.encode(character)[1:-1])
        if pc.any(pc.match_substring_regex(array, r"[\x00-\x1f]")).as_py():
            for code in range(32):
                array = pc.replace_substring(array, chr(code), _ENCODER.encode(chr(code))[1:-1])
    return pc.binary_join_element_wise('"', array, '"', "")


@contextlib.contextmanager
def _parquet(path: Path, names: Sequence[str], kinds: Sequence[Any]) -> Iterator[_Put]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(list(zip(_distinct(names), kinds, strict=True)))
    waiting: list[Any] = []

    def flush() -> None:
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting).combine_chunks())
            waiting.clear()

    def put(batch: _Batch) -> None:
        waiting.append(pa.RecordBatch.from_arrays(batch.arrays, schema=schema))
        if len(waiting) == 10:
            flush()

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        yield put
        flush()


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    if kind.endswith("[]"):
        inner = _arrow(kind.removesuffix("[]"))
        return pa.list_(inner) if "(" not in kind else pa.string()
    plain = {
        "BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(), "BIGINT": pa.int64(),
        "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
        "HUGEINT": pa.decimal128(38),
    }  # fmt: skip
    return plain.get(kind, pa.string())  # structs and maps as JSON


def _plain_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(_plain(value), ensure_ascii=False) if isinstance(value, list | dict | tuple) else str(value)


def _batches(rows: Iterable[Row], size: int) -> Iterable[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _distinct(names: Sequence[str]) -> list[str]:
    """A query may name two columns alike; a Parquet file must not."""
    return [name if name not in names[:at] else f"{name}_{at + 1}" for at, name in enumerate(names)]


# openpyxl takes minutes for a hundred thousand rows and writes the time of day into the file. A sheet of plain cells is
# a few lines of XML, the same ones every time.
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="insights" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
    # Cell styles: 0 plain, 1 date and time, 2 bold, 3 date.
    "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf numFmtId="22" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EPOCH = datetime(1899, 12, 30)
_OPENING, _CLOSING = '<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"


@contextlib.contextmanager
def _xlsx(path: Path, names: Sequence[str], kinds: Sequence[Any]) -> Iterator[_Put]:
    def part(name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name)  # without a date: 1980, always
        info.compress_type = zipfile.ZIP_DEFLATED
        return info

    written = 1

    def put(batch: _Batch) -> None:
        nonlocal written
        written += batch.rows
        if written > _MOST_ROWS:
            raise InputError(f"An XLSX sheet holds {_MOST_ROWS - 1} rows. Write CSV or Parquet, or a shorter period.")
        sheet.write(_joined("<row>", *map(_xlsx_cells, batch.cells), "</row>"))

    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(part(name), _XML + content)
        with archive.open(part("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write((_XML + _SHEET).encode())
            sheet.write(f"<row>{''.join(_text_cell(neutralise(name), 2) for name in names)}</row>".encode())
            yield put
            sheet.write(b"</sheetData></worksheet>")


def _xlsx_cells(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not isinstance(column, pa.Array):
        return pa.array(map(_xlsx_cell, column), pa.string())
    if pc.any(pc.match_substring_regex(column, f"[&<>]|{_NOT_PLAIN}")).as_py():
        if pc.any(pc.match_substring_regex(column, _NOT_PLAIN)).as_py():
            return pa.array(["<c/>" if text is None else _text_cell(text) for text in column.to_pylist()], pa.string())
        for character in "&<>":
            column = pc.replace_substring(column, character, escape(character))
    if (pc.max(pc.binary_length(column)).as_py() or 0) > _LONGEST_CELL:
        column = pc.utf8_slice_codeunits(column, 0, _LONGEST_CELL)
    return pc.fill_null(pc.binary_join_element_wise(_OPENING, column, _CLOSING, ""), "<c/>")


def _xlsx_cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, float):
        return f"<c><v>{value}</v></c>" if math.isfinite(value) else "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | Decimal):
        return f"<c><v>{value}</v></c>"
    if isinstance(value, datetime) and value.year >= 1900 and value.tzinfo is None:
        return f'<c s="1"><v>{(value - _EPOCH).total_seconds() / 86400:.8f}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime) and value.year >= 1900:
        return f'<c s="3"><v>{(value - _EPOCH.date()).days}</v></c>'
    return _text_cell(str(value))


def _text_cell(text: str, style: int = 0) -> str:
    # Characters that XML cannot hold are left out; _x000D_ and its like would be read as a character.
    text = _LOOKS_ESCAPED.sub("_x005F_x", _NOT_XML.sub("", text)[:_LONGEST_CELL])
    opening = _OPENING.replace(">", f' s="{style}">', 1) if style else _OPENING
    return f"{opening}{escape(text)}{_CLOSING}"
