"""emotions: the 28 GoEmotions labels that a review's writer feels, each by itself and with its own threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Required, TypedDict

from pipeline.backends import registry
from pipeline.backends.dispatch import language_error, readable
from pipeline.core.labels import EMOTIONS as LABELS
from pipeline.core.profile import Profile
from pipeline.core.rows import Review, short
from pipeline.core.stage import Context, Stage
from pipeline.reader import decide
from pipeline.stages.read import READ


class FeltReview(Review):
    """A review with what the reader says about its writer's feelings."""

    felt: list[float] | None  # raw probabilities of EMOTIONS; None: it was not read


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
        "version": 3,  # 3: of the writer
        "model": registry.classifier_identity(profile.emotions),
        "thresholds": _thresholds(profile),
        "languages": profile.emotions.languages,
    }


def _thresholds(profile: Profile) -> dict[str, float]:
    """Per label, those of the reader in use where it answers, else of the section's model; the profile's own before both."""
    found = registry.emotion_thresholds(profile.emotions)
    if profile.emotions.backend == "embedded":
        found |= registry.reader(profile.reader).rules().emotions
    return found | profile.emotions.thresholds


def transform(rows: Sequence[FeltReview], context: Context) -> list[EmotionsRow]:
    """One row per review, those in unsupported languages first."""
    config = context.profile.emotions
    model = "reader" if config.backend == "embedded" else config.model or config.backend
    readable_rows, errors = [], []
    for row in rows:
        if readable(row, config.languages) and (config.backend != "embedded" or row["felt"]):
            readable_rows.append(row)
        else:
            errors.append(EmotionsRow(review_id=row["review_id"], model=model, error=language_error(row)))
    return errors + (_classify(readable_rows, context) if readable_rows else [])


def _classify(rows: Sequence[FeltReview], context: Context) -> list[EmotionsRow]:
    config = context.profile.emotions
    thresholds = _thresholds(context.profile)
    if config.backend == "embedded":
        model, values = "reader", [row["felt"] for row in rows]
    else:
        classifier = registry.emotions(config)
        model, values = classifier.model, classifier.probabilities([row["text"] for row in rows]).tolist()
    result = []
    for row, of_row in zip(rows, values, strict=True):
        probabilities = {label: short(value) for label, value in zip(LABELS, of_row or (), strict=True)}
        result.append(
            EmotionsRow(
                review_id=row["review_id"],
                labels=decide.emotions(probabilities, thresholds),
                probabilities=list(probabilities.items()),
                model=model,
            )
        )
    return result


EMOTIONS = Stage("emotions", ("review_id",), spec, transform, parents=(READ,), outlives_text=True)
