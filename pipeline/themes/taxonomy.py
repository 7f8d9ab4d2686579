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
GENERAL = "general"  # the aspect for reviews that mention no other


@dataclass(frozen=True)
class Aspect:
    """An entry of the playbook. `terms`: (language, terms) pairs, none for `general`."""

    id: str
    label: str
    terms: tuple[tuple[str, tuple[str, ...]], ...] = field(hash=False)  # long, and aspects are hashed for every review
    acknowledge: tuple[str, ...] = field(hash=False)
    steps: tuple[str, ...] = field(hash=False)


# --- The playbook file ---

_KEYS = {"id", "label", "acknowledge", "steps", "terms"}
_SLOT = re.compile(r"\{(.*?)\}")


def taxonomy_file(profile: Profile) -> Path:
    """The playbook file that a profile names, else the shipped one."""
    return Path(profile.themes.taxonomy) if profile.themes.taxonomy else PLAYBOOK


def load_aspects(path: Path | None = None) -> tuple[Aspect, ...]:
    """The aspects of a playbook file, in its order. None: the shipped one.

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


@functools.lru_cache(maxsize=8)
def _load(path: Path, modified: int, size: int) -> tuple[Aspect, ...]:
    """`modified` and `size` are cache keys: an edited file is read again."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    errors = [f"unknown key '{key}' (aspects are written as [[aspect]])" for key in document if key != "aspect"]
    entries = document.get("aspect", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        errors.append("'aspect' is not a list of tables (write [[aspect]])")
        entries = []
    for number, entry in enumerate(entries, 1):
        errors += [f"aspect {entry.get('id') or number}: {error}" for error in _errors(entry)]
    ids = [entry["id"] for entry in entries if isinstance(entry.get("id"), str)]
    errors += [f"aspect {id}: written twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    if GENERAL not in ids:
        errors.append(f"no aspect '{GENERAL}', which answers reviews that mention none of the others")
    if not errors:
        errors = _shared_terms(entries)
    if errors:
        raise InputError(f"The playbook {path} has {len(errors)} error(s): {'; '.join(errors)}.")
    return tuple(
        Aspect(
            id=entry["id"],
            label=entry["label"],
            terms=tuple((language, tuple(terms)) for language, terms in entry.get("terms", {}).items()),
            acknowledge=tuple(entry["acknowledge"]),
            steps=tuple(entry["steps"]),
        )
        for entry in entries
    )


def _errors(entry: Mapping[str, Any]) -> list[str]:
    errors = [f"unknown key '{key}'" for key in entry if key not in _KEYS]
    if not isinstance(entry.get("id"), str) or not re.fullmatch(r"[a-z][a-z0-9_]*", entry["id"]):
        errors.append("'id' must be lower case letters, digits and underscores")
    if not _is_line(entry.get("label")):
        errors.append("'label' must be one line of text")
    for key, minimum, slots in (("acknowledge", 1, {"quote", "business"}), ("steps", 3, set[str]())):
        lines = entry.get(key)
        if not isinstance(lines, list) or len(lines) < minimum or not all(_is_line(line) for line in lines):
            errors.append(f"'{key}' must list at least {minimum} line(s) of text")
            continue
        unknown = sorted({slot for line in lines for slot in _SLOT.findall(line)} - slots)
        errors += [f"'{key}' has an unknown slot {{{slot}}}" for slot in unknown]
        if key == "acknowledge" and not all("{quote}" in line for line in lines):
            errors.append("every line of 'acknowledge' must hold {quote}")
    return errors + _term_errors(entry)


def _term_errors(entry: Mapping[str, Any]) -> list[str]:
    terms = entry.get("terms", {})
    if entry.get("id") == GENERAL:
        return [f"'{GENERAL}' takes no terms"] if terms else []
    if not isinstance(terms, dict) or not terms:
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
