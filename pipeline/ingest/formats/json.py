"""JSON: an array of objects, an object that holds one, or one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.formats.decode import read_text
from pipeline.ingest.formats.record import Broken, ReadOptions, Record, as_text


def read_json(source: Path, options: ReadOptions) -> Iterator[Record]:
    """Records of a JSON or JSON Lines file. Raises InputError for invalid JSON and for JSON without a list."""
    text = read_text(source, options.encoding)
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
        return {str(as_text(name)): as_text(value) for name, value in item.items()}
    return Broken(json.dumps(item), "not a JSON object")


def _json_lines(lines: Iterable[str]) -> Iterator[Record]:
    for line in lines:
        try:
            yield _json_record(json.loads(line))
        except (json.JSONDecodeError, RecursionError) as error:
            yield Broken(line, f"not valid JSON: {getattr(error, 'msg', 'nested too deeply')}")
