"""Where reviews come from: names on the command line to sources, and a source to its records.

A record is a dict of its columns as text, or a Broken one: what could not be read keeps its raw text and a reason,
so that nothing is lost. Text formats are read with Python's csv and json modules, which tell where a record begins
and ends even in damaged exports; Parquet is read by DuckDB.
"""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import io
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.columns import looks_like_header
from pipeline.errors import InputError
from pipeline.warehouse import Warehouse

EXTENSIONS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx")
csv.field_size_limit(2**31 - 1)  # a review has no upper length


@dataclass(frozen=True)
class Broken:
    """A record that could not be read."""

    raw: str
    reason: str


Record = dict[str, str | None] | Broken


@dataclass(frozen=True)
class ReadOptions:
    header: bool | None = None  # None: look at the first line
    encoding: str | None = None
    delimiter: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


def expand(reviews: Sequence[str]) -> list[str]:
    """Files (and hub names) behind --reviews values, in order, each once. Raises InputError for what is not there."""
    found: dict[str, None] = {}
    for value in reviews:
        if value.startswith("hf:"):
            found[value] = None
            continue
        if os.path.isdir(value):
            files = sorted(str(path) for path in Path(value).rglob("*") if path.is_file() and _kind(path) in EXTENSIONS)
            if not files:
                raise InputError(
                    f"The folder {value} holds no reviews. Known files: {', '.join(EXTENSIONS)}, also .gz."
                )
        elif os.path.exists(value):
            files = [value]
        else:
            files = sorted(name for name in glob.glob(value, recursive=True) if os.path.isfile(name))
            if not files and glob.has_magic(value):
                raise InputError(f"Nothing matches {value}. Check the pattern, or name a file.")
            if not files:
                raise InputError(f"There is no file {value}. Check the path given with --reviews.")
        for name in files:
            if _kind(Path(name)) not in EXTENSIONS:
                raise InputError(f"{name}: what kind of file is this? Known: {', '.join(EXTENSIONS)}, also .gz.")
            if os.path.getsize(name) == 0:
                raise InputError(f"{name} is empty. Export it again, or name another file.")
            found[os.path.normpath(name).replace(os.sep, "/")] = None
    return list(found)


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else suffixes[-1] if suffixes else ""


