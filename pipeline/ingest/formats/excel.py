"""Excel workbooks (the first sheet), read by openpyxl."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest.formats.decode import contents
from pipeline.ingest.formats.record import ReadOptions, Record, as_text, unique_names


def read_excel(source: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of the first sheet, whose first row is the header. Raises InputError for an unreadable workbook."""
    import openpyxl

    data = io.BytesIO(contents(source))
    try:
        sheet = openpyxl.load_workbook(data, read_only=True, data_only=True).worksheets[0]
    except Exception as error:
        raise InputError(
            f"{source} is not an Excel file that can be read: {error}. Save it as .xlsx or .csv."
        ) from error
    rows = ([as_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
    names = unique_names([name or "" for name in next(rows, [])])
    for row in rows:
        if any(cell is not None for cell in row):
            yield dict(zip(names, row, strict=False))
