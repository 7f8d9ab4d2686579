"""calibrate: fit a per-language calibration of the pipeline's sentiment classifier, on labelled rows or on parallel ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from pipeline.backends.dispatch import classify_sentiment
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Sentiment
from pipeline.reader import calibration
from pipeline.tuning import figures, parallel
from pipeline.tuning.labelled.parallel import ParallelRow
from pipeline.tuning.labelled.rows import Example, Labelled, targets
from pipeline.tuning.labelled.split import stratified_split

Row = TypeVar("Row", Example, ParallelRow)


@dataclass(frozen=True)
class Calibrated:
    """A calibration, the figures (`figures.quality`) of the test rows before and after it, and what it changes in words."""

    fitted: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    lines: list[str]


def calibrate(data: Labelled, section: Sentiment) -> Calibrated:
    """A calibration of the sentiment classifier of a profile's `section`.

    It is fitted on 90 % of the rows and tested on the rest. Rows that the classifier does not read, or is not sure enough
    of, are left out. Raises InputError for data without all three classes, or with too few rows that the classifier reads.
    """
    figures.require_sklearn()
    if data.classes != SENTIMENTS:
        raise InputError("A calibration needs rows of negative, neutral and positive. Add data, or mend --labels.")
    parts = stratified_split(data)
    fit_rows, fit_probabilities = _classified(parts["train"] + parts["validation"], section)
    test_rows, raw = _classified(parts["test"], section)
    if len(fit_rows) < calibration.MIN_ROWS or not test_rows:
        raise InputError(
            f"Only {len(fit_rows)} rows in a language that the model reads; {calibration.MIN_ROWS} are needed. Add data."
        )
    fitted = calibration.fit(fit_probabilities, targets(fit_rows, data), [row.language for row in fit_rows])
    truth, languages = targets(test_rows, data), [row.language for row in test_rows]
    calibrated = calibration.apply(fitted, raw, languages)
    lines = [f"fitted on {len(fit_rows)} rows, tested on {len(test_rows)} others:"]
    before, after = (figures.quality(probabilities, truth, data.classes) for probabilities in (raw, calibrated))
    for name, quality in (("raw", before), ("calibrated", after)):
        measured = f"accuracy {quality['accuracy']:.3f}, macro-F1 {quality['macro_f1']:.3f}, ECE {quality['ece']:.3f}"
        lines.append(f"{name}: {measured}")
    shift = figures.language_shift(figures.score(calibrated, data.classes), truth, languages)
    return Calibrated(fitted, before, after, lines + figures.caution(shift))


@dataclass(frozen=True)
class Evened:
    """A calibration that takes the model's shift per language away, and the shifts (`parallel.measured`) of other texts before
    and after it; in words too.
    """

    fitted: dict[str, Any]
    before: parallel.Shifts
    after: parallel.Shifts
    lines: list[str]


def calibrate_parallel(rows: Sequence[ParallelRow], section: Sentiment) -> Evened:
    """A calibration of the sentiment classifier of a profile's `section` from the same texts in several languages: fitted on
    one half of the texts and judged on the other. Raises InputError if too few texts are there in two languages or more.
    """
    known, probabilities = _classified(rows, section)
    kept = np.flatnonzero(parallel.comparable([row.name for row in known], [row.language for row in known]))
    known, probabilities = [known[index] for index in kept], probabilities[kept].astype(float)
    texts, languages = [row.name for row in known], [row.language for row in known]
    is_fitted = parallel.halves(texts)

    def half(values: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, list[str], list[str]]:
        at = np.flatnonzero(side)
        return values[at], [texts[index] for index in at], [languages[index] for index in at]

    fitted = parallel.fit(*half(probabilities, is_fitted))
    raw, names, spoken = half(probabilities, ~is_fitted)
    evened = calibration.apply(fitted, raw, spoken).astype(float)
    before, after = (parallel.shifts(parallel.measured(values), names, spoken) for values in (raw, evened))
    truth = np.array([-1 if row.truth is None else row.truth for row in known])[~is_fitted]
    lines = [f"fitted on {is_fitted.sum()} rows, tested on {len(raw)} others, which are other texts:"]
    lines += parallel.sentences(fitted, before, after) + _accuracy(raw, evened, truth)
    return Evened(fitted, before, after, lines)


def _accuracy(raw: np.ndarray, evened: np.ndarray, truth: np.ndarray) -> list[str]:
    """What the correction does to the rows that have a label; nothing is said if there is none."""
    at = truth >= 0
    if not at.any():
        return []
    before, after = ((values[at].argmax(1) == truth[at]).mean() for values in (raw, evened))
    return [f"accuracy of the {at.sum()} of them with a label: {before:.3f} before, {after:.3f} after"]


def _classified(rows: Sequence[Row], section: Sentiment) -> tuple[list[Row], np.ndarray]:
    """(the rows that the profile's sentiment classifier reads, their probabilities of shape (rows, 3))."""
    probabilities = classify_sentiment([{"text": row.text, "language": row.language} for row in rows], section)
    kept = ~np.isnan(probabilities).any(axis=1)
    return [row for row, is_kept in zip(rows, kept, strict=True) if is_kept], probabilities[kept]
