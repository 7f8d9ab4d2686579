"""What a training text teaches: any subset of the reader's questions, with what is not known left out of the loss."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.text.sentences import sentence_spans
from pipeline.text.splits import split_by_hash

UNKNOWN = -1
_PARTS = {"dev": 12, "train": 88}  # hundredths
POLARITY = {name: index for index, name in enumerate(SENTIMENTS)}  # anything else ("conflict") is UNKNOWN


@dataclass(frozen=True)
class Mention:
    """A sentence speaks of at least one of `themes`; `polarity` indexes SENTIMENTS or is UNKNOWN."""

    sentence: int
    themes: tuple[str, ...]
    polarity: int = UNKNOWN


@dataclass(frozen=True)
class Target:
    """Words of a sentence (characters start to end of the text) towards which it has a sentiment."""

    start: int
    end: int
    polarity: int


@dataclass(frozen=True)
class Case:
    """A sentence is a case of at least one of `problems`, of the library; none: of no problem of `theme`. `is_one`: False: of
    none of them, and no more is known. `theme`: the one that it complains about, whose problems alone compete; "": all do.
    """

    sentence: int
    problems: tuple[str, ...]
    theme: str = ""
    is_one: bool = True


@dataclass(frozen=True)
class Example:
    """A text with its labels. None or UNKNOWN: not labelled.

    `themes`: those that the labels decide: each is absent from a sentence that no mention gives it to. `emotions`: groups of
    labels, of which at least one applies or none (`True`, `False`); `felt`: they are the writer's, else the text's.
    `stars`: those that are possible.
    """

    text: str
    language: str
    source: str
    sentences: tuple[tuple[int, int], ...] = ()
    mentions: tuple[Mention, ...] = ()
    themes: frozenset[str] = frozenset()
    wishes: frozenset[int] | None = None
    cases: tuple[Case, ...] = ()
    targets: tuple[Target, ...] = ()
    sentiment: int = UNKNOWN
    stars: tuple[int, ...] = ()
    emotions: tuple[tuple[tuple[str, ...], bool], ...] = ()
    felt: bool = False
    key: str = ""  # texts with the same key say the same
    is_reread: bool = False  # labelled anew by us
    is_taught: bool = False  # by the text with the same key: see `parallel`
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)


def spans(text: str, sentences: Sequence[str] | None = None) -> tuple[tuple[int, int], ...]:
    """Character spans of the sentences of a text: those given, found one after the other, else ours."""
    if sentences is None:
        return tuple(sentence_spans(text, clauses=False))
    found, at = [], 0
    for sentence in sentences:
        start = text.find(sentence, at)
        if start < 0:
            raise ValueError(f"a sentence is not in its text: {sentence[:60]!r}")
        at = start + len(sentence)
        found.append((start, at))
    return tuple(found)


def emotions(present: Sequence[str]) -> tuple[tuple[tuple[str, ...], bool], ...]:
    """All 28 labels, each alone: present or not."""
    return tuple(((label,), label in present) for label in EMOTIONS)


def is_held_out(text: str) -> bool:
    """Whether a text is kept from training, to develop on; by its hash."""
    return split_by_hash(hashlib.sha256(text.encode()).hexdigest(), _PARTS) == "dev"
