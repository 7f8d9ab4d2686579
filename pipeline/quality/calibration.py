"""Whether a model is right as often as it is confident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class Bin(TypedDict):
    """Rows of similar confidence: those from `low` to below `high`."""

    low: float
    high: float
    n: int
    confidence: float | None  # mean of the probabilities; None without rows
    accuracy: float | None  # share that was right; None without rows


def reliability(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> list[Bin]:
    """Bins of equal width over `confidence` (probabilities, shape (rows,)) and `correct` (booleans, or 0 and 1)."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "low": index / bins,
            "high": (index + 1) / bins,
            "n": int((bin_of == index).sum()),
            "confidence": float(confidence[bin_of == index].mean()) if (bin_of == index).any() else None,
            "accuracy": float(correct[bin_of == index].mean()) if (bin_of == index).any() else None,
        }
        for index in range(bins)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error, 0 to 1 (Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian
    Binning"; Guo et al. 2017): the mean distance between confidence and accuracy, weighted by rows; 0 without rows.
    """
    total = sum(item["n"] for item in bins)
    gaps = (
        item["n"] * abs(item["confidence"] - item["accuracy"])
        for item in bins
        if item["confidence"] is not None and item["accuracy"] is not None
    )
    return sum(gaps) / max(total, 1)
