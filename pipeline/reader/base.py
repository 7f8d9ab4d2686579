"""What other rooms know of the reader: the interface of text classifiers, and how a stored vector is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


def vector_of(stored: bytes) -> np.ndarray:
    """The vector of a reading or a sentence as it is stored, (width,), float32, unit length."""
    return np.frombuffer(stored, np.float16).astype(np.float32)


class Classifier(Protocol):
    """Gives each label a probability."""

    model: str  # name in the warehouse
    labels: tuple[str, ...]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels)."""
        ...
