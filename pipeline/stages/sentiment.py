"""sentiment: three classes with probabilities for every review in a language the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.backends import registry
from pipeline.backends.dispatch import classify_sentiment, unsupported
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage
from pipeline.reader import calibration
from pipeline.text import duplicates


def spec(profile: Profile) -> dict[str, Any]:
    config = profile.sentiment
    return {
        "version": 2,
        "model": registry.identities(profile)["sentiment"],
        "labels": config.labels,
        "languages": config.languages,
        # not named where there is none: sentiment of older runs stays valid
        **({"calibration": calibration.identity(config.calibration)} if config.calibration else {}),
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    config = context.profile.sentiment
    calibrated = calibration.load(config.calibration) if config.calibration else None
    result: list[Row] = []
    for row, judged in zip(rows, classify_sentiment(rows, config), strict=True):
        written = {"review_id": row["review_id"], "model": config.model or config.backend}
        if judged is None:
            result.append(written | {"error": unsupported(row)})
            continue
        reader, model, values = judged
        (seen,) = duplicates.trained_on([row["text"]], reader.home)
        written |= {"model": model, "trained_on": seen}
        if np.isnan(values[0]):
            result.append(written | {"error": f"the model is not sure enough in this language ({row['language']})"})
            continue
        if calibrated:
            written |= {f"raw_{name}": float(value) for name, value in zip(SENTIMENTS, values, strict=True)}
            (values,) = calibration.apply(calibrated, values[None], [row["language"]])
        chances = {name: float(value) for name, value in zip(SENTIMENTS, values, strict=True)}
        result.append(written | {"label": SENTIMENTS[int(values.argmax())], **chances})
    return result


SENTIMENT = Stage("sentiment", ("review_id",), spec, transform)
