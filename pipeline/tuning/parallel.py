"""Parallel rows, the same text in several languages: they show a model's own shift per language directly, without labels.

A row's value is taken as its text's plus its language's. The languages' parts, which sum to 0, are found by least squares
(two-way fixed effects), so a language is compared only with others on the same texts, and none has to be the yardstick:
English would be one with errors of its own, in which the texts of most parallel sets were written besides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.quality import intervals
from pipeline.reader import calibration

FEWEST = 50  # texts that a language must share with others, in each half
RESAMPLES = 1000
_ROUNDS = 200  # of Sinkhorn's scaling; it is exact to six digits long before
_TINY = 1e-6
_NOUGHT = (
    1e-9  # relative; the sum of all languages' parts is left open by the equations, and rounding must not decide it
)


@dataclass(frozen=True)
class Shifts:
    """Each language's part of the values, shape (languages, values), and of as many resamples of the texts."""

    languages: tuple[str, ...]
    n: np.ndarray  # texts of each language
    mean: np.ndarray
    drawn: np.ndarray  # (RESAMPLES, languages, values)

    def interval(self, value: int) -> tuple[np.ndarray, np.ndarray]:
        """(low, high) of one of the values, 95 %, each of shape (languages,)."""
        low, high = np.quantile(self.drawn[:, :, value], (0.025, 0.975), axis=0)
        return low, high


def halves(texts: Sequence[str]) -> np.ndarray:
    """Whether each row's text, in all its languages, is for fitting; the others are to test. By a hash of its name."""
    return np.array([hashlib.sha256(text.encode()).digest()[0] % 2 == 0 for text in texts], dtype=bool)


def comparable(texts: Sequence[str], languages: Sequence[str]) -> np.ndarray:
    """Which rows can be compared, a mask: their text is there in another language too, and their language has FEWEST such texts
    in each half. Raises InputError if there are none.
    """
    ids, row = np.unique(texts, return_inverse=True)
    names, column = np.unique(languages, return_inverse=True)
    side = halves(texts).astype(int)
    shared = np.bincount(row)[row] > 1
    often = np.zeros((2, len(names)))
    np.add.at(often, (side[shared], column[shared]), 1)
    kept = shared & (often.min(0) >= FEWEST)[column]
    kept &= np.bincount(row[kept], minlength=len(ids))[row] > 1  # alone now, without the rare languages
    if not kept.any():
        raise InputError(
            f"No two languages have some {2 * FEWEST} texts in common that the model reads. Add data, or mend --parallel."
        )
    return np.asarray(kept)


def shifts(values: np.ndarray, texts: Sequence[str], languages: Sequence[str]) -> Shifts:
    """How much higher each language's values lie than the mean of the languages on the same texts. `values`: shape (rows,
    values); `texts`: which text a row is. The 95 % intervals are of a bootstrap over texts, with all their languages.

    Raises InputError if some languages share no text with the others.
    """
    names, column = np.unique(languages, return_inverse=True)
    ids, row = np.unique(texts, return_inverse=True)
    there = np.zeros((len(ids), len(names)))
    there[row, column] = 1
    spread = np.zeros((len(ids), len(names), values.shape[1]))
    spread[row, column] = values
    many = there.sum(1)
    centred = there[:, :, None] * (spread - (spread.sum(1) / many[:, None])[:, None])
    design = -there[:, :, None] * there[:, None, :] / many[:, None, None]
    design[:, range(len(names)), range(len(names))] += there

    def solved(weights: np.ndarray) -> np.ndarray:
        left = (weights @ design.reshape(len(ids), -1)).reshape(-1, len(names), len(names))
        right = (weights @ centred.reshape(len(ids), -1)).reshape(-1, len(names), values.shape[1])
        return np.asarray(np.linalg.pinv(left, rcond=_NOUGHT, hermitian=True) @ right)

    if np.linalg.matrix_rank(design.sum(0), tol=_NOUGHT * len(ids), hermitian=True) < len(names) - 1:
        raise InputError("Some languages share no text with the others, so they cannot be compared. Leave them out.")
    resampled = np.random.default_rng(intervals.SEED).multinomial(
        len(ids), np.full(len(ids), 1 / len(ids)), size=RESAMPLES
    )
    return Shifts(
        tuple(map(str, names)), there.sum(0).astype(int), solved(np.ones((1, len(ids))))[0], solved(resampled * 1.0)
    )


