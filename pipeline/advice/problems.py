"""The library of problems and remedies: what goes wrong in a kind of business, why, and what to do about it.

A file of `problems/` per trade; an entry below a theme of the taxonomy. All entries are ours; docs/advice.md says how to add some.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.advice.phrases import advice_language
from pipeline.core.errors import InputError
from pipeline.core.stage import Context
from pipeline.themes.taxonomy import PLAYBOOK, Taxonomy, load_taxonomy, taxonomy_file

LIBRARY = Path(__file__).with_name("problems")
TRANSLATIONS = Path(__file__).with_name("translations")
EFFORTS = ("talk", "purchase", "project")  # what a remedy costs: a talk with the team, something to buy, weeks of work
_TEXTS = ("name", "cause", "customer", "measure", "who", "reply_say", "reply_avoid")
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Problem:
    """One kind of thing that goes wrong.

    `theme`: what a complaint about it is about. `severity`: 4 health, safety or law; 3 the purpose is lost, or real money; 2
    what was paid for is faulty; 1 an annoyance. `say`: (language, sentences) of customers; `unlike`: sentences that share words
    with it and are no case of it. `customer`: what to do for this customer now, `fix`: for good, `measure`: the number that shows
    whether it worked. `effort`: one of EFFORTS. `reply_say`, `reply_avoid`: what a public reply must and must not say.
    """

    id: str
    theme: str
    name: str
    trades: tuple[str, ...]
    severity: int
    say: tuple[tuple[str, tuple[str, ...]], ...] = field(hash=False)
    unlike: tuple[str, ...] = field(hash=False)
    cause: str
    customer: str
    fix: tuple[str, ...] = field(hash=False)
    measure: str
    who: str
    effort: str
    reply_say: str
    reply_avoid: str


def load_problems(folder: Path = LIBRARY) -> tuple[Problem, ...]:
    """Every problem of the library, by file and in the order there. Raises InputError listing all that is wrong."""
    return _load(folder)


def problems_of(taxonomy: Path | None = None) -> tuple[Problem, ...]:
    """The library with the problems of a playbook file (None: the shipped one): one that has the id of another takes its place.

    Raises InputError listing all that is wrong with them.
    """
    own = own_problems(taxonomy)
    return _together(load_problems(), own) if own else load_problems()


def own_problems(taxonomy: Path | None) -> tuple[Problem, ...]:
    """Those of a playbook file alone. Raises InputError listing all that is wrong with them."""
    if taxonomy is None or taxonomy == PLAYBOOK:
        return ()
    own = load_taxonomy(taxonomy)  # raises what is wrong with the file itself
    status = taxonomy.stat()
    return _own(taxonomy, own, status.st_mtime_ns, status.st_size)


def in_language(language: str, taxonomy: Path | None = None) -> Mapping[str, Problem]:
    """The library by id, with names and remedies in a language as far as they are translated (`translations/CODE.toml`), and
    the problems of a playbook file, which are told as they stand there: what they have from the library is translated too.
    """
    own, translated = own_problems(taxonomy), _in_language(language)
    return {**translated, **{problem.id: _translated(problem, translated) for problem in own}} if own else translated


def _translated(own: Problem, translated: Mapping[str, Problem]) -> Problem:
    shipped = _shipped().get(own.id)
    if shipped is None:
        return own
    words = {
        key: getattr(translated[own.id], key) for key in ("fix", *_TEXTS) if getattr(own, key) == getattr(shipped, key)
    }
    return dataclasses.replace(own, **words)


@functools.cache
def _shipped() -> Mapping[str, Problem]:
    return {problem.id: problem for problem in load_problems()}


@functools.cache
def _in_language(language: str) -> Mapping[str, Problem]:
    file = TRANSLATIONS / f"{language}.toml"
    words = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {problem.id: _in_words(problem, words.get(problem.id, {})) for problem in load_problems()}


def remedies_identity(taxonomy: Path | None = None) -> str:
    """Identifies what the library, its translations and the problems of a playbook file say, for fingerprints."""
    own = own_problems(taxonomy)
    shipped = _remedies_identity()
    return hashlib.sha256(repr([shipped, own]).encode()).hexdigest()[:16] if own else shipped


@functools.cache
def _remedies_identity() -> str:
    files = [*sorted(LIBRARY.glob("*.toml")), *sorted(TRANSLATIONS.glob("*.toml"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


@functools.lru_cache(maxsize=4)  # the same tuple each time, as matchers are cached by it
def _together(shipped: tuple[Problem, ...], own: tuple[Problem, ...]) -> tuple[Problem, ...]:
    ids = {problem.id for problem in own}
    return (*(problem for problem in shipped if problem.id not in ids), *own)


@functools.lru_cache(maxsize=8)
def _own(path: Path, taxonomy: Taxonomy, modified: int, size: int) -> tuple[Problem, ...]:
    """`modified` and `size` are cache keys: an edited file is read again."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("problem", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"The playbook {path}: 'problem' is not a list of tables (write [[problem]]).")
    entries = [_with_shipped(entry) for entry in entries]
    errors = _library_errors([("problem", entry) for entry in entries], load_taxonomy(), taxonomy)
    if errors:
        raise InputError(f"The problems in the playbook {path} have {len(errors)} error(s): {'; '.join(errors[:20])}.")
    return tuple(_problem(entry) for entry in entries)


