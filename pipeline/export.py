"""Rows as files: CSV, JSON, Parquet and XLSX, row by row, so that a hundred thousand of them need little memory.

The same rows give the same bytes. Cells that a spreadsheet would run as a formula are neutralised in CSV and XLSX.
"""

from __future__ import annotations

import csv
import json
import math
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import IO, Any
from xml.sax.saxutils import escape

from pipeline.errors import InputError

FORMATS = ("csv", "json", "parquet", "xlsx")
Row = Sequence[Any]

_LONGEST_CELL = 32_767  # characters that Excel takes
_MOST_ROWS = 1_048_576
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LOOKS_ESCAPED = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1e\ud800-\udfff\ufffe\uffff]")  # \x1f besides


def write(path: Path, format: str, names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    """Writes `rows` to `path`. `types`: DuckDB's names of the columns' types.

    Raises InputError where the file cannot be written, or an XLSX sheet cannot hold so many rows.
    """
    try:
        writer = {"csv": _csv_file, "json": _json_file, "parquet": _parquet, "xlsx": _xlsx}[format]
        writer(path, names, types, rows)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}). Name another file.") from error


def neutralise(value: Any) -> Any:
    """A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    """What JSON holds of a value."""
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
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _cell(value: Any) -> Any:
    """One value in one cell: lists of texts joined, anything deeper as JSON."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return neutralise("; ".join(value))
    if isinstance(value, list | dict | tuple):
        return neutralise(json.dumps(_plain(value), ensure_ascii=False))
    return value


def _cells(column: Sequence[Any]) -> Sequence[Any]:
    """`_cell` of each value; numbers and plain texts, nearly all there is, without a call for each."""
    kinds = set(map(type, column))
    if kinds <= {int, float, bool, NoneType}:
        return column
    if kinds <= {str, NoneType}:
        return [f"'{value}" if value and value[0] in _FORMULA else value for value in column]
    if kinds <= {list, NoneType} and all(map(_are_texts, filter(None, column))):
        return _cells([None if value is None else "; ".join(value) for value in column])
    return [_cell(value) for value in column]


def _are_texts(values: list[Any]) -> bool:
    return set(map(type, values)) == {str}


def write_csv(file: IO[str], names: Sequence[str], rows: Iterable[Row], newline: str = "\r\n") -> None:
    writer = csv.writer(file, lineterminator=newline)
    writer.writerow([neutralise(name) for name in names])
    for batch in _batches(rows, 2000):
        writer.writerows(zip(*(_cells(column) for column in zip(*batch, strict=True)), strict=True))


def _csv_file(path: Path, names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    """As `write_csv`, by Arrow: csv.writer takes three times as long for long texts."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    kinds = [kind if pa.types.is_primitive(kind) else pa.string() for kind in map(_arrow, types)]
    kinds = [pa.string() if pa.types.is_temporal(kind) else kind for kind in kinds]
    schema = pa.schema(list(zip(_distinct([neutralise(name) for name in names]), kinds, strict=True)))
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")  # the mark: Excel reads UTF-8 then
        with arrow_csv.CSVWriter(file, schema, write_options=arrow_csv.WriteOptions(quoting_style="needed")) as writer:
            for batch in _batches(rows, 5000):
                columns = (_cells(column) for column in zip(*batch, strict=True))
                arrays = [
                    pa.array(
                        [value if value is None or isinstance(value, str) else str(value) for value in column], kind
                    )
                    if kind == pa.string()
                    else pa.array(column, kind)
                    for column, kind in zip(columns, kinds, strict=True)
                ]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def write_json(file: IO[str], names: Sequence[str], rows: Iterable[Row]) -> None:
    """An array of objects, one per line."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain).encode
    file.write("[")
    for number, row in enumerate(rows):
        record = dict(zip(names, row, strict=True))
        try:
            line = encode(record)
        except ValueError:  # JSON has no nan
            line = encode(_plain(record))
        file.write((",\n" if number else "\n") + line)
    file.write("\n]\n")


def _json_file(path: Path, names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        write_json(file, names, rows)


def _parquet(path: Path, names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [_arrow(kind) for kind in types]
    schema = pa.schema(list(zip(_distinct(names), kinds, strict=True)))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in _batches(rows, 20_000):
            columns = zip(*batch, strict=True)
            arrays = [
                pa.array([_plain_text(value) for value in column] if kind == pa.string() else column, kind)
                for column, kind in zip(columns, kinds, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


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


def _xlsx(path: Path, names: Sequence[str], types: Sequence[str], rows: Iterable[Row]) -> None:
    def part(name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name)  # without a date: 1980, always
        info.compress_type = zipfile.ZIP_DEFLATED
        return info

    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(part(name), _XML + content)
        with archive.open(part("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write((_XML + _SHEET).encode())
            sheet.write(f"<row>{''.join(_text_cell(neutralise(name), 2) for name in names)}</row>".encode())
            written = 1
            for batch in _batches(rows, 1000):
                written += len(batch)
                if written > _MOST_ROWS:
                    raise InputError(
                        f"An XLSX sheet holds {_MOST_ROWS - 1} rows. Write CSV or Parquet, or a shorter period."
                    )
                columns = [_xlsx_column(column) for column in zip(*batch, strict=True)]
                sheet.write(
                    "".join(f"<row>{''.join(row)}</row>" for row in zip(*columns, strict=True)).encode(
                        "utf-8", "replace"
                    )
                )
            sheet.write(b"</sheetData></worksheet>")


def _xlsx_column(values: Sequence[Any]) -> list[str]:
    """Cells of one column; texts are escaped all at once, as that is where the time goes."""
    values = _cells(values)
    kinds = set(map(type, values))
    if kinds <= {int, NoneType}:
        return ["<c/>" if value is None else f"<c><v>{value}</v></c>" for value in values]
    if not kinds <= {str, NoneType}:
        return [_xlsx_cell(value) for value in values]
    texts = [value[:_LONGEST_CELL] if value else "" for value in values]
    joined = "\x1f".join(texts)
    if joined.count("\x1f") != len(texts) - 1:
        return [_xlsx_cell(value) for value in values]
    escaped = escape(_LOOKS_ESCAPED.sub("_x005F_x", _NOT_XML.sub("", joined))).split("\x1f")
    opening, closing = '<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
    return [
        "<c/>" if value is None else f"{opening}{text}{closing}" for value, text in zip(values, escaped, strict=True)
    ]


def _xlsx_cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float | Decimal):
        return f"<c><v>{value}</v></c>"
    if isinstance(value, datetime) and value.year >= 1900 and value.tzinfo is None:
        return f'<c s="1"><v>{(value - _EPOCH).total_seconds() / 86400:.8f}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime) and value.year >= 1900:
        return f'<c s="3"><v>{(value - _EPOCH.date()).days}</v></c>'
    return _text_cell(str(value))


def _text_cell(text: str, style: int = 0) -> str:
    # Characters that XML cannot hold are left out; _x000D_ and its like would be read as a character.
    text = _LOOKS_ESCAPED.sub("_x005F_x", _NOT_XML.sub("", text.replace("\x1f", ""))[:_LONGEST_CELL])
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