def content_hash(source: str) -> str:
    """sha256 of a file; of a hub data set, its name (a revision can be part of it)."""
    if source.startswith("hf:"):
        return hashlib.sha256(source.encode()).hexdigest()
    with open(source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(source: str, options: ReadOptions, warehouse: Warehouse) -> Iterator[Record]:
    """The records of one source, in order. Raises InputError when the source as a whole cannot be read."""
    if source.startswith("hf:"):
        return _hub(source)
    kind = _kind(Path(source))
    if kind == ".parquet":
        return _parquet(source, warehouse)
    if kind == ".xlsx":
        return _excel(source)
    text = _decode(source, options.encoding)
    if not text.strip():
        raise InputError(f"{source} is empty. Export it again, or name another file.")
    if kind in (".json", ".jsonl", ".ndjson"):
        return _json(source, text)
    return _delimited(source, kind, text, options)


def _decode(source: str, encoding: str | None) -> str:
    """The text of a file: by its byte order mark, as UTF-8, as UTF-16 when every other byte is NUL, else cp1252."""
    data = Path(source).read_bytes()
    if source.lower().endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise InputError(f"{source} is not a whole gzip file ({error}). Export it again.") from error
    if encoding is None:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        elif data[1:2] == b"\x00" and data[3:4] == b"\x00":
            encoding = "utf-16-le"
        elif data[:1] == b"\x00" and data[2:3] == b"\x00":
            encoding = "utf-16-be"
        else:
            try:
                return data.decode("utf-8-sig")
            except UnicodeDecodeError:
                encoding = "cp1252"
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return data.decode("latin-1") if encoding == "cp1252" else data.decode("utf-8", "replace")


# --- Delimited text ---


def _rows(text: str, delimiter: str, quoted: bool = True) -> Iterator[list[str] | Broken]:
    """Rows of CSV. An opening quote that never closes would swallow the rest of the file: its line is Broken and
    reading goes on after it.
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
            else:  # text after a closing quote: common in hand-made exports, and readable without strictness
                loose = csv.reader(iter(lines[bad:]), delimiter=delimiter)
                yield next(loose)
                start = bad + loose.line_num


def _delimiter(text: str) -> str:
    """The separator that splits the first records into most columns, most evenly."""
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


def _delimited(source: str, kind: str, text: str, options: ReadOptions) -> Iterator[Record]:
    delimiter = options.delimiter or ("\t" if kind in (".tsv", ".txt") else _delimiter(text))
    # Tab-separated lists of sentences without any header know no quoting: a lone quote is part of the text.
    rows = _rows(text, delimiter, quoted=kind != ".txt")
    first = next(rows)
    if isinstance(first, list) and len(first) == 1 and "," in first[0] and delimiter == ",":
        inner = next(csv.reader([first[0]]))
        if looks_like_header(inner, options.mapping):  # a CSV quoted twice over: each field is a record
            return _named(source, [inner], _unwrapped(rows), options)
    return _named(source, [first] if isinstance(first, list) else [], rows, options, broken=first)


def _unwrapped(rows: Iterator[list[str] | Broken]) -> Iterator[list[str] | Broken]:
    for row in rows:
        if isinstance(row, list) and len(row) == 1:
            yield next(csv.reader([row[0]], strict=False), [])
        else:
            yield row


def _named(
    source: str,
    head: list[list[str]],
    rows: Iterator[list[str] | Broken],
    options: ReadOptions,
    broken: list[str] | Broken | None = None,
) -> Iterator[Record]:
    if isinstance(broken, Broken):
        yield broken
        head = [row for row in [next(rows, None)] if isinstance(row, list)]
    if not head:
        return
    has_header = options.header if options.header is not None else looks_like_header(head[0], options.mapping)
    if has_header:
        names, body = unique_names(head[0]), rows
    else:
        names, body = [str(position) for position in range(1, len(head[0]) + 1)], itertools.chain(head, rows)
    for row in body:
        if isinstance(row, Broken):
            yield row
        elif not row:
            continue  # a line break between records is no record
        elif len(row) == len(names):
            yield dict(zip(names, row, strict=True))
        elif len(row) > len(names) and not any(cell.strip() for cell in row[len(names) :]):
            yield dict(zip(names, row, strict=False))
        else:
            raw = io.StringIO()
            csv.writer(raw).writerow(row)
            yield Broken(raw.getvalue().rstrip("\r\n"), f"{len(row)} fields where there are {len(names)} columns")


def unique_names(names: Sequence[str]) -> list[str]:
    """Column names as given, trimmed; unnamed ones by position, repeated ones numbered."""
    result: list[str] = []
    for position, name in enumerate(names, 1):
        name = name.strip().lstrip("\ufeff") or str(position)
        result.append(name if name not in result else f"{name}_{position}")
    return result


# --- Others ---


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # JSON can spell half a character (a lone surrogate)
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value)


def _json(source: str, text: str) -> Iterator[Record]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}"):
            return _json_lines(lines)
        raise InputError(
            f"{source} is not valid JSON: {error.msg}, line {error.lineno} column {error.colno}."
        ) from error
    except RecursionError as error:
        raise InputError(f"{source} nests its JSON too deeply to be a list of reviews.") from error
    if isinstance(document, dict):
        lists = [
            value for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
        document = lists[0] if len(lists) == 1 else [document]
    if not isinstance(document, list):
        raise InputError(f"{source} holds no list of reviews. Expected an array of objects, or one object per line.")
    return (_json_record(item) for item in document)


def _json_record(item: Any) -> Record:
    if isinstance(item, dict):
        return {str(_as_text(name)): _as_text(value) for name, value in item.items()}
    return Broken(json.dumps(item), "not a JSON object")


def _json_lines(lines: Iterable[str]) -> Iterator[Record]:
    for line in lines:
        try:
            yield _json_record(json.loads(line))
        except (json.JSONDecodeError, RecursionError) as error:
            yield Broken(line, f"not valid JSON: {getattr(error, 'msg', 'nested too deeply')}")


def _parquet(source: str, warehouse: Warehouse) -> Iterator[Record]:
    try:
        rows = warehouse.query("SELECT * FROM read_parquet(?)", [source])
    except Exception as error:
        raise InputError(f"{source} is not a Parquet file that can be read: {str(error).splitlines()[0]}") from error
    return ({name: _as_text(value) for name, value in row.items()} for row in rows)


def _excel(source: str) -> Iterator[Record]:
    import openpyxl

    try:
        sheet = openpyxl.load_workbook(source, read_only=True, data_only=True).worksheets[0]
    except Exception as error:
        raise InputError(
            f"{source} is not an Excel file that can be read: {error}. Save it as .xlsx or .csv."
        ) from error
    rows = ([_as_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True))
    names = unique_names([name or "" for name in next(rows, [])])
    for row in rows:
        if any(cell is not None for cell in row):
            yield dict(zip(names, row, strict=False))


def _hub(source: str) -> Iterator[Record]:
    """hf:NAME[:CONFIG][:SPLIT] through `datasets`; class labels are given by name."""
    name, *rest = source.removeprefix("hf:").split(":")
    config, split = [*rest, None, None][:2] if len(rest) == 2 else (None, rest[0] if rest else "train")
    try:
        data = _load_hub(name, config, split or "train")
    except Exception as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"The data set {source} could not be loaded: {cause} Check name, config and split, and the network."
        ) from error
    names = {column: kind.names for column, kind in data.features.items() if hasattr(kind, "names")}
    for row in data:
        yield {
            column: names[column][value] if column in names and isinstance(value, int) else _as_text(value)
            for column, value in row.items()
        }


def _load_hub(name: str, config: str | None, split: str) -> Any:
    """Code of a data set is never run. One that is a loading script is read from the Parquet the hub made of it."""
    import datasets

    try:
        return datasets.load_dataset(name, config, split=split)
    except RuntimeError as error:
        if "scripts are no longer supported" not in str(error):
            raise
        return datasets.load_dataset(name, config, split=split, revision="refs/convert/parquet")
