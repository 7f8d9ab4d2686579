"""A JSON object as a record: a flat dict of texts, with what is known of the place that encloses it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.ingest.formats.record import Broken, Record, as_text, short_name
from pipeline.ingest.names import NAMES, OF_AN_ITEM, plain

MAX_DEPTH = 6  # of the objects in a record, and of the keys that lead to a list of records

_EXTENDED = {"$date", "$oid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$uuid"}  # MongoDB's
_WRAPPED = ("text", "label", "value", "#text", "rendered", "ratingvalue")
_MAXIMUM = ("bestrating", "max", "maximum", "outof")
_ENVELOPES = ("attributes", "review", "node", "_source", "fields", "properties")
_RESOURCE = re.compile(r"(.+)/reviews/[^/]+")  # the "name" that Google gives a review: its place's path, then its own
_WRITTEN = {"text", "liked", "disliked"}
_BUSINESS = ("displayname", *(name for name in NAMES["business"] if not name.endswith("id")))
_BUSINESS_ID = ("placeid", "businessid")
_OF_A_PLACE = {
    "address",
    "formattedaddress",
    "placeid",
    "location",
    "gpscoordinates",
    "totalscore",
    "categoryname",
    "categories",
}
_PLACES = {
    "placeinfo",
    "businessinfo",
    "locationinfo",
    "hotelinfo",
    "businessunit",
}  # beside the list of reviews, in SerpApi's answers and others


def to_record(item: Any, place: Mapping[str, str]) -> Record:
    """An item of a list as a record; `place`: what `place_of` gave of the objects that enclose the list."""
    if isinstance(item, Broken):
        return item
    if not isinstance(item, dict):
        return Broken(raw_json(item), "not a JSON object")
    try:
        return _with_place(flatten(item), place)
    except RecursionError:
        return Broken(", ".join(map(str, item)), "nested too deeply")


def flatten(item: Mapping[str, Any]) -> dict[str, str | None]:
    """The values of an object by name, those of nested objects by dotted names.

    An object that wraps one value gives it under its own name too: {"text": {"text": "Fine"}} has both "text.text" and
    "text". If the text stands in an envelope such as "attributes", all that it holds is given without its name too.
    """
    flat = _flatten(item, "", 0)
    for envelope in _ENVELOPES:
        if isinstance(item.get(envelope), dict) and not has_text(name for name in flat if name != envelope):
            start = f"{envelope}."
            inner = {name.removeprefix(start): value for name, value in flat.items() if name.startswith(start)}
            if has_text(inner):
                return inner | flat
    return flat


def has_text(names: Iterable[str], mapping: Mapping[str, str] | None = None) -> bool:
    """Whether a record with these columns has one for what the customer wrote: the mapped one, else one with a usual name."""
    if mapping and mapping.get("text"):
        return not set(mapping["text"].split("+")).isdisjoint(names)
    return any(not _fields(name).isdisjoint(_WRITTEN) for name in names)


def has_field(names: Iterable[str], field: str) -> bool:
    """Whether one of the names is usual for a field."""
    return any(field in _fields(name) for name in names)


@functools.lru_cache(10_000)
def _fields(name: str) -> frozenset[str]:
    return frozenset(field for field, names in NAMES.items() if plain(name) in names)


def place_of(node: Mapping[str, Any]) -> dict[str, str]:
    """What an object that encloses reviews says of their place, as "place.name", "place.id" and "place.product". A title
    is a place's name only beside what places alone have; elsewhere it is a page's or a product's. A name beside what products
    alone have is the product's.
    """
    beside = [value for key, value in node.items() if plain(key) in _PLACES and isinstance(value, dict)]
    given = {plain(name): _value(inner) for part in (*beside, node) for name, inner in reversed(list(part.items()))}
    of_place, of_item = bool(beside) or not _OF_A_PLACE.isdisjoint(given), not OF_AN_ITEM.isdisjoint(given)
    names = (*_BUSINESS, "title") if of_place else _BUSINESS
    products = NAMES["product"]
    if of_item and not of_place:
        names = tuple(name for name in names if name != "name")
        products = ["name", "title", *products]
    usual = {"place.name": names, "place.id": (*_BUSINESS_ID, "id"), "place.product": products}
    values = {name: next((given[key] for key in keys if given.get(key)), None) for name, keys in usual.items()}
    return {name: value for name, value in values.items() if value}


def _flatten(item: Mapping[str, Any], prefix: str, depth: int) -> dict[str, str | None]:
    flat: dict[str, str | None] = {}
    for key, value in item.items():
        name, value = short_name(f"{prefix}{as_text(key)}"), _unwrap(value)
        if isinstance(value, dict) and depth < MAX_DEPTH:
            if (wrapped := _wrapped(value)) is not None:
                flat[name] = wrapped
            for inner, text in _flatten(value, f"{name}.", depth + 1).items():
                flat.setdefault(inner, text)
        elif (
            isinstance(value, list) and _fields(name) & {"liked", "disliked"} and all(isinstance(x, str) for x in value)
        ):
            flat[name] = "\n".join(filter(None, map(as_text, value)))
        elif isinstance(value, (dict, list)) and _fields(name):
            flat[f"{name}[]"] = as_text(value)  # a list is no field's value, so it does not keep a field's name
        else:
            flat[name] = as_text(value)
    return flat


def _unwrap(value: Any) -> Any:
    """The value of extended JSON, such as {"$date": {"$numberLong": "1700000000000"}}."""
    while isinstance(value, dict) and len(value) == 1 and (key := next(iter(value))) in _EXTENDED:
        value = value[key]
    return value


def _wrapped(value: Mapping[str, Any]) -> str | None:
    """The value that an object wraps under a usual key, a rating with its maximum: "8/10"; None if there is none."""
    inner = {plain(key): _unwrap(value[key]) for key in reversed(list(value))}
    found = next((inner[key] for key in _WRAPPED if isinstance(inner.get(key), (str, int, float))), None)
    maximum = next((inner[key] for key in _MAXIMUM if key in inner), None)
    if isinstance(found, (int, float)) and isinstance(maximum, (int, float)):
        return f"{found}/{maximum}"
    return as_text(found)


def _value(value: Any) -> str | None:
    value = _unwrap(value)
    return _wrapped(value) if isinstance(value, dict) else None if isinstance(value, list) else as_text(value)


def _with_place(record: dict[str, str | None], place: Mapping[str, str]) -> dict[str, str | None]:
    """The record with the values of its place, which also name its business and product if it does not.

    A "name" beside a place's own is the reviewer's or the review's; Google's says where the review belongs.
    """
    record = record | {name: value for name, value in place.items() if name not in record}
    resource = _RESOURCE.fullmatch(record.get("name") or "")
    business = place.get("place.name") or (resource[1] if resource else None)
    if business and not any(plain(name) in _BUSINESS and plain(name) != "name" for name in record):
        record["business"] = business
    if "place.product" in place and not has_field(record, "product"):
        record["product"] = place["place.product"]
    return record


def raw_json(value: Any) -> str:
    """A value as JSON, for a Broken."""
    try:
        return json.dumps(value, default=as_text)
    except RecursionError:
        return "a value nested too deeply"
