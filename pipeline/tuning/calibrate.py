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
from pipeline.tuning.labelled.rows import Example, Labelled, targets
from pipeline.tuning.labelled.split import stratified_split


def calibrate(data: Labelled, section: Sentiment) -> tuple[dict[str, Any], list[str]]:
    """A calibration of the pipeline's sentiment classifier, fitted on 90 % of the rows and tested on the others.

    (calibration, what it changes in words). Rows that the classifier of the profile's `section` does not read, or is not
    sure enough of, are left out.
    Raises InputError for data without all three classes, or without rows the classifier reads.
    """
    figures.require_sklearn()
    if data.classes != SENTIMENTS:
        raise InputError("A calibration needs rows of negative, neutral and positive. Add data, or mend --labels.")
    parts = stratified_split(data)
    fitting, known = _classified(parts["train"] + parts["validation"], section)
    testing, raw = _classified(parts["test"], section)
    if len(fitting) < calibration.MIN_ROWS or not testing:
        raise InputError(
            f"Only {len(fitting)} rows in a language that the model reads; {calibration.MIN_ROWS} are needed. Add data."
        )
    fitted = calibration.fit(known, targets(fitting, data), [row.language for row in fitting])
    truth, languages = targets(testing, data), [row.language for row in testing]
    calibrated = calibration.apply(fitted, raw, languages)
    lines = [f"fitted on {len(fitting)} rows, tested on {len(testing)} others:"]
    for name, probabilities in (("raw", raw), ("calibrated", calibrated)):
        own = figures.quality(probabilities, truth, data.classes)
        lines.append(f"{name}: accuracy {own['accuracy']:.3f}, macro-F1 {own['macro_f1']:.3f}, ECE {own['ece']:.3f}")
    shift = figures.language_shift(figures.score(calibrated, data.classes), truth, languages)
    return fitted, lines + figures.caution(shift)


def _classified(rows: Sequence[Example], section: Sentiment) -> tuple[list[Example], np.ndarray]:
    """Those of the rows that the profile's sentiment classifier reads, and their probabilities, of shape (rows, 3)."""
    answers = classify_sentiment([{"text": row.text, "language": row.language} for row in rows], section)
    kept = [
        (row, answer[2])
        for row, answer in zip(rows, answers, strict=True)
        if answer is not None and not np.isnan(answer[2]).any()
    ]
    probabilities = np.array([values for _, values in kept], dtype=np.float32).reshape(-1, len(SENTIMENTS))
    return [row for row, _ in kept], probabilities