def _in_words(problem: Problem, words: Mapping[str, Any]) -> Problem:
    said: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in words.items()}
    return dataclasses.replace(problem, **said)


@functools.lru_cache(maxsize=4)
def _load(folder: Path) -> tuple[Problem, ...]:
    entries: list[tuple[str, Mapping[str, Any]]] = []
    errors = []
    for file in sorted(folder.glob("*.toml")):
        try:
            found = tomllib.loads(file.read_text(encoding="utf-8")).get("problem", [])
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            errors.append(f"{file.name} cannot be read: {error}")
            continue
        entries += [(file.name, entry) for entry in found]
    errors += _library_errors(entries, load_taxonomy())
    if errors:
        raise InputError(f"The library of problems in {folder} has {len(errors)} error(s): {'; '.join(errors[:20])}.")
    return tuple(_problem(entry) for _, entry in entries)


def _library_errors(entries: Sequence[tuple[str, Mapping[str, Any]]], *taxonomies: Taxonomy) -> list[str]:
    """What is wrong with (where it stands, entry), whose themes and trades may be those of any of the taxonomies."""
    themes = {aspect.id for taxonomy in taxonomies for aspect in taxonomy.aspects}
    trades = {trade for taxonomy in taxonomies for trade in taxonomy.trades}
    errors = [
        f"{place}, {entry.get('id', '?')}: {error}"
        for place, entry in entries
        for error in _errors(entry, themes, trades)
    ]
    return errors + _twice(entry.get("id") for _, entry in entries)


def _with_shipped(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an entry with the id of a shipped problem does not say is as there: with its sentences it keeps its trained weights."""
    id = entry.get("id")
    if not isinstance(id, str) or id not in _shipped():
        return entry
    shipped = dataclasses.asdict(_shipped()[id])
    unlike, say = shipped.pop("unlike"), shipped.pop("say")
    return {**shipped, "not": unlike, "say": dict(say), **entry}


def _problem(entry: Mapping[str, Any]) -> Problem:
    return Problem(
        **{key: entry[key] for key in ("id", "theme", "severity", "effort", *_TEXTS)},
        trades=tuple(entry["trades"]),
        say=tuple((language, tuple(sentences)) for language, sentences in entry["say"].items()),
        unlike=tuple(entry["not"]),
        fix=tuple(entry["fix"]),
    )


def _errors(entry: Mapping[str, Any], themes: set[str], trades: set[str]) -> list[str]:
    errors = []
    if not isinstance(entry.get("id"), str) or not _ID.fullmatch(entry["id"]):
        errors.append("'id' must be lower case letters, digits and underscores")
    if entry.get("theme") not in themes:
        errors.append(f"'theme' names {entry.get('theme')!r}, which is no theme")
    if not entry.get("trades") or not set(entry["trades"]) <= trades:
        errors.append("'trades' must list trades of the playbook")
    if entry.get("severity") not in (1, 2, 3, 4):
        errors.append("'severity' must be 1, 2, 3 or 4")
    if entry.get("effort") not in EFFORTS:
        errors.append(f"'effort' must be one of {', '.join(EFFORTS)}")
    errors += [f"{key!r} must be one line of text" for key in _TEXTS if not _is_line(entry.get(key))]
    for key, most in (("fix", 3), ("not", 4)):
        if not _are_lines(entry.get(key)) or len(entry[key]) > most:
            errors.append(f"{key!r} must list one to {most} lines of text")
    said = entry.get("say")
    if not isinstance(said, dict) or len(said.get("en", ())) < 3 or not all(map(_are_lines, said.values())):
        errors.append("'say' must list sentences per language, at least three of them English")
    unknown = set(entry) - {"id", "theme", "trades", "severity", "effort", "fix", "not", "say", *_TEXTS}
    return errors + [f"unknown key {key!r}" for key in sorted(unknown)]


def _twice(ids: Iterable[Any]) -> list[str]:
    seen: set[Any] = set()
    return [f"{id}: written twice" for id in ids if id in seen or seen.add(id)]  # type: ignore[func-returns-value]


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value.splitlines()) == 1


def _are_lines(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and bool(value) and all(map(_is_line, value))


_RECORDED = (
    "name",
    "theme",
    "severity",
    "cause",
    "customer",
    "fix",
    "measure",
    "who",
    "effort",
    "reply_say",
    "reply_avoid",
)


def record_problems(context: Context) -> None:
    """Writes changed entries to `store.problems`, in the language of advice. A reworded remedy recomputes no theme."""
    columns = ", ".join(("problem", *_RECORDED))
    sql = f"SELECT {columns} FROM store.problems WHERE fingerprint = ? ORDER BY problem"
    wanted = [
        {"problem": problem.id} | {key: getattr(problem, key) for key in _RECORDED} | {"fix": list(problem.fix)}
        for _, problem in sorted(in_language(advice_language(context), taxonomy_file(context.profile)).items())
    ]
    if context.warehouse.query(sql, [context.fingerprint]) != wanted:
        context.warehouse.execute("DELETE FROM store.problems WHERE fingerprint = ?", [context.fingerprint])
        known = {"fingerprint": context.fingerprint, "run_id": context.run_id}
        context.warehouse.append("store.problems", [row | known for row in wanted])
