"""sentiment: three classes for every review, by its words and its stars; what the words alone say is kept beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Required, TypedDict

import numpy as np

from pipeline.backends import registry
from pipeline.backends.dispatch import classify_sentiment, language_error, readable
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.rows import DIGITS, RatedReview
from pipeline.core.stage import Context, Stage
from pipeline.reader import calibration, decide, head
from pipeline.reader.base import vector_of
from pipeline.stages.read import READ
from pipeline.text import duplicates


class ReadReview(RatedReview):
    """A review with what the reader says about its words."""

    words: list[float] | None  # raw probabilities of SENTIMENTS; None: it was not read
    vector: bytes | None  # see `pipeline.reader.base.vector_of`


class SentimentRow(TypedDict, total=False):
    """Without label and probabilities if there is an error; without `raw_*` if the profile names no calibration. `text_*`:
    by the words alone; without `text_label` where they are not clear enough.
    """

    review_id: Required[str]
    model: Required[str]
    label: str
    negative: float
    neutral: float
    positive: float
    text_label: str | None
    text_negative: float
    text_neutral: float
    text_positive: float
    raw_negative: float
    raw_neutral: float
    raw_positive: float
    trained_on: bool | None  # None: it is not known what the model was trained on
    error: str


def spec(profile: Profile) -> dict[str, Any]:
    """What sentiment depends on. Raises InputError for a head that has nothing to stand on."""
    config = profile.sentiment
    if config.head and config.backend != "embedded":
        raise InputError(
            f"[sentiment] head stands on the embedded reader: leave it out, or backend = {config.backend!r}."
        )
    return {
        "version": 3,  # 3: stars are evidence
        "model": registry.classifier_identity(config),
        "rules": registry.rules_identity(profile.reader),
        "labels": config.labels,
        "languages": config.languages,
        **({"head": head.identity(config.head)} if config.head else {}),
        **({"calibration": calibration.identity(config.calibration)} if config.calibration else {}),
    }


def transform(rows: Sequence[ReadReview], context: Context) -> list[SentimentRow]:
    """One row per review, in order. Raises InputError for a calibration that cannot be applied."""
    config = context.profile.sentiment
    rules = registry.reader(context.profile.reader).rules()
    is_reader = config.backend == "embedded"
    if is_reader:
        known = [bool(row["words"]) and readable(row, config.languages) for row in rows]
        raw = np.array([row["words"] or [np.nan] * 3 for row in rows], dtype=np.float32).reshape(-1, 3)
        raw[[not is_known for is_known in known]] = np.nan
        words = _stored(_headed(decide.words(raw, rules), rows, config.head))
    else:
        words = _stored(classify_sentiment(rows, config))
    uncalibrated = words
    if config.calibration:
        words = _calibrated(words, rows, config.calibration)
    both = _stored(decide.with_stars(words, [row["stars"] for row in rows], rules))
    seen = duplicates.trained_on([row["text"] for row in rows], context.profile.reader.folder if is_reader else None)
    if is_reader:
        model = "reader"
    elif np.isnan(words).all():  # then no model was loaded
        model = config.model or config.backend
    else:
        model = registry.sentiment(config).model
    result = []
    for index, row in enumerate(rows):
        sentiment = SentimentRow(review_id=row["review_id"], model=model, trained_on=seen[index])
        if np.isnan(words[index]).any():
            sentiment["error"] = language_error(row)
        else:
            _fill(sentiment, row, words[index], both[index], rules if is_reader else None)
            if config.calibration:
                for name, value in zip(
                    ("raw_negative", "raw_neutral", "raw_positive"), uncalibrated[index], strict=True
                ):
                    sentiment[name] = float(value)  # type: ignore[literal-required]
        result.append(sentiment)
    return result


def _stored(probabilities: np.ndarray) -> np.ndarray:
    """As they are stored, before labels are decided by them."""
    stored: np.ndarray = probabilities.astype(np.float64).round(DIGITS)
    return stored


def _headed(words: np.ndarray, rows: Sequence[ReadReview], path: str) -> np.ndarray:
    """What the profile's head makes of the reader's words; without one, or of a review that was not read, the same."""
    at = [index for index, row in enumerate(rows) if row["vector"] and not np.isnan(words[index]).any()] if path else []
    if at:
        vectors = np.stack([vector_of(rows[index]["vector"] or b"") for index in at])
        words[at] = head.apply(head.load(path), words[at], vectors, [rows[index]["language"] for index in at])
    return words


def _calibrated(words: np.ndarray, rows: Sequence[ReadReview], path: str) -> np.ndarray:
    return _stored(calibration.apply(calibration.load(path), words, [row["language"] for row in rows]))


def _fill(
    sentiment: SentimentRow, row: ReadReview, words: np.ndarray, both: np.ndarray, rules: decide.Rules | None
) -> None:
    """Labels and probabilities. Words that are not clear enough in their language get no label, and with no stars either
    the review gets none.
    """
    sentiment["text_negative"], sentiment["text_neutral"], sentiment["text_positive"] = map(float, words)
    is_clear = rules is None or decide.is_sure(words, row["language"], rules)
    sentiment["text_label"] = decide.label(words) if is_clear else None
    if not is_clear and row["stars"] is None:
        sentiment["error"] = f"the words are not clear enough in this language ({row['language'] or 'unknown'})"
        return
    sentiment["negative"], sentiment["neutral"], sentiment["positive"] = map(float, both)
    sentiment["label"] = decide.label(both)


SENTIMENT = Stage("sentiment", ("review_id",), spec, transform, parents=(READ,), outlives_text=True)
