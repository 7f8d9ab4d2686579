"""Whether models that judged the same rows differ by more than chance: all pairs, over all rows and language by language.

How far apart two are is the difference in accuracy with a paired bootstrap interval (Koehn 2004). Whether that is chance is
asked of the rows on which one is right and the other wrong, by McNemar's exact test (McNemar 1947; Dietterich 1998), and
corrected for the number of questions asked (Holm 1979).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from pipeline.quality import intervals

LEVEL = 0.05  # of the corrected p below which two models are said to differ
MIN_ROWS = 20  # that a language needs to be asked about
ALL = ""  # in place of a language: over all rows


class Pair(TypedDict):
    """Two models on the same rows. `a_only`, `b_only`: rows that only this one gets right; `difference`: of accuracy, a - b,
    with its 95 % interval; `p`: of McNemar's test; `corrected`: the same among all pairs of a comparison.
    """

    language: str
    a: str
    b: str
    n: int
    a_only: int
    b_only: int
    difference: float
    low: float | None
    high: float | None
    p: float
    corrected: float
    differ: bool


def pairs(correct: Mapping[str, np.ndarray], languages: Sequence[str]) -> list[Pair]:
    """Every pair of models, over all rows and then for each language with MIN_ROWS.

    `correct`: model -> whether it is right, booleans of shape (rows,), the same rows for all. The questions about all rows are
    corrected among themselves, and so are those about languages.
    """
    names = np.asarray(languages)
    groups = {ALL: np.ones(len(names), dtype=bool)}
    of_languages = {name: names == name for name in sorted(set(languages))}
    if len(of_languages) > 1:
        groups |= {name: at for name, at in of_languages.items() if at.sum() >= MIN_ROWS}
    found = [
        _pair(language, a, b, correct[a][at], correct[b][at])
        for language, at in groups.items()
        for a, b in itertools.combinations(correct, 2)
    ]
    overall = [pair for pair in found if pair["language"] == ALL]
    return _corrected(overall) + _corrected([pair for pair in found if pair["language"] != ALL])


def _pair(language: str, a: str, b: str, right_a: np.ndarray, right_b: np.ndarray) -> Pair:
    a_only, b_only = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    difference, low, high = intervals.paired_bootstrap(right_a.astype(float), right_b.astype(float))
    p = mcnemar(a_only, b_only)
    return Pair(
        language=language,
        a=a,
        b=b,
        n=len(right_a),
        a_only=a_only,
        b_only=b_only,
        difference=difference or 0.0,
        low=low,
        high=high,
        p=p,
        corrected=p,
        differ=False,
    )


def mcnemar(a_only: int, b_only: int) -> float:
    """The exact, two-sided p of McNemar's test: that of as uneven a split of the rows on which the models disagree."""
    from scipy.stats import binomtest

    return float(binomtest(a_only, a_only + b_only).pvalue) if a_only + b_only else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected for their number (Holm 1979), in the order given."""
    corrected, highest = [0.0] * len(values), 0.0
    for rank, at in enumerate(sorted(range(len(values)), key=lambda at: values[at])):
        highest = max(highest, min((len(values) - rank) * values[at], 1.0))
        corrected[at] = highest
    return corrected


def _corrected(found: list[Pair]) -> list[Pair]:
    for pair, value in zip(found, holm([pair["p"] for pair in found]), strict=True):
        pair["corrected"], pair["differ"] = value, value < LEVEL
    return found


def sentence(pair: Pair) -> str:
    """A pair in words."""
    first, second = (pair["a"], pair["b"]) if pair["difference"] >= 0 else (pair["b"], pair["a"])
    points = f"{100 * abs(pair['difference']):.1f} points of accuracy"
    if pair["differ"]:
        return f"{first} is better than {second}, by {points}"
    return f"{first} and {second} do not clearly differ ({points})"
