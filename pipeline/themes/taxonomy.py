"""The taxonomy: aspects of an experience with their terms and remedies, read from a playbook file and validated."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.text.words import words

PLAYBOOK = Path(__file__).with_name("playbook.toml")  # the shipped one
OVERALL = "overall"  # its group
GENERAL = "general"  # the aspect for reviews that mention no other
MIN_EXAMPLES = 5  # sentences that can stand in for terms


@dataclass(frozen=True)
class Aspect:
    """An entry of the playbook.

    `terms`: (language, terms) pairs; they, `examples` or `description` say what to look for, and `general` has none.
    `parent`: a group; `trades`: where the aspect can occur, none for everywhere; `was`: the older aspect that it splits;
    `ratings`: columns in which customers rate it by itself.
    """

    id: str
    label: str
    terms: tuple[tuple[str, tuple[str, ...]], ...] = field(hash=False)  # long, and aspects are hashed for every review
    steps: tuple[str, ...] = field(hash=False)
    parent: str | None = field(default=None, hash=False)
    trades: tuple[str, ...] = field(default=(), hash=False)
    was: str | None = field(default=None, hash=False)
    examples: tuple[str, ...] = field(default=(), hash=False)
    description: str = field(default="", hash=False)
    ratings: tuple[str, ...] = field(default=(), hash=False)


@dataclass(frozen=True)
class Taxonomy:
    """A playbook file. `groups` and `trades`: id -> label; those of the shipped file, and the file's own. `trade`: the one that
    the file is for, whose shipped aspects it has too; "": of no single one.
    """

    aspects: tuple[Aspect, ...]
    groups: Mapping[str, str] = field(hash=False)
    trades: Mapping[str, str] = field(hash=False)
    trade: str = ""


def renamed(aspects: Sequence[Aspect]) -> dict[str, str]:
    """Id -> the older id under which warehouses and labels from before the split hold the same mentions."""
    return {aspect.id: aspect.was for aspect in aspects if aspect.was}


# --- The playbook file ---


def taxonomy_file(profile: Profile) -> Path:
    """The playbook file that a profile names, else the shipped one."""
    return Path(profile.themes.taxonomy) if profile.themes.taxonomy else PLAYBOOK


def load_aspects(path: Path | None = None) -> tuple[Aspect, ...]:
    """The aspects of a playbook file, in its order. None: the shipped one.

    Raises InputError listing everything wrong with the file.
    """
    return load_taxonomy(path).aspects


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """The aspects, groups and trades of a playbook file. None: the shipped one.

    Raises InputError listing everything wrong with the file.
    """
    path = path or PLAYBOOK
    try:
        status = path.stat()
        return _load(path, status.st_mtime_ns, status.st_size)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"The playbook {path} cannot be read: {error}. Correct it, or leave [themes] taxonomy out."
        ) from None


def written(path: Path) -> str:
    """What a playbook file says, for fingerprints: its text, with that of the shipped one if it takes aspects from there."""
    text = path.read_text(encoding="utf-8")
    return text + PLAYBOOK.read_text(encoding="utf-8") if load_taxonomy(path).trade else text


@functools.lru_cache(maxsize=8)
def _load(path: Path, modified: int, size: int) -> Taxonomy:
    """`modified` and `size` are cache keys: an edited file is read again."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    shipped = Taxonomy((), {}, {}) if path == PLAYBOOK else load_taxonomy()
    errors = _document_errors(document, shipped)
    if errors:
        raise InputError(f"The playbook {path} has {len(errors)} error(s): {'; '.join(errors)}.")
    groups, trades = ({entry["id"]: entry["label"] for entry in document.get(key, [])} for key in ("group", "trade"))
    own = tuple(_aspect(entry) for entry in document.get("aspect", []))
    trade, left_out = document.get("of_trade", ""), {*document.get("without", []), *(aspect.id for aspect in own)}
    taken = tuple(
        aspect
        for aspect in (shipped.aspects if trade else ())
        if aspect.id not in left_out and (not aspect.trades or trade in aspect.trades)
    )
    return Taxonomy(own + taken, {**shipped.groups, **groups}, {**shipped.trades, **trades}, trade)


