"""Where the records of a delimited text end, told by its quotes alone, without the parser that reads them.

A cell that begins with a quote ends with a quote before a delimiter or the end of a line, and goes on over lines until
then. Where a quote inside is not doubled, the cell is damaged, and ends with its line; but see `rejoined`.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator

import regex as re  # the possessive groups of Python 3.11's own are wrong up to 3.11.4

# A record that goes on for longer than this holds a quote that is never closed.
RECORD_LINES = 2_000
RECORD_SIZE = 1_000_000  # characters, in more than one line
_REJOINED_LINES = 100  # the same, of a damaged one


def count_records(lines: Iterable[str], delimiter: str, quoted: bool = True) -> int:
    """The records among the lines of a text, blank ones left out. `quoted`: whether quotes enclose cells."""
    if not quoted:
        return sum(bool(line.rstrip("\r\n")) for line in lines)
    rest, ends, count = _Ahead(lines), _Ends(delimiter), 0
    while (line := next(rest, None)) is not None:
        if not line.rstrip("\r\n"):
            continue
        count += 1
        if '"' in line:
            rest.skip(ends.further_lines(line, rest))
    return count


def rejoined(lines: Iterator[str], delimiter: str) -> tuple[list[str], int] | None:
    """The cells of a damaged record whose text goes on over lines, and how many; None if it does not. No delimiter may stand
    in a cell that does, and its first and last line must not have as many cells as one another: a quote that is never closed
    must not swallow the records after it.
    """
    text, count = next(lines, ""), 1
    first = text.count(delimiter)
    for line in itertools.islice(lines, _REJOINED_LINES - 1):
        text, count = text + line, count + 1
        if delimiter in line or line.rstrip("\r\n").endswith('"'):
            if line.count(delimiter) == first:
                return None  # two records of as many cells
            break
    end = rf"(?={re.escape(delimiter)}|[\r\n]*\Z)"
    other = rf"[^{re.escape(delimiter)}"
    cell = rf'"(?:[^"\r\n]|"")*+"{end}|"(?:{other}"]|"(?!{end}))*+"{end}|(?!"){other}\r\n]*+{end}'
    cells = []
    at = re.compile(cell)
    position = 0
    while match := at.match(text, position):
        inner = match[0][1:-1].replace('""', '"') if match[0].startswith('"') else match[0]
        cells.append(inner)
        position = match.end() + 1
        if match.end() >= len(text.rstrip("\r\n")):
            return (cells, count) if len(cells) > 1 else None
    return None


class _Ahead:
    """Lines, with a look at those ahead."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self._ahead = iter(lines), deque[str]()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return self._ahead.popleft() if self._ahead else next(self._lines)

    def peek(self) -> Iterator[str]:
        """The lines ahead, which stay to be read."""
        for place in itertools.count():
            if place == len(self._ahead):
                line = next(self._lines, None)
                if line is None:
                    return
                self._ahead.append(line)
            yield self._ahead[place]

    def skip(self, count: int) -> None:
        for _ in range(count):
            next(self)


class _Ends:
    """How a line leaves the quotes of its cells: `open` if a cell goes on, `closed` if none does, else damaged."""

    def __init__(self, delimiter: str) -> None:
        by = re.escape(delimiter)
        plain = rf'(?!")[^{by}\r\n]*+'
        cell = rf'(?:"(?:[^"]|"")*+"(?={by}|[\r\n]*\Z)|{plain})'
        loose = rf'(?:"(?:[^"]|"")*+"[^{by}\r\n]*+|{plain})'
        begun = r'(?P<open>"(?:[^"]|"")*+\Z)'
        self._from_start = re.compile(rf"(?:{cell}{by})*+(?:{begun}|{cell}[\r\n]*\Z)")
        self._inside = re.compile(r'(?:[^"]|"")*+(?:(?P<open>\Z)|"(?=(?P<after>.|\Z)))', re.DOTALL)
        self._loosely_closed = re.compile(rf"(?:{loose}{by})*+{loose}[\r\n]*\Z")
        self._delimiter = delimiter

    def further_lines(self, line: str, rest: _Ahead) -> int:
        """How many of the lines ahead belong to the record that begins with a line."""
        match = self._from_start.match(line)
        if match and match["open"] is None:
            return 0
        if match:
            size = len(line)
            for number, following in enumerate(rest.peek(), 1):
                if number >= RECORD_LINES or (size > RECORD_SIZE and number > 1):
                    return 0
                size += len(following)
                is_open = self._goes_on(following)
                if is_open is None:
                    break
                if not is_open:
                    return number
            else:
                return 0
        if self._loosely_closed.match(line):
            return 0
        whole = rejoined(itertools.chain([line], rest.peek()), self._delimiter)
        return whole[1] - 1 if whole else 0

    def _goes_on(self, line: str) -> bool | None:
        """Whether a cell that an earlier line has begun, or another one, is still open after a line; None if it is damaged."""
        match = self._inside.match(line)
        if match is None or match["open"] is not None:
            return match is not None
        if match["after"] == self._delimiter:
            match = self._from_start.match(line, match.end() + 1)
            return None if match is None else match["open"] is not None
        return None if match["after"] not in ("", "\r", "\n") else False
