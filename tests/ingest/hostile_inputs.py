"""Hostile files of reviews, made from a seed, and what the intake makes of them.

    python -m tests.ingest.hostile_inputs --count 10000

Every record carries a word of its own. A file survives if each of these words that still stands in it is found again, in a
review or in a reject, and there are as many rows as records; or if it is refused as a whole, in one line, and nothing of it
is written. Anything else is lost, and printed with the seed that makes it again.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, open_memory
from pipeline.ingest import formats
from pipeline.ingest.formats.record import ReadOptions, unique_names
from pipeline.ingest.load import ingest
from pipeline.ingest.understanding import IngestOptions
from tests.ingest.cases.reading import NOW

_PER_WAREHOUSE = 200  # files; a warehouse that holds more answers slowly

Row = dict[str, str]


@dataclass(frozen=True)
class Hostile:
    """A file, the records that were put into it, and whether it is still as it was written."""

    name: str
    content: bytes
    words: list[str]  # one per record
    whole: bool


# --- Cells ---

_SCRAPS = (
    '"',
    '""',
    '"""',
    "'",
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\x00",
    "\x0b",
    "\x0c",
    "\x1b[2J",
    "\x85",
    "\u2028",
    "\ufeff",
    "\u200b",
    "\u202e",
    "é",
    "ß",
    "好",
    "한",
    "😀",
    "<b>",
    "</",
    "&amp;",
    "&#0;",
    "\\n",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "=cmd()",
    "NULL",
    "NaN",
    "text",
    "stars",
    "a",
    "Cold soup. ",
    "5",
    "1,5",
    "%",
    "NULL,NULL",
)
_STARS = (
    *("5", "", "1", "0", "-1", "6", "4,5", "8/10", "80%", "★★★", "five", "1e400", "NaN", "Infinity", "5/0", "9" * 400),
    *("９", "٣", "½", "5" + " " * 300 + "/", "x", "\x00", "5\n", '"5"', "4 von", "+4", "--", "1" * 30),
)
_DATES = (
    *(
        "2025-03-04",
        "",
        "3/4/2025",
        "4.3.25",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+02:00",
        "2025-01-01T00:00+99:99",
    ),
    *(
        "99999999999999999999",
        "1e308",
        "-1",
        "45356",
        "1700000000000",
        "2025-02-30",
        "24:61",
        "yesterday",
        "٢٠٢٥-٠١-٠١",
    ),
    *(
        "1 " + "a" * 199,
        "2025-01-01T00:00:00." + "9" * 170,
        "二〇二五年",
        "5 March 2025",
        "\x00",
        "1/1/1/1/1",
        "2025-13-45",
        "inf",
    ),
)
_OTHERS = (
    "",
    "Maria",
    'The "Inn"',
    "a,b",
    "\x1b[31m",
    "x" * 300,
    "{'a': 1}",
    '{"a": [1, {"b": null}]}',
    "{" * 50,
    "NULL",
    "1",
)
_NAMES = (
    ("text", "stars", "date", "business"),
    ("Review", "Rating", "Reviewed at", "Name"),
    ("body", "score", "created_at", "x\x1b[31m"),
    ("comment", "", "date", "date"),
    ('te"xt', "stars", "text", "text"),
)


def _prose(chance: random.Random) -> str:
    return "".join(chance.choice(_SCRAPS) for _ in range(chance.choice((0, 1, 3, 10, 40))))


def _rows(chance: random.Random, words: list[str]) -> list[Row]:
    names = chance.choice(_NAMES)
    text = next(place for place in (0, 2) if names[place] in ("text", "Review", "body", "comment"))
    rows = []
    for word in words:
        cells = [chance.choice(kind) for kind in (_OTHERS, _STARS, _DATES, _OTHERS)]
        cells[text] = f"{word} was cold {_prose(chance)}"
        rows.append(dict(zip((f"{name}\0{place}" for place, name in enumerate(names)), cells, strict=True)))
    return rows


