"""What other rooms know of the reader: the interface of text classifiers, how a stored vector is read, and pairs to judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_BEFORE, _AFTER = 150, 100  # characters of a pair's context


def vector_of(stored: bytes) -> np.ndarray:
    """The vector of a reading or a sentence as it is stored, (width,), float32, unit length."""
    return np.frombuffer(stored, np.float16).astype(np.float32)


@dataclass(frozen=True)
class Pair:
    """A statement, a sentence that may be a case of it, and what stands around the sentence."""

    statement: str
    sentence: str
    context: str = ""


def around(text: str, start: int, end: int) -> str:
    """What stands before and after a sentence text[start:end] of a review, as the context of a pair."""
    return f"{text[max(0, start - _BEFORE) : start]} … {text[end : end + _AFTER]}"


PairJudge = Callable[[Sequence[Pair]], np.ndarray]  # the probability of each pair, (pairs,)


class Classifier(Protocol):
    """Gives each label a probability."""

    model: str  # name in the warehouse
    labels: tuple[str, ...]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels)."""
        ...
