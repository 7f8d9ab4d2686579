"""The interface of text classifiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np


class Classifier(Protocol):
    """Gives each label a probability."""

    model: str  # name in the warehouse
    labels: tuple[str, ...]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels); a row of nan where the model is not sure enough."""
        ...


@dataclass(frozen=True)
class LanguageClassifier:
    """A classifier for reviews in certain languages, loaded on first use."""

    load: Callable[[], Classifier]  # returns the same object at every call
    languages: tuple[str, ...] = ()  # ISO 639-1; empty: every language
    folder: Path | None = None  # holds the sketches of its training texts; None: training texts unknown
