"""sentiment: three classes with probabilities for every review in a language the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import backends, calibration
from pipeline.labels import SENTIMENTS
from pipeline.profile import Profile
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
        "version": 1,
        "model": backends.identities(profile)["sentiment"],
        "labels": config.labels,
        "languages": config.languages,
        # not named where there is none: sentiment of older runs stays valid
        **({"calibration": calibration.identity(config.calibration)} if config.calibration else {}),
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    config = context.profile.sentiment
    supported = [row for row in rows if readable(row, config.languages)]
    result: list[Row] = [
        {"review_id": row["review_id"], "model": config.model or config.backend, "error": unsupported(row)}
        for row in rows
        if not readable(row, config.languages)
    ]
    if not supported:
        return result
    classifier = backends.sentiment(config)
    raw = values = classifier.probabilities([row["text"] for row in supported])
    if config.calibration:
        languages = [row["language"] for row in supported]
        values = calibration.apply(calibration.load(config.calibration), raw, languages)
    for row, ours, before in zip(supported, values, raw, strict=True):
        judged: Row = {
            "review_id": row["review_id"],
            "label": SENTIMENTS[int(ours.argmax())],
            **{name: float(value) for name, value in zip(SENTIMENTS, ours, strict=True)},
            "model": classifier.model,
        }
        if config.calibration:
            judged |= {f"raw_{name}": float(value) for name, value in zip(SENTIMENTS, before, strict=True)}
        result.append(judged)
    return result


SENTIMENT = Stage("sentiment", ("review_id",), spec, transform)
