"""The fields of a review, and the usual names of the columns that hold them (names.toml)."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

_SPLIT = re.compile(r"[\s_\-]+")
_NUMBER = re.compile(r"(?:q\d+[a-z]?[\s._:)\-]+|\d+[.:)]\s+)(?=\w)")  # of a survey's question
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_LETTERS = str.maketrans("ıłøđ", "ilod")  # what Unicode does not take for a letter with an accent


@functools.lru_cache(10_000)
def plain(name: str) -> str:
    """A column name to compare by: without case, accents, spaces, dashes, underscores, final punctuation and the number of a
    question ("Q3. Comments"). Nested names are dotted, as some tools write "user/name".
    """
    letters = unicodedata.normalize("NFKD", name.strip(" \t\r\n?*").casefold().replace("/", "."))
    letters = letters[match.end() :] if (match := _NUMBER.match(letters)) else letters
    bare = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return _SPLIT.sub("", unicodedata.normalize("NFC", bare)).translate(_LETTERS)


def _spellings(name: str) -> Iterator[str]:
    """The names that "(guest|customer) review" stands for."""
    match = _CHOICE.search(name)
    if not match:
        yield name
        return
    for choice in match[1].split("|"):
        yield from _spellings(f"{name[: match.start()]}{choice}{name[match.end() :]}")


def _read() -> Mapping[str, list[str]]:
    by_field = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        field: list(
            dict.fromkeys(plain(name) for names in by_language.values() for each in names for name in _spellings(each))
        )
        for field, by_language in by_field.items()
    }


OF_AN_ITEM = {"asin", "asins", "ean", "upc", "gtin", "productid", "productasin", "sku", "price", "brand", "itemid"}
NAMES = _read()  # field -> names in plain form, most likely first
FIELDS = (
    "text",
    "title",
    "liked",
    "disliked",
    "stars",
    "label",
    "reviewed_at",
    "business",
    "product",
    "language",
    "id",
    "author",
    "reply",
    "replied_at",
)
