"""emotions: the 28 GoEmotions labels, each with its own sigmoid and its own threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Required, TypedDict

from pipeline.backends import registry
from pipeline.backends.dispatch import language_error, readable
from pipeline.core.labels import EMOTIONS as LABELS
from pipeline.core.profile import Profile
from pipeline.core.rows import Review
from pipeline.core.stage import Context, Stage


class EmotionsRow(TypedDict, total=False):
    """Without labels and probabilities where there is an error."""

    review_id: Required[str]
    model: Required[str]
    labels: list[str]  # those at or above their thresholds, the most probable first
    probabilities: list[tuple[str, float]]  # of all labels
    error: str


def spec(profile: Profile) -> dict[str, Any]:
    """What emotions depend on."""
    return {
        "version": 2,  # 2: long reviews sentence by sentence
        "model": registry.classifier_identity(profile.emotions),
        "thresholds": registry.emotion_thresholds(profile.emotions),
        "languages": profile.emotions.languages,
    }


def transform(rows: Sequence[Review], context: Context) -> list[EmotionsRow]:
    """One row per review, those in unsupported languages first."""
    config = context.profile.emotions
    supported = [row for row in rows if readable(row, config.languages)]
    model = config.model or config.backend
    errors = [
        EmotionsRow(review_id=row["review_id"], model=model, error=language_error(row))
        for row in rows
        if not readable(row, config.languages)
    ]
    return errors + (_classify(supported, context) if supported else [])


def _classify(rows: Sequence[Review], context: Context) -> list[EmotionsRow]:
    classifier = registry.emotions(context.profile.emotions)
    thresholds = registry.emotion_thresholds(context.profile.emotions)
    result = []
    for row, values in zip(rows, classifier.probabilities([row["text"] for row in rows]), strict=True):
        probabilities = {label: float(value) for label, value in zip(LABELS, values, strict=True)}
        labels = [label for label in LABELS if probabilities[label] >= thresholds[label]]
        result.append(
            EmotionsRow(
                review_id=row["review_id"],
                labels=sorted(labels, key=lambda label: -probabilities[label]),
                probabilities=list(probabilities.items()),
                model=classifier.model,
            )
        )
    return result


EMOTIONS = Stage("emotions", ("review_id",), spec, transform)
