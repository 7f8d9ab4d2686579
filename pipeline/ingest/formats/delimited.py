"""CSV, TSV and plain text, read record by record even from damaged exports, and never held whole."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import io
import itertools
import re
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Literal, TextIO

from pipeline.core.errors import InputError
from pipeline.ingest.formats.decode import open_text
from pipeline.ingest.formats.header import HEAD, count_usual, find_header, is_value, rank
from pipeline.ingest.formats.json import read_json
from pipeline.ingest.formats.quotes import RECORD_LINES, RECORD_SIZE, count_records, rejoined
from pipeline.ingest.formats.record import Broken, Item, Layout, ReadOptions, Record, Tally

csv.field_size_limit(2**31 - 1)  # a review has no upper length

_LONGEST_LINE = 50_000_000  # characters

_SAMPLE = 200_000  # characters from which the delimiter is detected
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?(?:\r\n?|\n)', re.IGNORECASE)  # with which Excel names the delimiter
_UNCLOSED = "a quote is opened and never closed"
_SWALLOWED = "a quote is opened here and closed only after lines that are records of their own"
_FIRST = 100  # records in one line, by which the column of the texts is told
_FEW, _MANY = 4, 20  # lines in one cell that look like records: with a column of numbers, and without

Row = list[str] | Broken


def read_csv(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layout and records of a CSV file, its delimiter detected unless given. Raises InputError for a blank file."""
    with open_text(source, options.encoding) as (stream, encoding):
        lines = _Lines(_read_lines(stream, source))
        if named := _SEPARATOR_LINE.match(lines.sample()[0]):
            lines.skip()
        delimiter = options.delimiter or (named[1] if named else _delimiter(lines.sample()))
        above = yield from _table(_rows(lines, delimiter), lines, Layout(encoding, delimiter), options)
        yield _tally(stream, delimiter, above + bool(named))


