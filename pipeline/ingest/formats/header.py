"""Where the header of a table stands and what it names: one finder for text files and for sheets."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.ingest.columns import NAMES, plain
from pipeline.ingest.formats.record import ReadOptions, unique_names

HEAD = 60  # rows at the top of a table, which `find_header` needs to see

Row = Sequence[str]  # its cells; "" is an empty one

_WITHIN = 20  # rows, from the first that is not empty
_USUAL = frozenset(name for names in NAMES.values() for name in names)
_VALUE = re.compile(r"[\W_]*\d")  # how a number or a date starts
_LONGEST_VALUE = 40  # characters
_IMPORT_ID = re.compile(r"""\{\s*['"]ImportId['"]\s*:.*\}""", re.DOTALL)  # in the third row of Qualtrics' exports
# The second row of SurveyMonkey's exports, in the languages it writes them in.
_RESPONSE = {"response", "antwort", "réponse", "respuesta", "risposta", "resposta", "antwoord"}
_OPEN_ENDED = {
    "open-ended response",
    "other (please specify)",
    "offene beantwortung",
    "sonstiges (bitte angeben)",
    "réponse ouverte",
    "autre (veuillez préciser)",
    "respuesta abierta",
    "otro (especifique)",
}
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")
_TITLE_WORDS = 3  # at most, in a name that is no question
_PROSE_ROWS = 5  # at least, before a row of short texts above longer ones is taken for names


@dataclass(frozen=True)
class Header:
    """The header of a table: `position` of its first row, `body` that of the first row below it, among the rows given to
    `find_header`. `names`: of the columns, unique; empty if columns are mapped by number.
    """

    position: int
    body: int
    names: list[str]


def find_header(rows: Sequence[Row], options: ReadOptions, expected: bool = False) -> Header | None:
    """The header among the first HEAD rows of a table, None if there is none. `expected`: such a table has a header unless
    columns are mapped by number, as a sheet does.

    It is the first row that holds usual or mapped names and is as wide as the rows below, else the widest of those. A
    first row without such names is one if the rows below are clearly of another kind. Rows right below it that continue
    it, as surveys have them, are no records.
    """
    filled = [position for position, row in enumerate(rows) if count_filled(row)]
    if options.header is False or not filled:
        return None
    position = filled[0] if options.header else _position(rows, filled, options.mapping, expected)
    if position is None:
        return None
    body = position + 1 + _continuations(rows[position], rows[position + 1 :])
    names = unique_names(_joined(rows[position], rows[position + 1 : body]))
    by_name = not _by_number(options.mapping) or _are_names(_mapped(options.mapping), names)
    return Header(position, body, names if by_name else [])


def rank(row: Row, mapping: Mapping[str, str]) -> int:
    """2 if a row names the column of the text or a mapped one, 1 if it holds another usual name, else 0."""
    cells = {cell.strip().lstrip("\ufeff") for cell in row}
    if not _by_number(mapping) and not _mapped(mapping).isdisjoint(cells):
        return 2
    if any(plain(cell) in NAMES["text"] for cell in cells):
        return 2
    return int(count_usual(row) > 0)


def count_usual(row: Row) -> int:
    """How many cells of a row are usual column names."""
    return sum(plain(cell.lstrip("\ufeff")) in _USUAL for cell in row)


def count_filled(row: Row) -> int:
    """How many cells of a row are not blank."""
    return sum(bool(cell.strip()) for cell in row)


def _position(rows: Sequence[Row], filled: list[int], mapping: Mapping[str, str], expected: bool) -> int | None:
    first = filled[0]
    below_first = rows[first + 1 :]
    if _survey_rows(rows[first], below_first):
        return first
    near = [position for position in filled if position < first + _WITHIN]
    candidates = [position for position in near if _may_be_header(rows, position, first, mapping, expected)]
    candidates.sort(key=lambda position: -rank(rows[position], mapping))
    for position in candidates:
        below = [count_filled(rows[other]) for other in filled if other > position]
        if not below or count_filled(rows[position]) >= statistics.median_high(below):
            return position
    if candidates:
        return max(candidates, key=lambda position: count_filled(rows[position]))
    if _by_number(mapping):
        return None
    respelled = bool(below_first) and _respells(rows[first], below_first[0])
    return first if expected or respelled or _differs(rows[first], below_first) else None


def _may_be_header(rows: Sequence[Row], position: int, first: int, mapping: Mapping[str, str], expected: bool) -> bool:
    """Whether a row holds names. Below the first row it must also stand out, or surely be a header where one is expected.
    If columns of a table that needs no header are mapped by number, one usual name may just be a short review.
    """
    row = _without_values(rows[position], rows[position + 1 :], _mapped(mapping))
    best = rank(row, mapping)
    several = count_usual(row) > 1
    if not best or (_by_number(mapping) and not expected and not several):
        return False
    return position == first or _stands_out(rows, position) or (expected and (best == 2 or several))


def _without_values(row: Row, below: Sequence[Row], mapped: set[str]) -> list[str]:
    """The cells of a row, but for usual names that come again in their column: "product" is the value of a label then."""

    def recurs(place: int, cell: str) -> bool:
        return any(other[place] == cell and other != row for other in below if place < len(other))

    usual = [place for place, cell in enumerate(row) if count_usual([cell]) and cell.strip() not in mapped]
    values = {place for place in usual if recurs(place, row[place])}
    return ["" if place in values else cell for place, cell in enumerate(row)]


def _stands_out(rows: Sequence[Row], position: int) -> bool:
    """Whether a row without numbers has more filled cells than any above it and no fewer cells than those below it."""
    filled = [[place for place, cell in enumerate(row, 1) if cell.strip()] for row in rows]
    header = filled[position]
    return (
        not any(cell.strip().isdigit() for cell in rows[position])
        and all(len(cells) < len(header) for cells in filled[:position])
        and all(max(cells, default=0) <= max(header) for cells in filled[position:])
    )


# --- A header without usual names ---


def _differs(row: Row, below: Sequence[Row]) -> bool:
    """Whether a row is a header although none of its names is usual: its cells are distinct texts that do not come again
    below, and they stand above numbers or dates, are questions, or are short where all that follows is prose.
    """
    cells = [cell.strip() for cell in row if cell.strip()]
    if len(cells) < 2 or len(set(cells)) < len(cells) or any(map(is_value, cells)):
        return False
    columns = [
        (cell.strip(), [other[place].strip() for other in below if place < len(other) and other[place].strip()])
        for place, cell in enumerate(row)
        if cell.strip()
    ]
    longest = max((len(value) for _, values in columns for value in values), default=0)
    if any(cell in values or (_is_prose(cell) and len(cell) > longest) for cell, values in columns):
        return False
    if any(values and all(map(is_value, values)) for _, values in columns):
        return True
    asked = sum(_is_question(cell) and not any(map(_is_question, values)) for cell, values in columns)
    titles = not any(_is_prose(cell) or cell.endswith(_SENTENCE_ENDS) for cell in cells)
    return asked > 1 or (titles and any(_is_prose_under(cell, values) for cell, values in columns))


def is_value(cell: str) -> bool:
    """Whether a cell is a number or a date, also with a unit or the name of a month."""
    cell = cell.strip()
    if len(cell) > _LONGEST_VALUE or not _VALUE.match(cell):
        return False
    return sum(map(str.isdigit, cell)) >= sum(map(str.isalpha, cell))


def _is_question(cell: str) -> bool:
    return cell.endswith(("?", "？"))


def _is_prose(cell: str) -> bool:
    return len(cell.split()) > _TITLE_WORDS and not _is_question(cell)


def _is_prose_under(cell: str, values: list[str]) -> bool:
    return len(values) >= _PROSE_ROWS and all(" " in value and len(value) > 2 * len(cell) for value in values)


# --- Rows that continue a header ---


def _continuations(header: Row, below: Sequence[Row]) -> int:
    """How many rows right below a header continue it."""
    if number := _survey_rows(header, below):
        return number
    return int(bool(below) and (_repeats(header, below[0]) or _names_choices(header, below[0], below[1:])))


def _survey_rows(header: Row, below: Sequence[Row]) -> int:
    """How many rows below a row can only continue a header: Qualtrics writes the questions and then the ids of its columns,
    SurveyMonkey what kind of response each column holds.
    """
    for number, row in enumerate(below[:2], 1):
        filled = [cell.strip() for cell in row if cell.strip()]
        if filled and 2 * sum(bool(_IMPORT_ID.fullmatch(cell)) for cell in filled) > len(filled):
            return number
    return int(bool(below) and _names_responses(header, below[0]))


def _names_responses(header: Row, row: Row) -> bool:
    """Whether a row says "Open-Ended Response", or "Response" and nothing else but choices; ids have no such label."""
    cells = [cell.strip().lower() for cell in row]
    if not cells or len(cells) > len(header) or cells[0] not in {"", *_RESPONSE, *_OPEN_ENDED}:
        return False
    choices = _choices(header, cells)
    others = {cell for place, cell in enumerate(cells) if cell and place not in choices}
    return not _OPEN_ENDED.isdisjoint(cells) or (not _RESPONSE.isdisjoint(cells) and others <= _RESPONSE)


def _names_choices(header: Row, row: Row, below: Sequence[Row]) -> bool:
    """Whether a row names nothing but the choices of questions that span several columns, and has no id as all below do."""
    cells = [cell.strip() for cell in row]
    if len(cells) > len(header) or not count_filled(cells) or cells[0] or any(map(is_value, cells)):
        return False
    choices = _choices(header, cells)
    identified = [bool(other and other[0].strip()) for other in below if count_filled(other)]
    only_choices = all(place in choices for place, cell in enumerate(cells) if cell)
    return len(choices) > 2 and only_choices and bool(identified) and all(identified)


def _choices(header: Row, cells: Sequence[str]) -> set[int]:
    """The columns without a name but with a label, and the named ones left of those."""
    spanned = [place for place, cell in enumerate(cells) if cell and not header[place].strip()]
    return {*spanned, *(place - 1 for place in spanned)}


def _repeats(header: Row, row: Row) -> bool:
    """Whether a row without numbers gives two names or more once again."""
    return len(_same(header, row)) > 1 and not any(map(is_value, row))


def _respells(header: Row, row: Row) -> bool:
    """Whether it spells one in another way, such as "Start Date" for "StartDate"; equal cells may just be labels."""
    return _repeats(header, row) and any(name.strip() != cell.strip() for name, cell in _same(header, row))


def _same(header: Row, row: Row) -> list[tuple[str, str]]:
    return [(name, cell) for name, cell in zip(header, row, strict=False) if plain(name) and plain(name) == plain(cell)]


def _joined(header: Row, continuations: Sequence[Row]) -> list[str]:
    """The names of a header; a column without one takes the question left of it and its own label: "Which? - Phone"."""
    labels = continuations[0] if continuations else []
    names: list[str] = []
    question = ""
    for place, name in enumerate(header):
        label = labels[place].strip() if place < len(labels) else ""
        question = name.strip() or question
        names.append(name if name.strip() or not (question and label) else f"{question} - {label}")
    return names


def _mapped(mapping: Mapping[str, str]) -> set[str]:
    return {column for value in mapping.values() for column in value.split("+") if column}


def _are_names(mapped: set[str], names: Sequence[str]) -> bool:
    """Whether mapped numbers are names of columns, a year or a mark; the columns beyond the header have none but a number."""
    unnamed = mapped.difference(names)
    return unnamed != mapped and all(int(number) > len(names) for number in unnamed)


def _by_number(mapping: Mapping[str, str]) -> bool:
    mapped = _mapped(mapping)
    return bool(mapped) and all(column.isdecimal() for column in mapped)
