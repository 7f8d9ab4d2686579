"""What identifies a person in a text: found, hidden behind a placeholder such as [e-mail], and put back.

Patterned kinds are found in every language; names where words around them say that they are names (`names.toml`). A name
that merely stands in a sentence is not found: docs/privacy.md says what that means.
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.text.private import names, numbers

VERSION = 1  # of what is found, for fingerprints of texts that were written about masked ones
KINDS = ("link", "e-mail", "iban", "card", "id", "phone", "ip", "name")  # where two overlap, the earlier counts

_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_NAME = 6  # words, as above
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})(?: \d{{1,4}})?\]", re.IGNORECASE)
_AT, _DOT = r"(?:[@\uff20]|\s?[\[(]\s?at\s?[\])]\s?)", r"(?:\.|\s?[\[(]\s?dot\s?[\])]\s?)"
_EMAIL = re.compile(
    rf"(?<![\w.+%-])\w[\w.+%'-]{{0,63}}{_AT}(?:[^\W_][\w-]{{0,62}}{_DOT}){{1,4}}[^\W\d_]{{2,24}}(?![\w-])",
    re.IGNORECASE,
)
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s\\<>\"'“”，。、]{3,2000}", re.IGNORECASE)
_BARE_LINK = re.compile(
    r"(?<![\w./@-])(?:[a-z0-9-]{1,63}\.){1,3}[a-z]{2,6}/[^\s\\<>\"'“”，。、]{1,2000}", re.IGNORECASE
)
# A link names a person by a login, by what follows ?, by a profile, or by a key: a long mixture of letters and digits.
_OF_A_PERSON = re.compile(
    r"//[^/\s]{1,200}@|[?&#][\w.%-]{1,60}=|/(?:in|u|user|users|profile|profiles|people|contributor|contrib|members?|t|id)/"
    r"|/@|/~|(?<![\w-])(?:facebook|instagram|linkedin|twitter|x|tiktok|t|wa|vk|threads)\.(?:com|net|me|org)/\w"
    r"|/(?=\w{0,40}\d)(?=\w{0,40}[a-z])\w{16,200}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Found:
    """A private value: text[start:end]."""

    start: int
    end: int
    kind: str  # of KINDS


def find(text: str) -> list[Found]:
    """The private values in a text, in order, none overlapping another."""
    taken, found = bytearray(len(text)), []
    for one in sorted(_all(text), key=lambda one: (KINDS.index(one.kind), one.start, -one.end)):
        if not any(taken[one.start : one.end]):
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _all(text: str) -> Iterator[Found]:
    if "@" in text or "\uff20" in text or "at" in text:
        yield from (Found(*match.span(), "e-mail") for match in _EMAIL.finditer(text))
    if "/" in text or "www." in text:
        yield from _links(text)
    yield from (Found(*span) for span in numbers.find(text))
    yield from (Found(*span, "name") for span in names.find(text))


def _links(text: str) -> Iterator[Found]:
    for pattern in (_LINK, _BARE_LINK):
        for match in pattern.finditer(text):
            address = match[0].rstrip(".,;:!?)]}")
            if _OF_A_PERSON.search(address):
                yield Found(match.start(), match.start() + len(address), "link")


class Mask:
    """Placeholders for the private values of some texts that belong together, such as a review and what was written about it.

    The same value has the same placeholder in all of them, another value another one: [name], [name 2]. A placeholder that a
    text itself holds is not used.
    """

    def __init__(self, *texts: str | None) -> None:
        self.counts: Counter[str] = Counter()  # kind -> values, each once
        self._placeholders: dict[str, str] = {}  # value, in small letters -> its placeholder
        self._values: dict[str, str] = {}  # placeholder -> the value as it was first written
        self._parts: set[str] = set()  # words of names, in small letters
        self._skipped: Counter[str] = Counter()  # kind -> numbers that were not used
        self._written: set[str] = set()  # what looks like a placeholder in a text
        for text in filter(None, texts):
            self._learn(text)

    def _learn(self, text: str) -> list[Found]:
        self._written |= {match[0].lower() for match in _PLACEHOLDER.finditer(text)}
        found = find(text)
        for one in found:
            value = text[one.start : one.end]
            self._placeholder(value, one.kind)
            if one.kind == "name":
                self._parts |= {word.lower() for word in _WORD.findall(value) if len(word) > 2}
        return found

    def _placeholder(self, value: str, kind: str) -> str:
        known = self._placeholders.get(value.lower())
        while known is None:
            self.counts[kind] += 1
            number = self.counts[kind] + self._skipped[kind]
            placeholder = f"[{kind}]" if number == 1 else f"[{kind} {number}]"
            if placeholder in self._written:
                self.counts[kind] -= 1
                self._skipped[kind] += 1
                continue
            known = self._placeholders[value.lower()] = placeholder
            self._values[placeholder] = value
        return known

    def stand_in(self, value: str, kind: str) -> str:
        """The placeholder for a value that is private as a whole."""
        return self._placeholder(value, kind)

    def hide(self, text: str) -> str:
        """The text with placeholders, also for names that only the other texts show to be names."""
        found = self._learn(text)
        pieces, at = list[str](), 0
        for one in sorted([*found, *self._repeated(text, found)], key=lambda one: one.start):
            pieces += [text[at : one.start], self._placeholder(text[one.start : one.end], one.kind)]
            at = one.end
        return "".join([*pieces, text[at:]])

    def _repeated(self, text: str, found: Iterable[Found]) -> Iterator[Found]:
        """Where names stand again, or words of them, without the words that gave them away; with a capital, as "will" is no
        Will.
        """
        if not self._parts:
            return
        free_from, taken = 0, sorted((one.start, one.end) for one in found)
        words = [match.span() for match in _WORD.finditer(text) if match[0][0].isupper()]
        for place, (start, _) in enumerate(words):
            for _, end in reversed(words[place : place + _LONGEST_NAME]):
                value = text[start:end].lower()
                known = value in self._parts or self._placeholders.get(value, "").startswith("[name")
                if known and start >= free_from and not _overlaps(taken, start, end):
                    yield Found(start, end, "name")
                    free_from = end
                    break

    def restore(self, text: str) -> str:
        """A text about masked ones, with the values in place of their placeholders."""
        return _PLACEHOLDER.sub(lambda match: self._values.get(match[0].lower(), match[0]), text)


def _overlaps(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether a span lies upon one of these, which are sorted and apart."""
    at = bisect.bisect_left(taken, (end, 0))
    return at > 0 and taken[at - 1][1] > start


def masked(text: str) -> str:
    """A text with placeholders for what identifies a person in it."""
    return Mask().hide(text)


def counted(masks: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Kind -> values in all, of KINDS in order, without zeros."""
    total: Counter[str] = Counter()
    for counts in masks:
        total.update(counts)
    return {kind: total[kind] for kind in KINDS if total[kind]}