def _table(rows: list[Row]) -> list[list[str]]:
    return [[name.rpartition("\0")[0] for name in rows[0]], *(list(row.values()) for row in rows)]


# --- Files ---


def _delimited(chance: random.Random, rows: list[Row]) -> str:
    delimiter = chance.choice(",,;\t|")
    out = io.StringIO(newline="")
    quoting = chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    ends = chance.choice(("\r\n", "\n", "\n", "\r"))
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=ends).writerows(_table(rows))
    return out.getvalue()


def _handmade(chance: random.Random, rows: list[Row]) -> str:
    """A table by somebody who has never heard of doubled quotes: a record is a line, whatever its quotes."""
    delimiter, ends = chance.choice(",;\t"), chance.choice(("\n", "\r\n", "\r"))
    head, *body = [[" ".join(cell.split()).replace(delimiter, " ") for cell in row] for row in _table(rows)]
    quoted = [[f'"{cell}"' if chance.random() < 0.5 else cell for cell in row] for row in body]
    torn = [[cell[: -chance.randint(0, 1)] or cell if cell[:1] == '"' else cell for cell in row] for row in quoted]
    return ends.join(map(delimiter.join, [head, *torn])) + ends


def _json(chance: random.Random, rows: list[Row]) -> str:
    names, *body = _table(rows)
    unique = unique_names(names)
    items: list[object] = []
    for cells in body:
        item: dict[str, object] = dict(zip(unique, cells, strict=True))
        odd = chance.choice((None, 10**400, float("nan"), float("inf"), {"a": {"b": [1, None]}}, [], True, "\ud800"))
        items.append(item | {"odd": odd} if chance.random() < 0.5 else item)
    lone = chance.random() < 0.5
    if chance.random() < 0.5:
        return "\n".join(json.dumps(item, ensure_ascii=lone or "\\ud" in json.dumps(item)) for item in items)
    return json.dumps({"reviews": items} if chance.random() < 0.3 else items, ensure_ascii=True)


