"""The types: a row as it was read, an example as it is learned from, and a whole data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from pipeline.core.labels import EMOTIONS, SENTIMENTS

Task = Literal["sentiment", "emotions"]
CLASSES: dict[str, tuple[str, ...]] = {"sentiment": SENTIMENTS, "emotions": EMOTIONS}
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a source; numbers if it has no header."""

    text: str = "text"  # or a+b
    label: str = "label"
    language: str = ""  # empty: a column of that name if there is one, else the folder's, else detected


class RawRow(NamedTuple):
    """A row as the source has it, before anything is mapped."""

    text: str
    label: str
    language: str  # ISO 639-1, or "" if the source does not say


class MappedRow(NamedTuple):
    """A row with its label mapped to classes."""

    text: str
    classes: tuple[str, ...]
    language: str
    source: str


@dataclass(frozen=True)
class Example:
    """A cleaned row to train or test on."""

    text: str
    classes: tuple[int, ...]  # indices; exactly one for sentiment
    language: str  # ISO 639-1, or "unknown"
    source: str


@dataclass(frozen=True)
class Labelled:
    """A cleaned data set, and what became of the other rows: rows = len(examples) + sum(dropped.values())."""

    task: Task
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    rows: int
    dropped: dict[str, int]
    content: str  # sha256 of the examples, part of a training's key


def targets(examples: Sequence[Example], data: Labelled) -> np.ndarray:
    """The true classes as `figures.quality` takes them: class indices of shape (examples,) for sentiment, 0 or 1 of shape
    (examples, classes) for emotions.
    """
    if data.task == "sentiment":
        return np.array([example.classes[0] for example in examples], dtype=int)
    truth = np.zeros((len(examples), len(data.classes)), dtype=int)
    for row, example in enumerate(examples):
        truth[row, list(example.classes)] = 1
    return truth
