"""Labelled rows: the types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.core.labels import EMOTIONS, SENTIMENTS

Task = Literal["sentiment", "emotions"]
CLASSES: dict[str, tuple[str, ...]] = {"sentiment": SENTIMENTS, "emotions": EMOTIONS}
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Example:
    text: str
    classes: tuple[int, ...]  # indices; exactly one for sentiment
    language: str  # ISO 639-1, or "unknown"
    source: str


@dataclass(frozen=True)
class Labelled:
    """Cleaned examples and what became of the rest: rows = len(examples) + sum(dropped.values())."""

    task: Task
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    rows: int
    dropped: dict[str, int]
    content: str  # sha256 of the examples, what a training depends on


@dataclass(frozen=True)
class Columns:
    text: str = "text"  # or a+b
    label: str = "label"
    language: str = ""  # empty: a column of that name where there is one, else the folder's, else detected
