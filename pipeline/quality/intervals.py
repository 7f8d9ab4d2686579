"""Bootstrap confidence intervals (percentile method, Efron 1979), and the summary that every metric is stored with."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

SEED = 0
RESAMPLES = 2000
LEVEL = 0.95
MANY = (
    2_000  # values: of more, the means of resamples are as good as normally distributed, and drawing them costs minutes
)
_NORMAL = statistics.NormalDist()
_CELLS = 4_000_000  # random indices drawn at a time: 32 MB

Values = Sequence[float] | Sequence[float | None] | np.ndarray


class Summary(TypedDict):
    """Columns of `metrics`; None if not defined. `std` is the sample's (n - 1)."""

    n: int
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    median: float | None
    std: float | None
    min: float | None
    p25: float | None
    p75: float | None
    max: float | None


def bootstrap_mean(
    values: Values, seed: int = SEED, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[float | None, float | None]:
    """(low, high) of the mean's confidence interval, nan and None left out; (None, None) for fewer than two values. Of more than
    MANY values it is that of the normal distribution.
    """
    array = _known(values)
    if len(array) < 2:
        return None, None
    if len(array) > MANY:
        spread = _NORMAL.inv_cdf((1 + level) / 2) * float(array.std(ddof=1)) / len(array) ** 0.5
        return float(array.mean()) - spread, float(array.mean()) + spread
    # scipy.stats.bootstrap is as fast and draws the same resamples, but importing it costs every run a second.
    rng, n, rows = np.random.default_rng(seed), len(array), max(1, _CELLS // len(array))
    sizes = (min(rows, resamples - start) for start in range(0, resamples, rows))
    means = np.concatenate([array[rng.integers(0, n, size=(size, n))].mean(axis=1) for size in sizes])
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def paired_bootstrap(
    a: Values, b: Values, seed: int = SEED, resamples: int = RESAMPLES, level: float = LEVEL
) -> tuple[float | None, float | None, float | None]:
    """(mean of a - b, low, high), where a[i] and b[i] belong to the same row (Koehn 2004).

    An interval that excludes 0 says that one is better on rows like these. What is not defined is None: all three without
    values, the interval with one. Raises ValueError for different lengths.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"paired values need one length, not {len(first)} and {len(second)}")
    difference = _known(first - second)
    if len(difference) == 0:
        return None, None, None
    return float(difference.mean()), *bootstrap_mean(difference, seed, resamples, level)


def summary(values: Values, seed: int = SEED, resamples: int = RESAMPLES, level: float = LEVEL) -> Summary:
    """The figures of one row of `metrics`.

    nan and None mean "not known" and are left out, of n too. Without values everything but n is None; with one value, std
    and interval are.
    """
    array = _known(values)
    if len(array) == 0:
        return Summary(
            n=0, mean=None, ci_low=None, ci_high=None, median=None, std=None, min=None, p25=None, p75=None, max=None
        )
    low, high = bootstrap_mean(array, seed, resamples, level)
    minimum, p25, median, p75, maximum = (float(value) for value in np.quantile(array, (0, 0.25, 0.5, 0.75, 1)))
    return {
        "n": len(array),
        "mean": float(array.mean()),
        "ci_low": low,
        "ci_high": high,
        "median": median,
        "std": float(array.std(ddof=1)) if len(array) > 1 else None,
        "min": minimum,
        "p25": p25,
        "p75": p75,
        "max": maximum,
    }


def tally(counts: Mapping[float, int], seed: int = SEED, resamples: int = RESAMPLES, level: float = LEVEL) -> Summary:
    """Like `summary`, of values that are given with how often each occurs: millions of reviews have few different stars."""
    n = sum(counts.values())
    if n <= MANY:
        return summary([value for value in sorted(counts) for _ in range(counts[value])], seed, resamples, level)
    values = np.array(sorted(counts), dtype=np.float64)
    weights = np.array([counts[value] for value in values])
    mean = float(values @ weights / n)
    std = float((weights @ (values - mean) ** 2 / (n - 1)) ** 0.5)
    spread = _NORMAL.inv_cdf((1 + level) / 2) * std / n**0.5
    places = np.array((0, 0.25, 0.5, 0.75, 1)) * (n - 1)
    below, above = (
        values[np.searchsorted(np.cumsum(weights), at, side="right")] for at in (np.floor(places), np.ceil(places))
    )
    minimum, p25, median, p75, maximum = (below + (above - below) * (places % 1)).tolist()
    return {
        "n": n,
        "mean": mean,
        "ci_low": mean - spread,
        "ci_high": mean + spread,
        "median": median,
        "std": std,
        "min": minimum,
        "p25": p25,
        "p75": p75,
        "max": maximum,
    }


def _known(values: Values) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]
