"""The figures of a run: one row of `metrics` per role and metric, and the student's `comparisons`.

The roles of texts are those of `scores`; role `reviews` describes the data itself, and role `classifier` how well the
sentiment model agrees with stars and labels, where the source has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from pipeline.core.labels import SENTIMENTS, from_stars
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import COMPARED, METRICS, scorers
from pipeline.quality import intervals


class Series(NamedTuple):
    """The values of one row of `metrics`."""

    role: str
    metric: str
    values: Sequence[float]


class Comparison(TypedDict):
    """A row of `comparisons`, without its run_id."""

    role: str
    other: str
    metric: str
    n: int
    mean: float
    other_mean: float
    difference: float | None
    ci_low: float | None
    ci_high: float | None


class Judged(TypedDict):
    """A review whose sentiment was judged (`guess`) and is known (`truth`): both are among SENTIMENTS."""

    review_id: str
    guess: str
    truth: str


def write(warehouse: Warehouse, run_id: str, profile: Profile) -> None:
    """Computes and appends the metrics of everything the views show now."""
    computed_by = {
        metric.name: {"model": scorer.model, "settings": scorer.settings}
        for scorer, metrics in scorers(profile)
        for metric in metrics
    }
    scores = warehouse.query("SELECT * FROM scores ORDER BY role, review_id")
    judged = judged_reviews(warehouse)
    rows: list[dict[str, Any]] = [
        {"run_id": run_id, "role": role, "metric": metric, **computed_by.get(metric, {}), **intervals.summary(values)}
        for role, metric, values in [*_texts(warehouse, scores), *_reviews(warehouse), *_classifier(judged)]
        if len(values)
    ]
    if judged:  # a figure of all rows together, without values per row to summarise
        mean = macro_f1([(row["truth"], row["guess"]) for row in judged])
        rows.append({"run_id": run_id, "role": "classifier", "metric": "macro_f1", "n": len(judged), "mean": mean})
    warehouse.append("metrics", rows)
    warehouse.append("comparisons", [{"run_id": run_id, **row} for row in compare(scores)])


def _texts(warehouse: Warehouse, scores: Sequence[Mapping[str, Any]]) -> list[Series]:
    written = warehouse.query(
        "SELECT role, truncated, error FROM feedback "
        "WHERE review_id IN (SELECT review_id FROM training_set WHERE split = 'test') OR role = 'teacher'"
    )
    result = []
    for metric in METRICS:
        by_role: dict[str, list[float]] = {}
        for row in scores if metric.rows == "scores" else written:
            if (value := metric.of(row)) is not None:
                by_role.setdefault(row["role"], []).append(value)
        result += [Series(role, metric.name, values) for role, values in by_role.items()]
    return result


def compare(scores: Sequence[Mapping[str, Any]]) -> list[Comparison]:
    """The tuned student minus the base and each control, on the reviews for which both wrote, by paired bootstrap.

    `scores`: rows of the view of that name.
    """
    by_role: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in scores:
        by_role.setdefault(row["role"], {})[row["review_id"]] = row
    student = by_role.get("student", {})
    result: list[Comparison] = []
    for other in sorted(by_role.keys() - {"student", "teacher"}):
        for metric in (metric.name for metric in COMPARED):
            pairs = [
                (student[key][metric], row[metric])
                for key, row in sorted(by_role[other].items())
                if key in student and student[key][metric] is not None and row[metric] is not None
            ]
            if not pairs:
                continue
            student_values, other_values = zip(*pairs, strict=True)
            difference, low, high = intervals.paired_bootstrap(student_values, other_values)
            result.append(
                {
                    "role": "student",
                    "other": other,
                    "metric": metric,
                    "n": len(pairs),
                    "mean": sum(student_values) / len(student_values),
                    "other_mean": sum(other_values) / len(other_values),
                    "difference": difference,
                    "ci_low": low,
                    "ci_high": high,
                }
            )
    return result


def _shares(values: Sequence[Any], names: Sequence[str]) -> list[tuple[str, list[float]]]:
    return [(name, [float(name == value) for value in values]) for name in names]


def _reviews(warehouse: Warehouse) -> list[Series]:
    rows = warehouse.query("SELECT sentiment, stars, emotions, language, rating_only FROM insights ORDER BY review_id")
    reviews = [row for row in rows if not row["rating_only"]]
    sentiments = [row["sentiment"] for row in reviews if row["sentiment"]]
    result: list[Series] = [
        Series("reviews", f"share_{name}", values) for name, values in _shares(sentiments, SENTIMENTS)
    ]
    result.append(Series("reviews", "stars", [row["stars"] for row in rows if row["stars"] is not None]))
    result.append(Series("reviews", "unjudged", [float(row["sentiment"] is None) for row in reviews]))
    languages = sorted({row["language"] or "unknown" for row in reviews})
    for name, values in _shares([row["language"] or "unknown" for row in reviews], languages):
        result.append(Series("reviews", f"language_{name}", values))
    emotions = [set(row["emotions"]) for row in reviews if row["emotions"] is not None]
    for emotion in sorted(set().union(*emotions)):
        result.append(Series("reviews", f"emotion_{emotion}", [float(emotion in labels) for labels in emotions]))
    return result


def judged_reviews(warehouse: Warehouse) -> list[Judged]:
    """Each review whose words alone were judged by a model not trained on it, and whose source has a label or stars. (The
    label of words and stars together would agree with the stars by itself.)
    """
    rows = warehouse.query(
        "SELECT review_id, s.text_label AS guess, r.label, stars FROM reviews r JOIN sentiment s USING (review_id) "
        "WHERE s.text_label IS NOT NULL AND NOT coalesce(s.trained_on, false) AND (r.label IS NOT NULL OR stars IS NOT NULL) "
        "ORDER BY review_id"
    )
    return [
        {"review_id": row["review_id"], "guess": row["guess"], "truth": row["label"] or from_stars(row["stars"])}
        for row in rows
    ]


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Mean F1 over the classes that occur, of (truth, guess) pairs; None without pairs."""
    values = []
    for name in SENTIMENTS:
        true_positives = sum(truth == guess == name for truth, guess in pairs)
        occurrences = sum(truth == name for truth, _ in pairs) + sum(guess == name for _, guess in pairs)
        if occurrences:
            values.append(2 * true_positives / occurrences)
    return sum(values) / len(values) if values else None


def _classifier(rows: Sequence[Judged]) -> list[Series]:
    polar = [row for row in rows if row["truth"] != "neutral"]
    return [
        Series("classifier", "accuracy", [float(row["guess"] == row["truth"]) for row in rows]),
        Series("classifier", "polar_accuracy", [float(row["guess"] == row["truth"]) for row in polar]),
    ]