def _aspect(entry: Mapping[str, Any]) -> Aspect:
    return Aspect(
        id=entry["id"],
        label=entry["label"],
        terms=tuple((language, tuple(terms)) for language, terms in entry.get("terms", {}).items()),
        steps=tuple(entry["steps"]),
        parent=entry.get("parent"),
        trades=tuple(entry.get("trades", ())),
        was=entry.get("was"),
        examples=tuple(entry.get("examples", ())),
        description=entry.get("description", ""),
        ratings=tuple(entry.get("ratings", ())),
    )


# --- Its errors ---

_TABLES = ("aspect", "group", "trade")
_OTHERS = ("of_trade", "without", "problem")  # a [[problem]] is of the library: `pipeline.advice.problems` reads it
_NAME_KEYS = frozenset({"id", "label"})
_ASPECT_KEYS = frozenset(Aspect.__dataclass_fields__)


def _document_errors(document: Mapping[str, Any], shipped: Taxonomy) -> list[str]:
    known_keys = {*_TABLES, *_OTHERS}
    errors = [f"unknown key '{key}' (aspects are written as [[aspect]])" for key in document if key not in known_keys]
    tables = {table: document.get(table, []) for table in _TABLES}
    for table, entries in tables.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            errors.append(f"'{table}' is not a list of tables (write [[{table}]])")
            tables[table] = []
    known = {
        "aspect": frozenset(aspect.id for aspect in shipped.aspects),
        "group": frozenset(shipped.groups) | _ids(tables["group"]),
        "trade": frozenset(shipped.trades) or _ids(tables["trade"]),  # fixed: a file of one's own may only relabel them
    }
    for table, entries in tables.items():
        for number, entry in enumerate(entries, 1):
            found = _aspect_errors(entry, known) if table == "aspect" else _name_errors(entry, _NAME_KEYS)
            errors += [f"{table} {entry.get('id') or number}: {error}" for error in found]
        ids = [entry.get("id") for entry in entries]
        errors += [f"{table} {id}: written twice" for id in sorted(_ids(entries)) if ids.count(id) > 1]
    errors += [
        f"[[trade]] names {error}" for id in sorted(_ids(tables["trade"])) for error in _unknown("trade", id, known)
    ]
    if "of_trade" in document:
        errors += [f"'of_trade' names {error}" for error in _unknown("trade", document["of_trade"], known)]
    errors += _left_out_errors(document, known)
    if GENERAL not in _ids(tables["aspect"]) and "of_trade" not in document:
        errors.append(f"no aspect '{GENERAL}', which answers reviews that mention none of the others")
    return errors or _shared_terms(tables["aspect"])


def _left_out_errors(document: Mapping[str, Any], known: Mapping[str, frozenset[str]]) -> list[str]:
    ids = document.get("without", [])
    if not isinstance(ids, list):
        return ["'without' must list ids of shipped aspects"]
    if ids and "of_trade" not in document:
        return ["'without' says which shipped aspects of the trade are left out, but there is no 'of_trade'"]
    errors = [f"'without' names {error}" for id in ids for error in _unknown("aspect", id, known)]
    return [*errors, f"'{GENERAL}' cannot be left out"] if GENERAL in ids else errors


