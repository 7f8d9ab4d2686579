"""Finds the list of reviews in a JSON document, wherever it stands and however its records are laid out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.ingest.formats.json_record import MAX_DEPTH, flatten, has_field, has_text, place_of, raw_json
from pipeline.ingest.formats.record import Broken, as_text, unique_names
from pipeline.ingest.names import FIELDS, plain

Item = tuple[Any, Mapping[str, str]]  # an item of a list, and what is known of its place
Found = dict[tuple[str, ...], list[Item]]  # the keys that lead to a list -> its items, over all pages

_SAMPLE = 20
_FAR_MORE = 10  # a list this many times as long as any other is the list of reviews
_REPLIES = ("repl", "response", "answer")  # in a key: what others wrote
_PAGES = ("data", "items", "results", "entry", "entries", "edges", "nodes", "records", "rows", "hits")
_PEOPLE = ("user", "author", "reviewer", "customer", "profile")  # what else the reviewer wrote


def find_reviews(document: Any, mapping: Mapping[str, str], source: Path) -> tuple[tuple[str, ...], list[Item]]:
    """The keys that lead to the list of reviews, and its items; an object without lists is one. Raises InputError if there is no list or it is
    empty, and if several lists could be the reviews.
    """
    found = _search(document, mapping, {}, (), 0)
    path = _choose(found, mapping, source) if found else ()
    if found and found[path]:
        return path, found[path]
    if isinstance(document, dict) and not found and (_is_record(document, mapping) or not _holds_empty_list(document)):
        return (), [(document, {})]
    if found or document == [] or isinstance(document, dict):
        raise InputError(f"{source} holds no reviews: its list is empty. Export it again, or name another file.")
    raise InputError(f"{source} holds no list of reviews. Expected an array of objects, or one object per line.")


def _choose(found: Found, mapping: Mapping[str, str], source: Path) -> tuple[str, ...]:
    """The list of reviews among several: the one called reviews, else the one that holds texts, else the far longest."""
    with_text = [path for path, items in found.items() if _holds_text(items, mapping)]
    called = [path for path in with_text or found if path and _called_reviews(path[-1])]
    candidates = sorted(called or with_text or found, key=lambda path: -len(found[path]))
    first, *others = candidates
    if not others or (not called and len(found[first]) >= _FAR_MORE * len(found[others[0]])):
        return first
    listed = ", ".join(f"{_shown(path)} ({len(found[path])})" for path in candidates[:10])
    raise InputError(
        f"{source} holds several lists that could be the reviews: {listed}. "
        "Save the right one as a file of its own, or say which column is the text with --map text=COLUMN."
    )


def _search(
    node: Any, mapping: Mapping[str, str], place: Mapping[str, str], path: tuple[str, ...], depth: int
) -> Found:
    """The lists of records in a document, down to MAX_DEPTH."""
    if depth > MAX_DEPTH:
        return {}
    if isinstance(node, list):
        return _in_list(node, mapping, place, path, depth)
    if not isinstance(node, dict):
        return {}
    if (rows := _table(node, mapping)) is not None:
        return {path: [(row, place) for row in rows]}
    by_keys_alone = depth == len(path)  # no list encloses it
    if (by_keys_alone or _called_reviews(path[-1])) and _is_keyed(node, mapping):
        return _in_list(list(node.values()), mapping, place, path, depth)
    return _in_object(node, mapping, place, path, depth)


def _in_object(
    node: dict[str, Any], mapping: Mapping[str, str], place: Mapping[str, str], path: tuple[str, ...], depth: int
) -> Found:
    """The lists that an object holds; lists in a record are parts of it, such as photos, unless they are called reviews."""
    nested = {key: value for key, value in node.items() if isinstance(value, (dict, list)) and not _is_aside(key)}
    if not nested:
        return {}
    place = {**place, **place_of(node)}
    found = _merged(_search(value, mapping, place, (*path, key), depth + 1) for key, value in nested.items())
    if found and _is_record(node, mapping):
        return {keys: items for keys, items in found.items() if _called_reviews(keys[-1])}
    return found


def _in_list(
    items: list[Any], mapping: Mapping[str, str], place: Mapping[str, str], path: tuple[str, ...], depth: int
) -> Found:
    """A list of records, of texts, or of pages and places, each of which holds a list of records."""
    if not items:
        return {}
    if all(isinstance(item, str) for item in items):
        are_reviews = not path or _called_reviews(path[-1])
        return {path: [({"text": item}, place) for item in items]} if are_reviews else {}
    if all(isinstance(item, list) for item in items):
        return _merged(_search(item, mapping, place, path, depth + 1) for item in items)
    if not any(isinstance(item, dict) for item in items):
        return {}
    objects = [item if isinstance(item, dict) else {} for item in items]
    inside = [_of_page(_in_object(item, mapping, place, path, depth + 1), mapping) for item in objects]
    lists = _merged(inside)
    if not lists:
        return {path: [(item, place) for item in items]}
    for item, found in zip(items, inside, strict=True):
        if not found and not _holds_empty_list(item):
            next(iter(lists.values())).append((_without_list(item), place))
    return lists


def _table(node: dict[str, Any], mapping: Mapping[str, str]) -> list[Any] | None:
    """The rows of an object in one of pandas' orients: table, split, columns (values by index) or list; else None."""
    data, names, schema = node.get("data"), node.get("columns"), node.get("schema")
    if isinstance(data, list) and isinstance(schema, dict) and "fields" in schema:
        return data
    if isinstance(data, list) and isinstance(names, list) and all(isinstance(row, list) for row in data):
        return None if any(isinstance(name, (list, dict)) for name in names) else _rows(names, data)
    columns = list(node.values())
    if all(isinstance(column, dict) and column for column in columns) and _is_by_column(node, mapping):
        return [dict(zip(node, row, strict=True)) for row in zip(*(column.values() for column in columns), strict=True)]
    if node and all(isinstance(column, list) and column for column in columns) and has_text(node, mapping):
        scalar = not any(isinstance(value, (dict, list)) for column in columns for value in column)
        if scalar and len(set(map(len, columns))) == 1:
            return [dict(zip(node, row, strict=True)) for row in zip(*columns, strict=True)]
    return None


