"""What a classifier of texts is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np


class Classifier(Protocol):
    """What gives each label of a text a probability."""

    model: str  # its name in the warehouse
    labels: tuple[str, ...]

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, labels)."""
        ...


@dataclass(frozen=True)
class LanguageClassifier:
    """A classifier of reviews in certain languages, loaded when it is first needed."""

    load: Callable[[], Classifier]  # the same one at every call
    languages: tuple[str, ...] = ()  # ISO 639-1; empty: every language
    home: Path | None = None  # the folder that says what it was trained on; None: nobody knows
