"""Which aspects a text mentions, and in which clause. Pure functions on text; no model is loaded."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.text.script import CJK, starts_with_cjk
from pipeline.text.sentences import sentence_spans
from pipeline.text.words import WORD, lower, words
from pipeline.themes.taxonomy import Aspect


@dataclass(frozen=True)
class Mention:
    """A clause text[start:end] that mentions an aspect."""

    aspect_id: str
    start: int
    end: int
    term: str  # the first that matched, as in the playbook
    surface: str  # and as in the text


_LONGEST_UNSPACED = 12  # characters of a Chinese or Japanese term
_is_cjk = re.compile(f"\\w*[{CJK}]").match  # a term may begin with digits ("2小时")
_JOINER = re.compile(r"[\s\-–'’./&]{1,3}")  # between the words of a phrase


@dataclass(frozen=True)
class _Term:
    aspect_id: str
    term: str
    words: tuple[str, ...]
    open: bool  # ends in *: the last word is a prefix


@dataclass(frozen=True)
class _Index:
    """Terms by the words that they are looked up by; Chinese and Japanese ones (`unspaced`) by all their characters."""

    phrases: dict[tuple[str, str], list[_Term]]  # by their first two words, longest first
    words: dict[str, list[_Term]]  # by their first word: single words, and phrases whose second word is open
    stems: dict[str, _Term]  # open single words
    unspaced: dict[str, _Term]


def find_mentions(text: str, language: str | None, aspects: tuple[Aspect, ...]) -> list[Mention]:
    """Every clause that mentions an aspect, in order of the text; one Mention per clause and aspect.

    Terms of the language and of English count; those of all languages if it is None or not in the playbook. Of
    overlapping terms the one that begins first, and then the longest, counts ("room service" is not a room).
    """
    index = _index(aspects, (language or "")[:2].lower())
    lowered = lower(text)
    mentions: dict[tuple[int, str], Mention] = {}
    for start, end in sentence_spans(text):
        for term, at, to in _terms_in(lowered, start, end, index):
            mention = Mention(term.aspect_id, start, end, term.term, text[at:to])
            mentions.setdefault((start, term.aspect_id), mention)
    return list(mentions.values())


def _terms_in(text: str, start: int, end: int, index: _Index) -> Iterator[tuple[_Term, int, int]]:
    """Each term with its start and end in the text."""
    runs = list(WORD.finditer(text, start, end))
    words = [run[0] for run in runs]
    at = 0
    while at < len(runs):
        if starts_with_cjk(words[at]):
            # A term such as "2小时" begins in the digits before the run.
            after_digits = at > 0 and words[at - 1].isdigit() and runs[at - 1].end() == runs[at].start()
            run_start = runs[at - after_digits].start()
            for term, offset in _unspaced_in(text[run_start : runs[at].end()], index.unspaced):
                yield term, run_start + offset, run_start + offset + len("".join(term.words))
            at += 1
            continue
        match = _phrase_at(text, runs, words, at, index) or _stem_of(words[at], index.stems)
        if match:
            yield match, runs[at].start(), runs[at + len(match.words) - 1].end()
        at += len(match.words) if match else 1


def _phrase_at(text: str, runs: list[re.Match[str]], words: list[str], at: int, index: _Index) -> _Term | None:
    candidates = index.words.get(words[at], [])
    if at + 1 < len(words):
        candidates = index.phrases.get((words[at], words[at + 1]), []) + candidates
    for term in candidates:
        last = at + len(term.words) - 1
        if (
            last < len(words)
            and (words[last].startswith(term.words[-1]) if term.open else words[last] == term.words[-1])
            and all(words[i] == term.words[i - at] for i in range(at, last))
            and all(_JOINER.fullmatch(text, runs[i].end(), runs[i + 1].start()) for i in range(at, last))
        ):
            return term
    return None


def _stem_of(word: str, stems: Mapping[str, _Term]) -> _Term | None:
    for size in range(len(word), 1, -1):
        if word[:size] in stems:
            return stems[word[:size]]
    return None


def _unspaced_in(run: str, terms: Mapping[str, _Term]) -> Iterator[tuple[_Term, int]]:
    """Terms and their offsets. Without spaces between words, any position may begin a term."""
    at = 0
    while at < len(run):
        size = next((size for size in range(_LONGEST_UNSPACED, 0, -1) if run[at : at + size] in terms), 0)
        if size:
            yield terms[run[at : at + size]], at
        at += size or 1


@functools.lru_cache(maxsize=64)
def _index(aspects: tuple[Aspect, ...], language: str) -> _Index:
    known = {code for aspect in aspects for code, _ in aspect.terms}
    chosen = {language, "en"} if language in known else known
    listed = [
        (code, aspect.id, term)
        for aspect in aspects
        for code, terms in aspect.terms
        for term in terms
        if code in chosen
    ]
    index = _Index({}, {}, {}, {})
    # The language's own terms come first, so they win over identical English ones.
    for _, aspect_id, written in sorted(listed, key=lambda item: item[0] != language):
        parts = words(written)
        term = _Term(aspect_id, written, parts, written.endswith("*"))
        if _is_cjk(written):
            index.unspaced.setdefault("".join(parts), term)
        elif term.open and len(parts) == 1:
            index.stems.setdefault(parts[0], term)
        elif len(parts) == 1 or (term.open and len(parts) == 2):
            index.words.setdefault(parts[0], []).append(term)
        else:
            index.phrases.setdefault((parts[0], parts[1]), []).append(term)
    for terms in [*index.phrases.values(), *index.words.values()]:
        terms.sort(key=lambda term: (-len(term.words), term.open, -len(term.words[-1])))
    return index