def _ids(entries: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(entry["id"] for entry in entries if isinstance(entry.get("id"), str))


def _name_errors(entry: Mapping[str, Any], keys: frozenset[str]) -> list[str]:
    errors = [f"unknown key '{key}'" for key in entry if key not in keys]
    if not _is_id(entry.get("id")):
        errors.append("'id' must be lower case letters, digits and underscores")
    if not _is_line(entry.get("label")):
        errors.append("'label' must be one line of text")
    return errors


def _aspect_errors(entry: Mapping[str, Any], known: Mapping[str, frozenset[str]]) -> list[str]:
    errors = _name_errors(entry, _ASPECT_KEYS)
    steps = entry.get("steps")
    if not isinstance(steps, list) or len(steps) < 3 or not all(map(_is_line, steps)):
        errors.append("'steps' must list at least 3 line(s) of text")
    return errors + _reference_errors(entry, known) + _matching_errors(entry, known["aspect"])


def _reference_errors(entry: Mapping[str, Any], known: Mapping[str, frozenset[str]]) -> list[str]:
    """Errors in the ids of a group, of trades and of another aspect."""
    errors = (
        [f"'parent' names {error}" for error in _unknown("group", entry["parent"], known)] if "parent" in entry else []
    )
    trades = entry.get("trades")
    if isinstance(trades, list) and trades:
        errors += [f"'trades' names {error}" for trade in trades for error in _unknown("trade", trade, known)]
    elif "trades" in entry:
        errors.append("'trades' must list at least one trade (leave it out where the aspect occurs in every trade)")
    if "was" in entry and (not _is_id(entry["was"]) or entry["was"] == entry.get("id")):
        errors.append("'was' must be the id of another aspect: the older one that this one splits")
    return errors


def _unknown(table: str, id: Any, known: Mapping[str, frozenset[str]]) -> list[str]:
    if isinstance(id, str) and id in known[table]:
        return []
    return [f"the {table} {id!r}, which is none of {', '.join(sorted(known[table]))}"]


def _matching_errors(entry: Mapping[str, Any], shipped: frozenset[str]) -> list[str]:
    """Errors in what tells an aspect's mentions: terms, examples or a description. Shipped aspects are known without them."""
    given = [key for key in ("terms", "examples", "description") if entry.get(key)]
    if entry.get("id") == GENERAL:
        return [f"'{GENERAL}' takes no {key}" for key in given]
    errors = []
    if not given and entry.get("id") not in shipped:
        errors.append(
            "'terms' must list words and phrases per language, unless 'examples' or a 'description' say what is meant"
        )
    examples = entry.get("examples", [])
    if not isinstance(examples, list) or not all(_is_line(example) for example in examples):
        errors.append("'examples' must list sentences, each one line of text")
    elif "examples" in entry and len(set(examples)) < MIN_EXAMPLES:
        errors.append(f"'examples' must list at least {MIN_EXAMPLES} different sentences")
    if "description" in entry and not _is_line(entry["description"]):
        errors.append("'description' must be one line of text")
    ratings = entry.get("ratings", [])
    if not isinstance(ratings, list) or not all(map(_is_line, ratings)):
        errors.append("'ratings' must list names of columns")
    return errors + _term_errors(entry.get("terms", {}))


def _term_errors(terms: Any) -> list[str]:
    if not isinstance(terms, dict):
        return ["'terms' must list words and phrases per language"]
    errors = []
    for language, listed in terms.items():
        if not re.fullmatch(r"[a-z]{2}", language):
            errors.append(f"language '{language}' is not a two-letter code")
        if not isinstance(listed, list) or not listed:
            errors.append(f"'terms.{language}' is empty")
            continue
        for term in listed:
            if not isinstance(term, str) or not words(term) or "*" in term[:-1]:
                errors.append(
                    f"'terms.{language}' has {term!r}: a term is a word or phrase, and * stands only at its end"
                )
    return errors


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z][a-z0-9_]*", value))


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value.splitlines()) == 1


def _shared_terms(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Errors for terms listed twice: a shared term would silently always go to the same aspect."""
    owners: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        for language, terms in entry.get("terms", {}).items():
            for term in terms:
                owners.setdefault((language, " ".join(words(term))), []).append(entry["id"])
    return [
        f"term '{term}' ({language}) is listed by {' and '.join(ids)}"
        for (language, term), ids in owners.items()
        if len(ids) > 1
    ]
