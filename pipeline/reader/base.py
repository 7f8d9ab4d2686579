"""The interface of text classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Classifier(Protocol):
    """Gives each label a probability."""

    model: str  # name in the warehouse
    labels: tuple[str, ...]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels)."""
        ...
