"""Excel workbooks, read by openpyxl: every sheet that holds records, each with a header of its own."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.formats.decode import check_unpacked, seekable
from pipeline.ingest.formats.header import HEAD, Header, count_filled, find_header, rank
from pipeline.ingest.formats.record import Broken, Item, Layout, ReadOptions, Record, as_text, unique_names

Row = list[str | None]


@dataclass(frozen=True)
class _Sheet:
    sheet: Any
    head: list[list[str]]  # its first rows
    damage: Broken | None  # if not even those could be read
    header: Header | None
    rank: int  # that of the header; 0 without one

    @property
    def width(self) -> int:
        return statistics.median_high([count for count in map(count_filled, self.head) if count] or [0])


def read_excel(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layout and records of each sheet. Raises InputError for an unreadable workbook and for one without rows below a
    header.
    """
    import openpyxl

    try:
        file = seekable(source)
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
        check_unpacked(sum(it.file_size for it in members), sum(it.compress_size for it in members), source)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{source} is not an Excel file that can be read: {_one_line(error)}. Save it as .xlsx or .csv."
        ) from error
    why = "no sheet has rows below a header"
    readable = False
    with contextlib.closing(book):
        for item in _all_sheets([_look_at(sheet, options) for sheet in book.worksheets], options):
            if isinstance(item, Broken) and why.startswith("no sheet"):
                why = item.reason
            readable |= isinstance(item, dict)
            yield item
    if not readable:
        raise InputError(f"{source} holds no reviews: {why}. Export it again, or name another file.")


def _all_sheets(sheets: Sequence[_Sheet], options: ReadOptions) -> Iterator[Item]:
    """Layouts and records of the sheets with the best headers. Of the others, one as wide as those is Broken; a cover is left out."""
    rank = 0 if options.header is not None else max((sheet.rank for sheet in sheets), default=0)
    read = [sheet for sheet in sheets if sheet.rank >= rank and sheet.width]
    for sheet in sheets:
        if sheet in read:
            header_line = sheet.header.position + 1 if sheet.header else None
            yield Layout(header_line=header_line, part=sheet.sheet.title)
            yield from _records(sheet)
        elif sheet.damage:
            yield sheet.damage
        elif sheet.width >= min((other.width for other in read), default=1):
            raw = ", ".join(next(row for row in sheet.head if count_filled(row)))
            yield Broken(raw, f"sheet {sheet.sheet.title} was not read, as its header does not name the review's text")


def _look_at(sheet: Any, options: ReadOptions) -> _Sheet:
    rows = list(itertools.islice(_rows(sheet), HEAD))
    head = [[cell or "" for cell in row] for row in rows if not isinstance(row, Broken)]
    damage = next((row for row in rows if isinstance(row, Broken)), None)
    header = find_header(head, options, expected=True)
    return _Sheet(sheet, head, damage, header, rank(head[header.position], options.mapping) if header else 0)


def _records(sheet: _Sheet) -> Iterator[Record]:
    """The rows below the header, under its names; under their positions if there is none or columns are mapped by number."""
    start, names = (sheet.header.body, sheet.header.names) if sheet.header else (0, [])
    for row in itertools.islice(_rows(sheet.sheet), start, None):
        if isinstance(row, Broken):
            yield row
        elif any(cell is not None for cell in row):
            if len(row) > len(names):
                names = unique_names([*names, *[""] * (len(row) - len(names))])
            yield dict(itertools.zip_longest(names, row))


def _rows(sheet: Any) -> Iterator[Row | Broken]:
    """The rows of a sheet as texts, of any length. If it is damaged, Broken after those that could be read."""
    done = 0
    try:
        sheet.reset_dimensions()  # some programs write dimensions that are too small
        for row in sheet.iter_rows(values_only=True):
            yield [as_text(cell) for cell in row]
            done += 1
    except Exception as error:
        yield Broken(f"sheet {sheet.title}", f"sheet {sheet.title} is damaged after row {done} ({_one_line(error)})")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
