"""Cells of a table that hold an object, as pandas and databases write nested values into one."""

from __future__ import annotations

import ast
import json
from typing import Any

from pipeline.ingest.formats.json_record import flatten
from pipeline.ingest.formats.record import Item

_LONGEST = 20_000  # characters of an object in a cell


def with_objects(item: Item) -> Item:
    """A record whose cells with an object, in JSON or as Python prints one, are columns of their own with dotted names:
    "developerResponse" becomes "developerResponse.body" and its like. Anything else is given back as it is.
    """
    if not isinstance(item, dict):
        return item
    objects = {
        name: content
        for name, value in item.items()
        if value and value[0] == "{" and value[-1] == "}" and (content := _object(value))
    }
    if not objects:
        return item
    result: dict[str, str | None] = {}
    for name, value in item.items():
        result.update(flatten({name: objects[name]}) if name in objects else {name: value})
    return result


def _object(text: str) -> dict[Any, Any] | None:
    """The object that a cell holds, None if it holds none: a review may stand in braces."""
    if len(text) > _LONGEST:
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            content = parse(text)
            json.dumps(content)  # a Python value can hold what JSON cannot, such as a set
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
        return content if isinstance(content, dict) else None
    return None
