"""What a run's numbers are: one row of `metrics` per role and metric, written when the run ends.

Roles of the texts are those of `scores`; role `reviews` holds what describes the data itself (for drift), and role
`classifier` how well the sentiment model agrees with stars and labels where the source has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import backends
from pipeline.metrics import intervals
from pipeline.profile import Profile
from pipeline.warehouse import Warehouse

TEXT_METRICS = ("bleurt", "bertscore_f1", "meteor", "grounding")


def write(warehouse: Warehouse, run_id: str, profile: Profile) -> None:
    """Computes and appends the metrics of everything the views show now."""
    computed_by = {"bleurt": backends.bleurt_name(profile.score), "bertscore_f1": profile.score.bertscore,
                   "meteor": "nltk", "grounding": "all-MiniLM-L6-v2", "grounding_r1": "all-MiniLM-L6-v2"}  # fmt: skip
    rows = [
        {
            "run_id": run_id,
            "role": role,
            "metric": metric,
            "model": computed_by.get(metric),
            **intervals.summary(values),
        }
        for role, metric, values in [*_texts(warehouse), *_reviews(warehouse), *_classifier(warehouse)]
        if values
    ]
    warehouse.append("metrics", rows)


def _texts(warehouse: Warehouse) -> list[tuple[str, str, list[float]]]:
    scores = warehouse.query("SELECT * FROM scores ORDER BY role, review_id")
    written = warehouse.query(
        "SELECT role, truncated, error FROM feedback "
        "WHERE review_id IN (SELECT review_id FROM training_set WHERE split = 'test') OR role = 'teacher'"
    )
    result = []
    for role in sorted({row["role"] for row in scores}):
        own = [row for row in scores if row["role"] == role]
        for metric in TEXT_METRICS:
            result.append((role, metric, [row[metric] for row in own if row[metric] is not None]))
        result.append((role, "grounding_r1", [float(row["grounding"] == 1) for row in own]))
    for role in sorted({row["role"] for row in written}):
        texts = [row for row in written if row["role"] == role]
        result.append((role, "truncated", [float(bool(row["truncated"])) for row in texts]))
        result.append((role, "failed", [float(row["error"] is not None) for row in texts]))
    return result


def _shares(values: Sequence[Any], names: Sequence[str]) -> list[tuple[str, list[float]]]:
    return [(name, [float(name == value) for value in values]) for name in names]


def _reviews(warehouse: Warehouse) -> list[tuple[str, str, list[float]]]:
    reviews = warehouse.query("SELECT sentiment, stars, emotions, language FROM insights ORDER BY review_id")
    judged = [row["sentiment"] for row in reviews if row["sentiment"]]
    result = [
        ("reviews", f"share_{name}", values) for name, values in _shares(judged, ("negative", "neutral", "positive"))
    ]
    result.append(("reviews", "stars", [row["stars"] for row in reviews if row["stars"] is not None]))
    result.append(("reviews", "unjudged", [float(row["sentiment"] is None) for row in reviews]))
    languages = sorted({row["language"] or "unknown" for row in reviews})
    for name, values in _shares([row["language"] or "unknown" for row in reviews], languages):
        result.append(("reviews", f"language_{name}", values))
    felt = [set(row["emotions"]) for row in reviews if row["emotions"] is not None]
    for emotion in sorted(set().union(*felt)):
        result.append(("reviews", f"emotion_{emotion}", [float(emotion in labels) for labels in felt]))
    return result


def _classifier(warehouse: Warehouse) -> list[tuple[str, str, list[float]]]:
    rows = warehouse.query(
        "SELECT s.label AS guess, coalesce(r.label, CASE WHEN stars < 2.75 THEN 'negative' WHEN stars < 3.75 THEN 'neutral' "
        "ELSE 'positive' END) AS truth FROM reviews r JOIN sentiment s USING (review_id) "
        "WHERE s.label IS NOT NULL AND (r.label IS NOT NULL OR stars IS NOT NULL) ORDER BY review_id"
    )
    polar = [row for row in rows if row["truth"] != "neutral"]
    return [
        ("classifier", "accuracy", [float(row["guess"] == row["truth"]) for row in rows]),
        ("classifier", "polar_accuracy", [float(row["guess"] == row["truth"]) for row in polar]),
    ]