def measured(probabilities: np.ndarray) -> np.ndarray:
    """What shifts are measured of, shape (rows, 5): the score, whether a row is judged negative, the three probabilities."""
    score = probabilities[:, 2] - probabilities[:, 0]
    return np.column_stack([score, probabilities.argmax(1) == 0, probabilities])


def fit(probabilities: np.ndarray, texts: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """A calibration of biases alone (`calibration.fit`), whose languages also have "shift", "low" and "high" of the score.

    A language whose interval holds 0 has no bias. The bias of another brings its mean probabilities to where they would be
    without its shift, drawn towards 0 by how uncertain that is (z² / (1 + z²)).
    """
    found = shifts(measured(probabilities), texts, languages)
    low, high = found.interval(0)
    names = np.asarray(languages)
    fitted: dict[str, Any] = {calibration.COMMON: _entry(0, np.zeros(3))}
    for at, name in enumerate(found.languages):
        shift, deviation = found.mean[at, 0], found.drawn[:, at, 0].std(ddof=1)
        bias = np.zeros(3)
        if low[at] * high[at] > 0:
            own = probabilities[names == name]
            bias = _towards(own, own.mean(0) - found.mean[at, 2:]) * shift**2 / (shift**2 + deviation**2)
        figures = {"shift": shift, "low": low[at], "high": high[at]}
        fitted[name] = _entry(int(found.n[at]), bias) | {key: round(float(value), 4) for key, value in figures.items()}
    return {"classes": list(SENTIMENTS), "languages": fitted}


def _entry(n: int, bias: np.ndarray) -> dict[str, Any]:
    return {"n": n, "temperature": 1.0, "bias": [round(float(value), 4) + 0.0 for value in bias]}


def _towards(probabilities: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The bias per class, of sum 0, that gives the rows these mean probabilities (Sinkhorn and Knopp 1967)."""
    wanted = np.maximum(wanted, _TINY)
    bias, floored = np.zeros(3), np.maximum(probabilities, _TINY)
    for _ in range(_ROUNDS):
        scaled = floored * np.exp(bias)
        bias += np.log(wanted / (scaled / scaled.sum(1, keepdims=True)).mean(0))
    return np.asarray(bias - bias.mean())


def sentences(fitted: dict[str, Any], before: Shifts, after: Shifts) -> list[str]:
    """A line per language: its shift in score and in the share judged negative, before and after the correction `fitted`."""
    lines = []
    intervals_of = [found.interval(0) for found in (before, after)]
    for at, name in enumerate(before.languages):
        (low, high), (low_after, high_after) = ((low[at], high[at]) for low, high in intervals_of)
        score = f"score {before.mean[at, 0]:+.3f} ({low:+.3f} to {high:+.3f})"
        negative = f"judged negative {100 * before.mean[at, 1]:+.1f} points"
        if any(fitted["languages"][name]["bias"]):
            score += f", corrected {after.mean[at, 0]:+.3f} ({low_after:+.3f} to {high_after:+.3f})"
            negative += f", corrected {100 * after.mean[at, 1]:+.1f}"
        lines.append(f"{name}, {before.n[at]} texts: {score}; {negative}")
    largest = (np.abs(found.mean[:, :2]).mean(0) for found in (before, after))
    (score_before, share_before), (score_after, share_after) = largest
    lines.append(
        f"mean distance from the other languages: score {score_before:.3f}, corrected {score_after:.3f}; "
        f"judged negative {100 * share_before:.1f} points, corrected {100 * share_after:.1f}"
    )
    return lines
