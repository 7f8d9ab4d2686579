"""sentiment: three classes with probabilities for every review in a language the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import backends
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
        "version": 2,
        "model": backends.identities(profile)["sentiment"],
        "labels": config.labels,
        "languages": config.languages,
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
    classifier, texts = backends.sentiment(config), [row["text"] for row in supported]
    known = backends.trained_on(config, texts)
    for row, values, seen in zip(supported, classifier.probabilities(texts), known, strict=True):
        result.append(
            {
                "review_id": row["review_id"],
                "label": SENTIMENTS[int(values.argmax())],
                **{name: float(value) for name, value in zip(SENTIMENTS, values, strict=True)},
                "model": classifier.model,
                "trained_on": seen,
            }
        )
    return result


SENTIMENT = Stage("sentiment", ("review_id",), spec, transform)