def _rows(names: list[Any], data: list[list[Any]]) -> list[Any]:
    columns = unique_names([as_text(name) or "" for name in names])
    return [
        dict(zip(columns, row, strict=True))
        if len(row) == len(columns)
        else Broken(raw_json(row), f"{len(row)} values where there are {len(columns)} columns")
        for row in data
    ]


def _is_by_column(node: dict[str, dict[str, Any]], mapping: Mapping[str, str]) -> bool:
    """Whether an object of objects is a table by columns: all have the same keys in the same order, and those are an
    index, not names of columns.
    """
    index, *others = (list(column) for column in node.values()) if node else ([],)
    if not index or any(other != index for other in others) or _any_usual(index):
        return False
    numbered = all(key.isdigit() for key in index)
    if numbered and not all(key.isdigit() for key in node):
        return not any(isinstance(value, dict) for value in next(iter(node.values())).values()) or len(node) > 1
    return len(index) > 1 and len(node) > 1 and (_any_usual(node) or has_text(node, mapping))


def _is_keyed(node: dict[str, Any], mapping: Mapping[str, str]) -> bool:
    """Whether an object holds records by their ids: all its values are objects of one kind, and its keys name no column."""
    values = list(node.values())
    if not values or not all(isinstance(value, dict) and value for value in values) or _any_usual(node):
        return False
    if 2 * sum(has_text(flatten(value), mapping) for value in values[:_SAMPLE]) > len(values[:_SAMPLE]):
        return True
    common = set.intersection(*map(set, values))
    return len(values) > 1 and 2 * len(common) >= max(map(len, values))


def _any_usual(names: Iterable[str]) -> bool:
    names = list(names)
    return any(has_field(names, field) for field in FIELDS)


def _is_record(node: dict[str, Any], mapping: Mapping[str, str]) -> bool:
    names = flatten(node).keys()
    return has_text(names, mapping) or (has_field(names, "stars") and has_field(names, "reviewed_at"))


def _is_aside(key: str) -> bool:
    return plain(key) in _PEOPLE or any(word in plain(key) for word in _REPLIES)


def _holds_text(items: list[Item], mapping: Mapping[str, str]) -> bool:
    return any(isinstance(item, dict) and has_text(flatten(item), mapping) for item, _ in items[:_SAMPLE])


def _of_page(found: Found, mapping: Mapping[str, str]) -> Found:
    """Those of the lists in an item of a list that make it a page or a place rather than a record: lists called reviews,
    and those under a page's usual keys whose records have a date or stars.
    """
    return {
        path: items
        for path, items in found.items()
        if _holds_text(items, mapping)
        and (any(map(_called_reviews, path)) or (plain(path[-1]) in _PAGES and _holds_date_or_stars(items)))
    }


def _holds_date_or_stars(items: list[Item]) -> bool:
    names = {name for item, _ in items[:_SAMPLE] if isinstance(item, dict) for name in flatten(item)}
    return has_field(names, "stars") or has_field(names, "reviewed_at")


def _holds_empty_list(item: Any) -> bool:
    return isinstance(item, dict) and [] in item.values()


def _without_list(item: Any) -> Broken:
    return (
        item if isinstance(item, Broken) else Broken(raw_json(item), "holds no list of reviews, as others beside it do")
    )


def _called_reviews(key: str) -> bool:
    return plain(key).endswith("reviews")


def _merged(parts: Iterable[Found]) -> Found:
    whole: Found = {}
    for part in parts:
        for path, items in part.items():
            whole.setdefault(path, []).extend(items)
    return whole


def _shown(path: tuple[str, ...]) -> str:
    return " ".join(str(as_text(".".join(path))).split())[:60] or "the list itself"
