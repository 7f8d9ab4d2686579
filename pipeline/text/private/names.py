"""Names of people, where the words around them say that they are: titles, introductions, greetings and signatures.

The words are in `names.toml`. A name that stands alone in a sentence cannot be told from a place or a product.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.text.script import CJK, HAN, HANGUL

MOST = 2  # words of a name, besides initials
_MARKS = "\u0300-\u036f\u0900-\u0dff"  # accents of their own, vowel signs
_UNSPACED = f"{CJK}{HANGUL}\u0e00-\u0eff"  # scripts in which a word does not end at a blank
_WORD = re.compile(
    rf"[ \t]{{0,2}}((?![{_UNSPACED}])[^\W\d_](?:(?![{_UNSPACED}])(?:[^\W\d_]|[{_MARKS}])|['’-](?=[^\W\d_])){{0,30}}\.?)"
)
_KATAKANA = "\u30a1-\u30fa\u30fc"


@dataclass(frozen=True)
class _Words:
    before: re.Pattern[str]  # a name follows
    after: re.Pattern[str]  # a name stands before: the groups are names
    closings: re.Pattern[str]  # a name follows and ends the line
    particles: frozenset[str]  # within a name: van, de
    never: frozenset[str]  # words with a capital that are no name


@functools.cache
def _words() -> _Words:
    data = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
    return _Words(
        before=_before(data),
        after=_after(data),
        closings=re.compile(rf"(?<!\w)(?:{_any(data['closings'])})\s{{0,3}}[,.!:-]{{0,3}}\s{{0,4}}", re.IGNORECASE),
        particles=frozenset(data["particles"]),
        never=frozenset(data["never"]),
    )


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"\s{1,3}") for word in sorted(words, key=lambda w: (-len(w), w)))


def _before(data: dict[str, Any]) -> re.Pattern[str]:
    roles, people = _any(data["roles"]), _any(data["people"])
    return re.compile(
        rf"(?<![\w'’-])(?:(?:(?:(?:{_any(data['abbreviated'])})(?:\.[ \t]{{0,2}}|[ \t]{{1,2}})|(?:{_any(data['titles'])})[ \t]{{1,2}}){{1,3}})"
        rf"|(?i:{_any(data['introductions'])})\s{{0,2}}:?\s{{1,2}}"
        rf"|(?i:{_any(data['done_by'])})\s{{1,2}}(?:(?:the|our|a|an)\s{{1,2}})?(?:(?:{roles}),?\s{{1,2}})?"
        rf"|(?i:{roles}|{people}),?\s{{1,2}}(?i:{_any(data['called'])})\s{{1,2}}"
        rf"|(?:{roles}),?\s{{1,2}}(?=[^\W\d_a-z])"
        rf"|(?P<greeting>(?:{_any(data['greetings'])})[ ]{{1,2}}))"
    )


def _after(data: dict[str, Any]) -> re.Pattern[str]:
    honorifics, given = _any(data["turkish_honorifics"]), _any(data["not_katakana"])
    return re.compile(
        rf"(?:(?<![感多谢謝])|(?![谢謝]))((?:{_any(data['chinese_surnames'])})(?:(?![{data['not_in_chinese_names']}])[{HAN}]){{0,2}}?)"
        rf"(?:{_any(data['chinese_honorifics'])})"
        rf"|((?:{_any(data['japanese_surnames'])})[{HAN}]{{0,2}}?) ?(?:{_any(data['japanese_honorifics'])})"
        rf"|(?<![{_KATAKANA}])(?!(?:{given})(?![{_KATAKANA}]))([{_KATAKANA}]{{2,10}})(?:さん|様|さま|氏)"
        rf"|(?<![가-힣])([{data['korean_surnames']}][가-힣]{{2}}) ?씨(?![가-힣]{{3}})"
        rf"|(?<!\w)([^\W\d_a-z][^\W\d_]{{1,20}})[ ](?:{honorifics})(?!\w)"
    )


def find(text: str) -> Iterator[tuple[int, int]]:
    """The spans of names in a text, without titles; they may overlap."""
    words = _words()
    for match in words.before.finditer(text):
        most = 1 if match[0].isupper() else MOST
        span = _name(text, match.end(), most, words)
        if span and match["greeting"] and not _is_addressed(text, *span):
            continue
        if span:
            yield span
    for match in words.after.finditer(text):
        group = match.lastindex or 0
        if match[group].lower() not in words.never:
            yield match.span(group)
    for match in words.closings.finditer(text):
        span = _name(text, match.end(), MOST, words)
        if span and re.match(r"[ \t.!,]{0,3}(?:\n|$)", text[span[1] : span[1] + 5]):
            yield span


def _name(text: str, at: int, most: int, words: _Words) -> tuple[int, int] | None:
    """The span of up to `most` words of a name that begins at `at`. In scripts without capitals one word."""
    start = end = None
    count = 0
    while count < most and (match := _WORD.match(text, at)):
        word = match[1]
        if start is not None and word in words.particles and _capital_follows(text, match.end(), words):
            at = match.end()
            continue
        initial = len(word) == 2 and word[1] == "." and word[0].isupper()
        bare = word if initial else word.rstrip(".")
        if not _is_name(bare, words) or (len(bare) == 1 and not initial):
            break
        start = match.start(1) if start is None else start
        at = end = match.start(1) + len(bare)
        count += not initial
        if (word != bare and not initial) or not bare[0].isupper():
            break
    if start is None or end is None or (end - start) < 2:
        return None
    return start, end


def _is_addressed(text: str, start: int, end: int) -> bool:
    """Whether a comma follows a name, as in a letter. Companies are addressed too: often all in capitals."""
    return not text[start:end].isupper() and bool(re.match(r"[ \t]{0,2}[,!\n]", text[end : end + 3]))


def _capital_follows(text: str, at: int, words: _Words) -> bool:
    """Whether a word with a capital stands there, after further particles."""
    while (match := _WORD.match(text, at)) and match[1] in words.particles:
        at = match.end()
    return bool(match and match[1][0].isupper())


def _is_name(word: str, words: _Words) -> bool:
    if word.lower() in words.never or word.lower().removesuffix("'s").removesuffix("’s") in words.never:
        return False
    return word[0].isupper() or word[0].lower() == word[0].upper()  # a script without capitals
