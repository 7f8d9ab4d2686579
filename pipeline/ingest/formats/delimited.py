"""CSV, TSV and plain text, read record by record even from damaged exports."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest.columns import looks_like_header
from pipeline.ingest.formats.decode import read_text
from pipeline.ingest.formats.json import read_json
from pipeline.ingest.formats.record import HEADER_WITHIN, Broken, ReadOptions, Record, find_header, unique_names

csv.field_size_limit(2**31 - 1)  # a review has no upper length
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?(?:\r\n?|\n)', re.IGNORECASE)  # with which Excel names the delimiter


def read_csv(source: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of a CSV file, its delimiter detected unless given. Raises InputError for a blank file."""
    text = read_text(source, options.encoding)
    named = None
    if line := _SEPARATOR_LINE.match(text):
        named, text = line[1], text[line.end() :]
    return _records(text, options.delimiter or named or _delimiter(text), options)


def read_tsv(source: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of a tab-separated file. Raises InputError for a blank file."""
    return _records(read_text(source, options.encoding), options.delimiter or "\t", options)


def read_txt(source: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of a tab-separated list of texts, in which a quote is part of the text, or of JSON under a wrong name. Raises
    InputError for a blank file.
    """
    text = read_text(source, options.encoding)
    if text.lstrip().startswith(("[", "{")):
        with contextlib.suppress(InputError):  # "[Edited] The food ..." is a text
            return read_json(source, options)
    return _records(text, options.delimiter or "\t", options, quoted=False)


def _records(text: str, delimiter: str, options: ReadOptions, quoted: bool = True) -> Iterator[Record]:
    rows = _rows(text, delimiter, quoted)
    first = next(rows, [])
    if isinstance(first, list) and len(first) == 1 and "," in first[0] and delimiter == ",":
        inner = next(csv.reader([first[0]]))
        if looks_like_header(inner, options.mapping):  # a CSV quoted twice: each row is one quoted field
            return _named(itertools.chain([inner], _unwrapped(rows)), options)
    return _named(itertools.chain([first], rows), options)


def _rows(text: str, delimiter: str, quoted: bool = True) -> Iterator[list[str] | Broken]:
    """Rows of CSV. A quote that is never closed would swallow the rest of the file, so its line is Broken and reading
    continues after it.
    """
    lines = io.StringIO(text, newline="").readlines() if "\n" in text else text.splitlines(keepends=True)
    start = 0
    while start < len(lines):
        reader = csv.reader(
            iter(lines[start:]),
            delimiter=delimiter,
            strict=True,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )
        done = 0
        try:
            for row in reader:
                done = reader.line_num
                yield row
            return
        except csv.Error as error:
            bad = start + done
            if "end of data" in str(error):
                yield Broken(lines[bad].rstrip("\r\n"), "a quote is opened and never closed")
                start = bad + 1
            else:  # text after a closing quote: common in handmade exports, and readable unless strict
                lenient = csv.reader(iter(lines[bad:]), delimiter=delimiter)
                yield next(lenient)
                start = bad + lenient.line_num


def _delimiter(text: str) -> str:
    """The delimiter that splits the first rows most evenly, and among equals into most columns."""
    best, best_score = ",", 0.0
    for candidate in (",", ";", "\t", "|"):
        head = [row for row in itertools.islice(_rows(text[:200_000], candidate), 100) if not isinstance(row, Broken)]
        widths = [len(row) for row in head if row]
        if not widths:
            continue
        common = max(set(widths), key=widths.count)
        score = (common > 1) * (widths.count(common) / len(widths)) * (1 + min(common, 20) / 100)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _unwrapped(rows: Iterator[list[str] | Broken]) -> Iterator[list[str] | Broken]:
    for row in rows:
        if isinstance(row, list) and len(row) == 1:
            yield next(csv.reader([row[0]], strict=False), [])
        else:
            yield row


def _named(rows: Iterator[list[str] | Broken], options: ReadOptions) -> Iterator[Record]:
    """Rows as records, keyed by the names in the header, or by position if there is none. What stands above the header is
    not a record.
    """
    for head in rows:
        if isinstance(head, Broken):
            yield head
        elif head:
            break
    else:
        return
    top = [head, *itertools.islice(rows, 2 * HEADER_WITHIN)]
    position = _header_position(top, options)
    if position is None:
        names, body = [str(number) for number in range(1, len(head) + 1)], itertools.chain(top, rows)
    else:
        names, body = unique_names(_cells(top[position])), itertools.chain(top[position + 1 :], rows)
    for row in body:
        if isinstance(row, Broken):
            yield row
        elif not row:
            continue  # an empty line
        elif len(row) == len(names):
            yield dict(zip(names, row, strict=True))
        elif len(row) > len(names) and not any(cell.strip() for cell in row[len(names) :]):
            yield dict(zip(names, row, strict=False))
        else:
            raw = io.StringIO()
            csv.writer(raw).writerow(row)
            yield Broken(raw.getvalue().rstrip("\r\n"), f"{len(row)} fields where there are {len(names)} columns")


def _header_position(top: list[list[str] | Broken], options: ReadOptions) -> int | None:
    if options.header is not None:
        return 0 if options.header else None
    return find_header(list(map(_cells, top)), options.mapping)


def _cells(row: list[str] | Broken) -> list[str]:
    return [] if isinstance(row, Broken) else row
