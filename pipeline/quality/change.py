"""Has a figure moved by more than chance allows? For means (paired or not), shares, macro-F1 and distributions.

Every function returns the figure before and after, and the noise: chance alone moves it further in one direction with
probability `alpha` at most. Student's t for means (Student 1908; Welch 1947 for two samples), a bootstrap for macro-F1,
and for the population stability index the distribution of Yurdakul (2018), n m / (n + m) * PSI ~ chi-square.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist

import numpy as np

RESAMPLES = 500
SEED = 0


@dataclass(frozen=True)
class Change:
    """A figure before and after; `noise` bounds how far chance moves `after - before` in one direction."""

    before: float
    after: float
    noise: float
    n_before: int  # rows
    n: int  # rows after
    paired: bool

    @property
    def moved(self) -> float:
        return self.after - self.before


def mean(before: Mapping[str, float], after: Mapping[str, float], alpha: float) -> Change:
    """Change of a mean, from values keyed by row: paired if at least half of the smaller side's rows are on both sides.

    Neither may be empty. With one row (or one pair) nothing is known about chance, and the noise is infinite.
    """
    shared = sorted(before.keys() & after.keys())
    if 2 * len(shared) >= min(len(before), len(after)):
        first, second = (np.array([side[key] for key in shared]) for side in (before, after))
        n = len(shared)
        error = float((second - first).std(ddof=1) / sqrt(n)) if n > 1 else float("inf")
        freedom = float(max(n - 1, 1))
        return Change(float(first.mean()), float(second.mean()), _noise(error, freedom, alpha), n, n, True)
    first, second = (np.array(list(side.values()), dtype=np.float64) for side in (before, after))
    if min(len(first), len(second)) < 2:
        error, freedom = float("inf"), 1.0
    else:
        parts = [side.var(ddof=1) / len(side) for side in (first, second)]
        error = sqrt(sum(parts))
        weights = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (first, second), strict=True))
        freedom = error**4 / weights if weights else 1.0
    return Change(
        float(first.mean()), float(second.mean()), _noise(error, freedom, alpha), len(first), len(second), False
    )


def _noise(error: float, freedom: float, alpha: float) -> float:
    """A standard error times Student's t."""
    from scipy import special

    return float(error * special.stdtrit(freedom, 1 - alpha)) if 0 < error < float("inf") else error


def share(before: tuple[int, int], after: tuple[int, int], alpha: float) -> Change:
    """Change of a share, given as (how many, of how many); neither may be of none. The error is that of the pooled share,
    with one hit and one miss added, so that a first failure after none does not raise an alarm.
    """
    (k, n), (k_after, n_after) = before, after
    pooled = (k + k_after + 1) / (n + n_after + 2)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_after))
    return Change(k / n, k_after / n_after, NormalDist().inv_cdf(1 - alpha) * error, n, n_after, False)


Labels = Mapping[str, tuple[str, str]]  # review_id -> (truth, guess)


def macro_f1(before: Labels, after: Labels, alpha: float) -> Change:
    """Change of a classifier's macro-F1; paired as in `mean`. Neither may be empty."""
    shared = sorted(before.keys() & after.keys())
    paired = 2 * len(shared) >= min(len(before), len(after))
    rng = np.random.default_rng(SEED)
    if paired:
        first, second = _bootstrap_f1([[side[key] for key in shared] for side in (before, after)], rng)
    else:
        (first,), (second,) = (_bootstrap_f1([list(side.values())], rng) for side in (before, after))
    noise = _noise(float((second[1:] - first[1:]).std(ddof=1)), max(min(len(before), len(after)) - 1.0, 1.0), alpha)
    sizes = (len(shared), len(shared)) if paired else (len(before), len(after))
    return Change(float(first[0]), float(second[0]), noise, *sizes, paired)


def _bootstrap_f1(sides: Sequence[Sequence[tuple[str, str]]], rng: np.random.Generator) -> list[np.ndarray]:
    """Per side its macro-F1, followed by that of RESAMPLES resamples of the rows, the same rows for every side."""
    return [np.nanmean(values, axis=1) for values in bootstrap_f1(sides, rng)[1]]


def bootstrap_f1(
    sides: Sequence[Sequence[tuple[str, str]]], rng: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[list[str], list[np.ndarray]]:
    """(classes, per side the F1 of each of them) from (truth, guess) of the same rows: shape (1 + resamples, classes), first of
    the rows as they are, then of resamples of them, the same for every side; nan where a class does not occur. There must be rows.
    """
    rows = list(zip(*sides, strict=True))
    kinds = sorted(set(rows))  # few, so that a resample is a count of each kind
    counts = Counter(rows)
    times = np.array([counts[kind] for kind in kinds])
    drawn = np.vstack([times, rng.multinomial(len(rows), times / len(rows), size=resamples)])
    names = sorted({name for kind in kinds for pair in kind for name in pair})
    result = []
    for side in range(len(sides)):
        values = np.full((len(drawn), len(names)), np.nan)
        for column, name in enumerate(names):
            truth = np.array([kind[side][0] == name for kind in kinds])
            guess = np.array([kind[side][1] == name for kind in kinds])
            named = drawn @ truth + drawn @ guess
            np.divide(2 * (drawn @ (truth & guess)), named, out=values[:, column], where=named > 0)
        result.append(values)
    return names, result


def stability(before: Mapping[str, int], after: Mapping[str, int], alpha: float) -> Change:
    """Population stability index between two counts per category; in the result `before` is 0 and `after` the index.

    Half a row is added to every category, so that a new one does not make the index infinite. By convention, below 0.1
    means no change and above 0.25 a large one.
    """
    from scipy import special

    names = sorted(before.keys() | after.keys())
    n, m = (sum(side.values()) + len(names) / 2 for side in (before, after))
    index = 0.0
    for name in names:
        p, q = (before.get(name, 0) + 0.5) / n, (after.get(name, 0) + 0.5) / m
        index += (q - p) * log(q / p)
    noise = float(special.chdtri(len(names) - 1, alpha)) * (1 / n + 1 / m) if len(names) > 1 else 0.0
    return Change(0.0, index, noise, sum(before.values()), sum(after.values()), False)
