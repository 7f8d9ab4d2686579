"""JSON: one document, several one after another, or one object per line."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.formats.decode import open_text
from pipeline.ingest.formats.json_lists import find_reviews
from pipeline.ingest.formats.json_record import raw_json, to_record
from pipeline.ingest.formats.record import Broken, Item, Layout, ReadOptions, Tally

_NOT_SPACE = re.compile(r"\S")
_HEAD = 1000  # lines: in a longer file whose first lines are records, all are, and it is never held whole
_LINE_BREAKS = re.compile(r"[\r\n]+")  # str.splitlines breaks at characters that may stand in a JSON text


def read_json(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layout and records of a JSON or JSON Lines file. Raises InputError, before the first of them, for invalid JSON and
    for JSON without a list of reviews.
    """
    with open_text(source, options.encoding) as (stream, encoding):
        head = list(itertools.islice(filter(str.strip, stream), _HEAD))
        if len(head) == _HEAD and _are_records(head, options, source):
            return _read_lines(source, encoding)
        stream.seek(0)
        text = stream.read()
    try:
        document = _parse(text)
        if isinstance(document, Broken):
            raise InputError(f"{source} is no list of reviews: {document.reason}.")
        path, items = find_reviews(document, options.mapping, source)
        layout = Layout(encoding, part=".".join(map(str, path)) or None)
        flat = isinstance(document, list) and not path and not any(isinstance(item, list) for item in document)
        tally = [Tally(len(document))] if flat else []
        return itertools.chain([layout], (to_record(item, place) for item, place in items), tally)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source} is not valid JSON: {error.msg}, line {error.lineno} column {error.colno}."
        ) from error
    except RecursionError as error:
        raise InputError(f"{source} nests its JSON too deeply to be a list of reviews.") from error


def _loads(text: str) -> Any:
    """A document. A number of more digits than Python takes for one is a text. Raises ValueError, or RecursionError if too deep."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=_number, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Broken:
    """An object. One that gives a name two values is damaged: two records of which the middle is gone look like that."""
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] != value:
                raw = ", ".join(f"{json.dumps(name)}: {raw_json(value)}" for name, value in pairs)
                return Broken(f"{{{raw}}}", f"one object has two values for {name!r}")
    return found


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) < 4_300 else digits


def _are_records(lines: Sequence[str], options: ReadOptions, source: Path) -> bool:
    """Whether each line is a record, rather than a page of them or a part of a document."""
    documents = list(_json_lines(lines))
    if not isinstance(documents[0], dict):
        return False
    with contextlib.suppress(InputError, RecursionError):
        _, items = find_reviews(documents, options.mapping, source)
        return [id(item) for item, _ in items] == list(map(id, documents))
    return False


def _read_lines(source: Path, encoding: str) -> Iterator[Item]:
    with open_text(source, encoding) as (stream, _):
        yield Layout(encoding)
        lines = (line.rstrip("\r\n") for line in stream)
        yield from (to_record(document, {}) for document in _json_lines(filter(str.strip, lines)))
        stream.seek(0)
        yield Tally(sum(bool(line.strip()) for line in stream))


def _parse(text: str) -> Any:
    """The document, or a list of all that follow one another. Raises ValueError, or RecursionError if too deep."""
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in _LINE_BREAKS.split(text) if line.strip()]
        if len(lines) > 1 and lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}"):
            documents = list(_json_lines(lines))
            if not all(isinstance(document, Broken) for document in documents):
                return documents
        if getattr(error, "msg", None) != "Extra data":
            raise
    return list(_concatenated(text))


def _json_lines(lines: Iterable[str]) -> Iterator[Any]:
    for line in lines:
        try:
            yield _loads(line)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else getattr(error, "msg", error)
            yield Broken(line, f"not valid JSON: {reason}")


def _concatenated(text: str) -> Iterator[Any]:
    decoder, position = json.JSONDecoder(parse_int=_number, object_pairs_hook=_object), 0
    while start := _NOT_SPACE.search(text, position):
        document, position = decoder.raw_decode(text, start.start())
        yield document