def read_tsv(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layout and records of a tab-separated file, or of CSV under a wrong name. Raises InputError for a blank file."""
    with open_text(source, options.encoding) as (stream, encoding):
        lines = _Lines(_read_lines(stream, source))
        delimiter = options.delimiter or _delimiter_in_names(_first(lines)) or "\t"
        above = yield from _table(_rows(lines, delimiter), lines, Layout(encoding, delimiter), options)
        yield _tally(stream, delimiter, above)


def read_txt(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layout and records of a tab-separated list of texts, in which a quote is part of the text, or of CSV or JSON under a
    wrong name. Raises InputError for a blank file.
    """
    with open_text(source, options.encoding) as (stream, encoding):
        lines = _Lines(_read_lines(stream, source))
        first = _first(lines)
        if first.startswith(("[", "{")):
            with contextlib.suppress(InputError):  # "[Edited] The food ..." is a text
                records = read_json(source, options)
                yield from records
                return
        as_csv = None if options.delimiter else _delimiter_in_names(first)
        delimiter = options.delimiter or as_csv or "\t"
        rows = _rows(lines, delimiter, quoted=as_csv is not None)
        above = yield from _table(rows, lines, Layout(encoding, delimiter), options)
        yield _tally(stream, delimiter, above, quoted=as_csv is not None)


def _first(lines: _Lines) -> str:
    """The first line that is not blank."""
    return next((line for line in lines.sample() if line.strip()), "").lstrip()


def _tally(stream: TextIO, delimiter: str, above: int, quoted: bool = True) -> Tally:
    """The records of a file, but for those that are none: `above` are the rows of its header and above it."""
    stream.seek(0)
    lines = itertools.chain((line.removeprefix("\ufeff") for line in itertools.islice(stream, 1)), stream)
    return Tally(max(0, count_records(lines, delimiter, quoted) - above))


def _read_lines(stream: TextIO, source: Path) -> Iterator[str]:
    """The lines of a file. Raises InputError for one that is too long to be a record."""
    for line in iter(functools.partial(stream.readline, _LONGEST_LINE), ""):
        if len(line) == _LONGEST_LINE:
            raise InputError(
                f"{source} holds a line of {_LONGEST_LINE:,} characters or more: it is no list of reviews."
            )
        yield line


class _Lines:
    """The lines of a text. Those of the record that is being read are kept, to be read once more if it is damaged."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.record: list[str] = []
        self.number = 1  # that of the first line of `record`
        self.ended = False  # whether a reader asked for more lines than there are, or than a record has
        self._lines = iter(lines)
        self._ahead = deque(line.removeprefix("\ufeff") for line in itertools.islice(self._lines, 1))

    def read(self, most: int) -> Iterator[str]:
        """The lines from the current record on. They end where a record has `most`, so that a strict reader says so."""
        self.ended, record, size = False, self.record, 0
        while True:
            if len(record) >= most or (size > RECORD_SIZE and len(record) > 1):
                break
            line = self._ahead.popleft() if self._ahead else next(self._lines, None)
            if line is None:
                break
            size = size + len(line) if record else len(line)
            record.append(line)
            yield line
        self.ended = True

    def done(self) -> None:
        """Forgets the current record: the next one begins with the next line."""
        self.number += len(self.record)
        self.record.clear()

    def put_back(self, kept: int) -> None:
        """Gives the lines of the current record back, but for the first `kept`."""
        self._ahead.extendleft(reversed(self.record[kept:]))
        del self.record[kept:]

    def sample(self) -> list[str]:
        """The next lines, of some _SAMPLE characters, which stay to be read."""
        size = sum(map(len, self._ahead))
        while size < _SAMPLE and (line := next(self._lines, None)) is not None:
            self._ahead.append(line)
            size += len(line)
        return list(self._ahead)

    def skip(self) -> None:
        """Leaves the next line out."""
        self._ahead.popleft()
        self.number += 1


def _rows(lines: _Lines, delimiter: str, quoted: bool = True) -> Iterator[Row]:
    """Rows of CSV. A quote that is never closed would swallow the rest of the file, so its line is Broken and reading
    continues after it.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    usual = _Usual()
    while True:
        try:
            for row in csv.reader(lines.read(RECORD_LINES), delimiter=delimiter, strict=True, quoting=quoting):
                if len(lines.record) == 1:
                    usual.add(row)
                if len(lines.record) > 1 and _swallows(lines.record, delimiter, row, usual):
                    yield from _line_by_line(lines.record, delimiter)
                else:
                    yield row
                lines.done()
            return
        except csv.Error:
            unclosed = lines.ended
        usual.torn = True
        yield _unclosed(lines) if unclosed else _damaged(lines, delimiter)
        lines.done()


def _damaged(lines: _Lines, delimiter: str) -> Row:
    """A record with text after a closing quote: common in handmade exports, and readable unless strict. It ends with its
    line, unless a cell without delimiters goes on.
    """
    lines.put_back(0)
    row = next(csv.reader(lines.read(1), delimiter=delimiter))
    if not lines.ended:
        return row
    lines.put_back(0)
    whole = rejoined(lines.read(RECORD_LINES), delimiter)
    if whole is None:
        return _unclosed(lines)
    cells, count = whole
    lines.put_back(count)
    return cells


def _unclosed(lines: _Lines) -> Broken:
    lines.put_back(1)
    return Broken(lines.record[0].rstrip("\r\n"), _UNCLOSED)


class _Usual:
    """What is usual in a table, by its records in one line. `torn`: whether a quote was found to be damaged."""

    def __init__(self) -> None:
        self.torn = False
        self._widths: Counter[int] = Counter()
        self._longest: Counter[int] = Counter()  # how often each column is the longest

    def add(self, row: list[str]) -> None:
        self._widths[len(row)] += 1
        if self._longest.total() < _FIRST:
            self._longest[max(range(len(row)), key=lambda column: len(row[column]), default=0)] += 1

    def width(self) -> int:
        return max(self._widths, key=lambda count: self._widths[count], default=0)

    def text(self) -> int:
        """The column that is the longest in most records."""
        return max(self._longest, key=lambda column: self._longest[column], default=0)


def _swallows(record: list[str], delimiter: str, row: list[str], usual: _Usual) -> bool:
    """Whether the lines of one record look like records: all have as many cells as is usual, and the record either has not,
    or has a column of numbers in them, or goes on in a cell that is not the text, in a table with damaged quotes; or so many
    lines do that the last one need not.
    """
    rows = [line.split(delimiter) for line in record]
    fit = [len(cells) == usual.width() for cells in rows]
    if usual.width() < 2 or not all(fit[:-1]):
        return False
    if len(rows) > _MANY or (fit[-1] and len(row) != usual.width()):
        return True
    if fit[-1] and usual.torn and not {"\n", "\r"} & set(row[usual.text()]):
        return True
    alike = rows if fit[-1] else rows[:-1] if len(rows) > _FEW else []
    return any(all(map(is_value, column)) for column in zip(*alike, strict=True))


def _line_by_line(record: list[str], delimiter: str) -> Iterator[Row]:
    """Lines that a quote had made one record, each as a row."""
    yield Broken(record[0].rstrip("\r\n"), _SWALLOWED)
    for line in record[1:]:
        alone = _Lines([line])
        yield from _rows(alone, delimiter)


def _delimiter(sample: list[str]) -> str:
    """The delimiter that splits the first rows most evenly, and among equals into most columns."""
    best, best_score = ",", 0.0
    for candidate in (",", ";", "\t", "|"):
        head = [row for row in itertools.islice(_rows(_Lines(sample), candidate), 100) if not isinstance(row, Broken)]
        widths = [len(row) for row in head if row]
        if not widths:
            continue
        common = max(set(widths), key=widths.count)
        score = (common > 1) * (widths.count(common) / len(widths)) * (1 + min(common, 20) / 100)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _delimiter_in_names(line: str) -> str | None:
    """The delimiter of a line of usual column names without tabs; None if it is no such line."""
    delimiters = (d for d in ",;|" if "\t" not in line and count_usual(next(csv.reader([line], delimiter=d), [])) > 1)
    return next(delimiters, None)


def _table(rows: Iterator[Row], lines: _Lines, layout: Layout, options: ReadOptions) -> Generator[Item, None, int]:
    """The layout, and rows as records, keyed by the names in the header, or by position if there is none. What stands
    above the header is not a record. Returns how many rows were none.
    """
    head: list[Row] = []
    numbers: list[int] = []  # of the lines on which the rows in `head` begin
    for row in rows:
        if row:
            head.append(row)
            numbers.append(lines.number)
        if len(head) == HEAD:
            break
    if _is_quoted_twice(head, layout, options):
        head, rows = list(_unwrapped(head)), _unwrapped(rows)
    cells = [[] if isinstance(row, Broken) else row for row in head]
    header = find_header(cells, options)
    start = header.body if header else 0
    width = len(cells[header.position] if header else next(filter(None, cells), []))
    yield dataclasses.replace(layout, header_line=numbers[header.position] if header else None)
    broken = [row for row in head[:start] if isinstance(row, Broken)]
    names = header.names if header and header.names else list(map(str, range(1, width + 1)))
    yield from _records(itertools.chain(broken, head[start:], rows), names)
    return start - len(broken)


def _is_quoted_twice(head: list[Row], layout: Layout, options: ReadOptions) -> bool:
    """Whether each row is one quoted field that holds a row of CSV."""
    first = next((row for row in head if isinstance(row, list)), [])
    if len(first) != 1 or layout.delimiter != "," or "," not in first[0]:
        return False
    return rank(next(csv.reader([first[0]])), options.mapping) > 0


def _unwrapped(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Broken) or len(row) != 1:
            yield row
            continue
        inner = list(csv.reader(io.StringIO(row[0], newline="")))
        yield inner[0] if len(inner) == 1 else Broken(row[0], f"{len(inner)} rows quoted as one") if inner else [""]


def _records(rows: Iterable[Row], names: list[str]) -> Iterator[Record]:
    width = len(names)
    for row in rows:
        if isinstance(row, Broken):
            yield row
        elif len(row) == width:
            yield dict(zip(names, row, strict=True))
        elif not row:
            continue  # an empty line
        elif len(row) > width and not any(cell.strip() for cell in row[width:]):
            yield dict(zip(names, row, strict=False))
        else:
            raw = io.StringIO()
            csv.writer(raw).writerow(row)
            yield Broken(raw.getvalue().rstrip("\r\n"), f"{len(row)} fields where there are {width} columns")
