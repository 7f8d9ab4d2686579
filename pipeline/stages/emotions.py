"""emotions: the 28 GoEmotions labels, each with its own sigmoid and its own threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.backends import registry
from pipeline.backends.dispatch import readable, unsupported
from pipeline.core.labels import EMOTIONS as LABELS
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage


def spec(profile: Profile) -> dict[str, Any]:
    return {
        "version": 2,  # 2: long reviews sentence by sentence
        "model": registry.identities(profile)["emotions"],
        "thresholds": registry.emotion_thresholds(profile.emotions),
        "languages": profile.emotions.languages,
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    config = context.profile.emotions
    supported = [row for row in rows if readable(row, config.languages)]
    result: list[Row] = [
        {"review_id": row["review_id"], "model": config.model or config.backend, "error": unsupported(row)}
        for row in rows
        if not readable(row, config.languages)
    ]
    if not supported:
        return result
    classifier = registry.emotions(config)
    thresholds = registry.emotion_thresholds(config)
    for row, values in zip(supported, classifier.probabilities([row["text"] for row in supported]), strict=True):
        chances = {label: float(value) for label, value in zip(LABELS, values, strict=True)}
        chosen = [label for label in LABELS if chances[label] >= thresholds[label]]
        result.append(
            {
                "review_id": row["review_id"],
                "labels": sorted(chosen, key=lambda label: -chances[label]),
                "probabilities": list(chances.items()),
                "model": classifier.model,
            }
        )
    return result


EMOTIONS = Stage("emotions", ("review_id",), spec, transform)
