"""sentiment: three classes with probabilities for every review in a language the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Required, TypedDict

import numpy as np

from pipeline.backends import registry
from pipeline.backends.dispatch import Classified, classify_sentiment, language_error
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Profile
from pipeline.core.rows import Review
from pipeline.core.stage import Context, Stage
from pipeline.reader import calibration
from pipeline.text import duplicates


class SentimentRow(TypedDict, total=False):
    """Without label and probabilities if there is an error; without `raw_*` if the profile names no calibration."""

    review_id: Required[str]
    model: Required[str]
    label: str
    negative: float
    neutral: float
    positive: float
    raw_negative: float
    raw_neutral: float
    raw_positive: float
    trained_on: bool | None  # None: it is not known what the model was trained on
    error: str


def spec(profile: Profile) -> dict[str, Any]:
    """What sentiment depends on."""
    config = profile.sentiment
    return {
        "version": 2,
        "model": registry.classifier_identity(config),
        "labels": config.labels,
        "languages": config.languages,
        # left out without calibration, so that sentiment of older runs stays valid
        **({"calibration": calibration.identity(config.calibration)} if config.calibration else {}),
    }


def transform(rows: Sequence[Review], context: Context) -> list[SentimentRow]:
    """One row per review, in order. Raises InputError for a calibration that cannot be applied."""
    config = context.profile.sentiment
    calibrated = calibration.load(config.calibration) if config.calibration else None
    model = config.model or config.backend
    return [
        _row(row, result, calibrated)
        if result
        else SentimentRow(review_id=row["review_id"], model=model, error=language_error(row))
        for row, result in zip(rows, classify_sentiment(rows, config), strict=True)
    ]


def _row(row: Review, result: Classified, calibrated: dict[str, Any] | None) -> SentimentRow:
    (trained_on,) = duplicates.trained_on([row["text"]], result.classifier.folder)
    sentiment = SentimentRow(review_id=row["review_id"], model=result.model, trained_on=trained_on)
    if not result.is_sure:
        sentiment["error"] = f"the model is not sure enough in this language ({row['language']})"
        return sentiment
    values = result.probabilities
    if calibrated:
        sentiment["raw_negative"], sentiment["raw_neutral"], sentiment["raw_positive"] = map(float, values)
        (values,) = calibration.apply(calibrated, values[None], [row["language"]])
    sentiment["negative"], sentiment["neutral"], sentiment["positive"] = map(float, values)
    sentiment["label"] = SENTIMENTS[int(np.argmax(values))]
    return sentiment


SENTIMENT = Stage("sentiment", ("review_id",), spec, transform)
