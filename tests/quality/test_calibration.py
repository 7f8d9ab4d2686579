from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.calibration import calibration_error, reliability


def test_by_hand() -> None:
    confidence, correct = np.array([0.95, 0.85, 0.85, 0.2, 1.0]), np.array([True, True, False, False, True])
    bins = reliability(confidence, correct)
    assert [item["n"] for item in bins] == [0, 0, 1, 0, 0, 0, 0, 0, 2, 2], "1.0 is in the last bin"
    assert bins[0] == {"low": 0.0, "high": 0.1, "n": 0, "confidence": None, "accuracy": None}
    assert calibration_error(bins) == pytest.approx((0.2 + 2 * (0.85 - 0.5) + 2 * (1 - 0.975)) / 5)
    assert calibration_error([]) == 0


@given(st.integers(1, 300), st.integers(0, 20))
def test_it_is_the_mean_gap_weighted_by_the_share_of_rows(rows: int, seed: int) -> None:
    """As the model cards' figures were computed, over 15 bins."""
    rng = np.random.default_rng(seed)
    confidence = rng.random(rows)
    correct = rng.random(rows) < confidence**2
    at = np.minimum((confidence * 15).astype(int), 14)
    gaps = [(abs(confidence[at == b].mean() - correct[at == b].mean()), (at == b).mean()) for b in np.unique(at)]
    assert calibration_error(reliability(confidence, correct, 15)) == pytest.approx(sum(g * share for g, share in gaps))
