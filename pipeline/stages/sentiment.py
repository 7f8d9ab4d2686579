"""sentiment: three classes with probabilities for every review in a language the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline import backends, calibration, sketch
from pipeline.backends.base import Reader
from pipeline.labels import SENTIMENTS
from pipeline.profile import Profile, Sentiment
from pipeline.stage import Context, Row, Stage


def readable(row: Row, languages: tuple[str, ...]) -> bool:
    """Whether a model of these languages may judge this row. A text too short to tell its language is judged when
    it is written in ASCII, as English mostly is.
    """
    if not languages or row["language"] in languages:
        return True
    return row["language"] is None and "en" in languages and row["text"].isascii()


def unsupported(row: Row) -> str:
    return f"the model does not read this language ({row['language'] or 'unknown'})"


def spec(profile: Profile) -> dict[str, Any]:
    config = profile.sentiment
    return {
        "version": 2,
        "model": backends.identities(profile)["sentiment"],
        "labels": config.labels,
        "languages": config.languages,
        # not named where there is none: sentiment of older runs stays valid
        **({"calibration": calibration.identity(config.calibration)} if config.calibration else {}),
    }


def judge(rows: Sequence[Row], config: Sentiment) -> list[tuple[Reader, str, np.ndarray] | None]:
    """Per row (text, language) who judged it, as which model, and the three probabilities: nan where the model is not
    sure enough to speak. None where nobody reads the language.
    """
    judged: list[tuple[Reader, str, np.ndarray] | None] = [None] * len(rows)
    for reader in backends.sentiment(config):
        at = [index for index, row in enumerate(rows) if judged[index] is None and readable(row, reader.languages)]
        if at:
            classifier = reader.load()
            values = classifier.probabilities([rows[index]["text"] for index in at])
            for index, probabilities in zip(at, values, strict=True):
                judged[index] = (reader, classifier.model, probabilities)
    return judged


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    config = context.profile.sentiment
    calibrated = calibration.load(config.calibration) if config.calibration else None
    result: list[Row] = []
    for row, judged in zip(rows, judge(rows, config), strict=True):
        written = {"review_id": row["review_id"], "model": config.model or config.backend}
        if judged is None:
            result.append(written | {"error": unsupported(row)})
            continue
        reader, model, values = judged
        (seen,) = sketch.trained_on([row["text"]], reader.home)
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
