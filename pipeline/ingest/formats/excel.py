"""Excel workbooks, read by openpyxl: every sheet that holds records, each with a header of its own."""

from __future__ import annotations

import io
import itertools
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.columns import NAMES, looks_like_header, plain
from pipeline.ingest.formats.decode import contents
from pipeline.ingest.formats.record import Broken, ReadOptions, Record, as_text, unique_names

Row = list[str | None]

_ABOVE = 20  # a header is looked for in this many rows
_HEAD = 60  # and compared with the rows up to here


@dataclass(frozen=True)
class _Sheet:
    sheet: Any
    head: list[Row]  # its first rows
    damage: Broken | None  # if not even those could be read
    header: int | None  # which of them is the header
    rank: int  # 2: the header names the text, 1: it holds another usual name, 0: neither

    @property
    def width(self) -> int:
        return statistics.median_high([_filled(row) for row in self.head if _filled(row)] or [0])


def read_excel(source: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of all sheets. Raises InputError for an unreadable workbook and for one without rows below a header."""
    import openpyxl

    data = io.BytesIO(contents(source))
    try:
        worksheets = openpyxl.load_workbook(data, read_only=True, data_only=True).worksheets
    except Exception as error:
        raise InputError(
            f"{source} is not an Excel file that can be read: {_one_line(error)}. Save it as .xlsx or .csv."
        ) from error
    broken: list[Broken] = []
    readable = False
    for record in _all_records([_look_at(sheet, options) for sheet in worksheets], options):
        if isinstance(record, Broken):
            broken.append(record)
        readable |= isinstance(record, dict)
        yield record
    if not readable:
        why = broken[0].reason if broken else "no sheet has rows below a header"
        raise InputError(f"{source} holds no reviews: {why}. Export it again, or name another file.")


def _all_records(sheets: Sequence[_Sheet], options: ReadOptions) -> Iterator[Record]:
    """Records of the sheets with the best headers. Of the others, one as wide as those is Broken; a cover is left out."""
    rank = 0 if options.header is not None else max((sheet.rank for sheet in sheets), default=0)
    read = [sheet for sheet in sheets if sheet.rank >= rank and sheet.width]
    for sheet in sheets:
        if sheet in read:
            yield from _records(sheet, options)
        elif sheet.damage:
            yield sheet.damage
        elif sheet.width >= min((other.width for other in read), default=1):
            raw = ", ".join(cell or "" for cell in next(filter(_filled, sheet.head)))
            yield Broken(raw, f"sheet {sheet.sheet.title} was not read, as its header does not name the review's text")


def _look_at(sheet: Any, options: ReadOptions) -> _Sheet:
    rows = list(itertools.islice(_rows(sheet), _HEAD))
    head = [row for row in rows if not isinstance(row, Broken)]
    damage = next((row for row in rows if isinstance(row, Broken)), None)
    header = None if options.header is False else _header(head, options)
    rank = 0 if header is None else _rank(head[header], options.mapping)
    return _Sheet(sheet, head, damage, header, rank)


def _header(head: Sequence[Row], options: ReadOptions) -> int | None:
    """The position of the header: the first row that can be one and has as many cells as the rows below, else the widest
    that can be one, else the first row that is not empty unless columns are mapped by number; None if there is none.
    """
    filled = [position for position, row in enumerate(head) if _filled(row)]
    if options.header or not filled:
        return filled[0] if filled else None
    first, *later = filled
    candidates = [first] if _rank(head[first], options.mapping) else []
    candidates += [p for p in later if p < _ABOVE and _is_surely_header(head[p], options.mapping)]
    candidates.sort(key=lambda position: -_rank(head[position], options.mapping))
    for position in candidates:
        below = [_filled(row) for row in head[position + 1 :] if _filled(row)]
        if not below or _filled(head[position]) >= statistics.median_high(below):
            return position
    if candidates:
        return max(candidates, key=lambda position: _filled(head[position]))
    return None if _by_number(options.mapping) else first


def _is_surely_header(row: Row, mapping: Mapping[str, str]) -> bool:
    """Whether a row below the first is a header, and not one of the rows that happens to hold a usual name."""
    return _rank(row, mapping) == 2 or sum(looks_like_header([cell], {}) for cell in row if cell) > 1


def _rank(row: Row, mapping: Mapping[str, str]) -> int:
    """2 if a row names the column of the text, 1 if it holds another usual name, else 0."""
    cells = {cell.strip() for cell in row if cell}
    if not _by_number(mapping) and not _mapped(mapping).isdisjoint(cells):
        return 2
    if any(plain(cell) in NAMES["text"] for cell in cells):
        return 2
    return int(looks_like_header(list(cells), {}))


def _records(sheet: _Sheet, options: ReadOptions) -> Iterator[Record]:
    """The rows below the header, under its names; under their positions if there is none or columns are mapped by number."""
    start = 0 if sheet.header is None else sheet.header + 1
    names = [] if sheet.header is None else unique_names([name or "" for name in sheet.head[sheet.header]])
    if _by_number(options.mapping) and not _mapped(options.mapping) <= set(names):
        names = []
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


def _filled(row: Row) -> int:
    return sum(bool(cell and cell.strip()) for cell in row)


def _mapped(mapping: Mapping[str, str]) -> set[str]:
    return {column for value in mapping.values() for column in value.split("+")}


def _by_number(mapping: Mapping[str, str]) -> bool:
    return bool(mapping) and all(column.isdigit() for column in _mapped(mapping))
