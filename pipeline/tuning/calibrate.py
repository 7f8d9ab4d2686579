"""calibrate: fit a per-language calibration of the pipeline's sentiment classifier on labelled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.backends.dispatch import classify_sentiment
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Sentiment
from pipeline.reader import calibration
from pipeline.tuning import figures
from pipeline.tuning.finetune import _truth
from pipeline.tuning.labelled.rows import Example, Labelled
from pipeline.tuning.labelled.split import stratified_split


def calibrate(data: Labelled, section: Sentiment) -> tuple[dict[str, Any], list[str]]:
    """A calibration of the pipeline's sentiment classifier, fitted on 80 % of the rows and judged on the rest.

    (calibration, what it changes in words). Rows that the classifier of the profile's `section` does not judge are left
    out.
    Raises InputError for data without all three classes, or without rows the classifier reads.
    """
    figures.require_sklearn()
    if data.classes != SENTIMENTS:
        raise InputError("A calibration needs rows of negative, neutral and positive. Add data, or mend --labels.")
    parts = stratified_split(data)
    known, chances = _judged(parts["train"] + parts["validation"], section)
    judged, raw = _judged(parts["test"], section)
    if len(known) < calibration.MIN_ROWS or not judged:
        raise InputError(
            f"Only {len(known)} rows in a language that the model reads; {calibration.MIN_ROWS} are needed. Add data."
        )
    fitted = calibration.fit(chances, _truth(known, data), [row.language for row in known])
    truth, tongues = _truth(judged, data), [row.language for row in judged]
    after = calibration.apply(fitted, raw, tongues)
    told = [f"fitted on {len(known)} rows, judged on {len(judged)} others:"]
    for name, values in (("raw", raw), ("calibrated", after)):
        own = figures.quality(values, truth, data.classes)
        told.append(f"{name}: accuracy {own['accuracy']:.3f}, macro-F1 {own['macro_f1']:.3f}, ECE {own['ece']:.3f}")
    shift = figures.language_shift(figures.score(after, data.classes), truth, tongues)
    return fitted, told + figures.caution(shift)


def _judged(rows: Sequence[Example], section: Sentiment) -> tuple[list[Example], np.ndarray]:
    """Those of the rows that the profile's sentiment model judges, and their probabilities, of shape (rows, 3)."""
    found = classify_sentiment([{"text": row.text, "language": row.language} for row in rows], section)
    kept = [(row, said[2]) for row, said in zip(rows, found, strict=True) if said and not np.isnan(said[2][0])]
    return [row for row, _ in kept], np.array([values for _, values in kept], dtype=np.float32).reshape(-1, 3)