def _sheet(chance: random.Random, rows: list[Row]) -> bytes:
    import openpyxl
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = openpyxl.Workbook()
    for row in _table(rows):
        book.worksheets[0].append([ILLEGAL_CHARACTERS_RE.sub("", cell).replace("=", " ") for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _parquet(chance: random.Random, rows: list[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names, *body = _table(rows)
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(column) for column in zip(*body, strict=True)], names=names), buffer)
    return buffer.getvalue()


def _encoded(chance: random.Random, text: str) -> bytes:
    encoding = chance.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030", "by line"))
    if encoding != "by line":
        return text.encode(encoding, "replace")
    lines = text.splitlines(keepends=True)
    return b"".join(line.encode(chance.choice(("utf-8", "gb18030")), "replace") for line in lines)


_TEXTS: dict[str, Callable[[random.Random, list[Row]], str]] = {
    "r.csv": _delimited,
    "r.tsv": _delimited,
    "r.txt": _handmade,
    "handmade.csv": _handmade,
    "r.json": _json,
    "r.jsonl": _json,
}
_BINARY: dict[str, Callable[[random.Random, list[Row]], bytes]] = {"r.xlsx": _sheet, "r.parquet": _parquet}


def _damaged(chance: random.Random, content: bytes) -> bytes:
    """The content with a few bytes changed, taken out, doubled or put in, or cut off."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.choice((1, 1, 50))]
            case 2:
                data[at:at] = chance.choice(
                    (b'"', b'""', b"\x00", b"\n", b"\r", b",", b"\xff", b"{", b"]", b"\xe4\xb8")
                )
            case 3:
                data[at:at] = data[at : at + 30]
            case _:
                if chance.random() < 0.2:
                    del data[at:]
    return bytes(data)


def hostile(seed: int) -> Hostile:
    """The file of a seed."""
    chance = random.Random(seed)
    words = [f"zq{seed}n{number}w" for number in range(chance.choice((1, 3, 12, 80)))]
    rows = _rows(chance, words)
    name = chance.choice([*_TEXTS, *_TEXTS, *_BINARY])
    content = _encoded(chance, _TEXTS[name](chance, rows)) if name in _TEXTS else _BINARY[name](chance, rows)
    whole = chance.random() < 0.5
    content = content if whole else _damaged(chance, content)
    packing = chance.randrange(12)
    if packing == 0:
        name, content = f"{name}.gz", gzip.compress(content, mtime=0)
    elif packing == 1:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"exports/{name}", content)
        name, content = "r.zip", buffer.getvalue()
    if packing < 2 and chance.random() < 0.3:
        whole, content = False, _damaged(chance, content)
    return Hostile(name, content, words, whole)


# --- What the intake makes of them ---


def survives(warehouse: Warehouse, folder: Path, seed: int) -> str | None:
    """None if the file of a seed survives, else what is wrong."""
    case = hostile(seed)
    file = folder / f"{seed}-{case.name}"
    file.write_bytes(case.content)
    try:
        return _fault(warehouse, case, file)
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    finally:
        file.unlink()


def _fault(warehouse: Warehouse, case: Hostile, file: Path) -> str | None:
    try:
        (result,) = ingest(warehouse, [str(file)], IngestOptions(), f"run {file.name}", NOW)
    except InputError as error:
        written = sum(
            warehouse.query(f"SELECT count(*) AS n FROM {table} WHERE source = ?", [str(file)])[0]["n"]
            for table in ("store.reviews", "rejects", "store.sources")
        )
        return f"refused, but {written} rows are written" if written else "two lines" if "\n" in str(error) else None
    held = warehouse.query("SELECT rows, counted FROM sources WHERE source = ?", [str(file)])[0]
    if result.rows != result.accepted + result.rejected + result.duplicates + result.rating_only:
        return f"rows do not add up: {result}"
    if held["counted"] is not None and held["rows"] < held["counted"]:
        return f"{held['counted']} records were counted, {held['rows']} read"
    if case.whole and result.rows < len(case.words):
        return f"{len(case.words)} records were put in, {result.rows} read"
    kept = "\n".join(_kept(warehouse, str(file)))
    if not case.whole:  # damage can move a text into a column that is not used
        kept += "\n".join(map(str, formats.read(file, ReadOptions())))
    lost = [word for word in case.words if word not in kept and (case.whole or word.encode() in case.content)]
    return f"{len(lost)} records of {len(case.words)} are gone, such as {lost[0]}" if lost else None


def _kept(warehouse: Warehouse, source: str) -> Iterator[str]:
    """All that is kept of a source, with the names of its columns: damage can join a record to the header."""
    for table, column in (("store.reviews", "text"), ("rejects", "raw")):
        for row in warehouse.query(f"SELECT {column} AS kept FROM {table} WHERE source = ?", [source]):
            yield row["kept"] or ""
    for row in warehouse.query("SELECT unused, attributes, fields FROM sources WHERE source = ?", [source]):
        yield f"{row['unused']} {row['attributes']} {row['fields']}"


def survey(count: int, seed: int = 0) -> tuple[int, int, int]:
    """Tries the files of the seeds from `seed` on; returns how many were tried, survived and are lost. Prints the lost."""
    lost = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            if number % _PER_WAREHOUSE == 0:
                warehouse = open_memory()
            if fault := survives(warehouse, Path(folder), seed + number):
                lost += 1
                print(f"lost: seed {seed + number}, {hostile(seed + number).name}: {fault}")
    return count, count - lost, lost


def main() -> None:
    """Prints how many files were tried, survived and are lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tried, survived, lost = survey(arguments.count, arguments.seed)
    print(f"{tried:,} files tried, {survived:,} survived, {lost:,} lost")


if __name__ == "__main__":
    main()
