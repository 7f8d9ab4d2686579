"""An XLSX workbook of one sheet (ECMA-376, SpreadsheetML): a bold, frozen header and plain cells. It holds no timestamp,
so the same rows give the same bytes.

Written by hand because XlsxWriter takes four times as long (12 s of CPU against 3 s for 100,000 reviews) and openpyxl
longer still; a sheet of plain cells is a few lines of XML.
"""

from __future__ import annotations

import contextlib
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pipeline.core.errors import InputError

MOST_ROWS = 1_048_576  # of a sheet, header included
LONGEST_CELL = 32_767  # characters

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f"""<Types xmlns="{_PACKAGE}/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>
<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>
</Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>
</Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}">
<sheets><sheet name="insights" sheetId="1" r:id="rId1"/></sheets>
</workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{_PACKAGE}/relationships">
<Relationship Id="rId1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="{_DOCUMENT}/styles" Target="styles.xml"/>
</Relationships>""",
    # The cellXfs are the styles that cells refer to by index: 0 plain, 1 date and time, 2 bold, 3 date.
    "xl/styles.xml": f"""<styleSheet xmlns="{_MAIN}">
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="4"><xf/><xf numFmtId="22" applyNumberFormat="1"/><xf fontId="1" applyFont="1"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>""",
}
_SHEET = f"""<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>"""

_EPOCH = datetime(1899, 12, 30)
_LOOKS_ESCAPED = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@contextlib.contextmanager
def write(path: Path, header: Sequence[str]) -> Iterator[Callable[[Sequence[Sequence[Any]]], None]]:
    """Yields a function that appends rows of None, texts, numbers and dates; other values become text.

    It raises InputError once there are more rows than a sheet holds.
    """
    written = 1

    def put(rows: Sequence[Sequence[Any]]) -> None:
        nonlocal written
        written += len(rows)
        if written > MOST_ROWS:
            raise InputError(f"An XLSX sheet holds {MOST_ROWS - 1} rows. Write CSV or Parquet, or a shorter period.")
        sheet.write("".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows).encode())

    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        for name, content in _PARTS.items():
            archive.writestr(_undated(name), _XML + content)
        with archive.open(_undated("xl/worksheets/sheet1.xml"), "w") as sheet:
            bold = "".join(_text_cell(name, style=2) for name in header)
            sheet.write(f"{_XML}{_SHEET}<row>{bold}</row>".encode())
            yield put
            sheet.write(b"</sheetData></worksheet>")


def _undated(name: str) -> zipfile.ZipInfo:
    part = zipfile.ZipInfo(name)  # its date is always 1980
    part.compress_type = zipfile.ZIP_DEFLATED
    return part


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return _text_cell(value)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float | Decimal):
        return f"<c><v>{value}</v></c>"
    # Excel counts days from 1900 and knows no time zones.
    if isinstance(value, datetime) and value.year >= 1900 and value.tzinfo is None:
        return f'<c s="1"><v>{(value - _EPOCH).total_seconds() / 86400:.8f}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime) and value.year >= 1900:
        return f'<c s="3"><v>{(value - _EPOCH.date()).days}</v></c>'
    return _text_cell(str(value))


def _text_cell(text: str, style: int = 0) -> str:
    if not text.isprintable() or "_x" in text or len(text) > LONGEST_CELL:
        # XML cannot hold some characters; _x000D_ and the like would be read as a character.
        text = _LOOKS_ESCAPED.sub("_x005F_x", _NOT_XML.sub("", text)[:LONGEST_CELL])
    opening = f'<c s="{style}" t="inlineStr">' if style else '<c t="inlineStr">'
    return f'{opening}<is><t xml:space="preserve">{escape(text)}</t></is></c>'
