"""What a run's numbers are: one row of `metrics` per role and metric, and the student's `comparisons`.

Roles of the texts are those of `scores`; role `reviews` holds what describes the data itself, and role `classifier`
how well the sentiment model agrees with stars and labels where the source has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.metrics import scorers
from pipeline.quality import intervals

# Columns of `scores` whose means are metrics. Of the first, higher is better.
TEXT_METRICS = ("bleurt", "bertscore_f1", "meteor", "grounding", "judge")
SIGNALS = (
    *("prompt_echo", "copied_share", "repetition", "length_ratio", "unfinished", "wrong_language"),
    *("bleurt_cut", "bertscore_cut"),
)
CLASSES = ("negative", "neutral", "positive")

Metric = tuple[str, str, Sequence[float]]  # role, metric, values


def write(warehouse: Warehouse, run_id: str, profile: Profile) -> None:
    """Computes and appends the metrics of everything the views show now."""
    computed_by = _computed_by(profile)
    scores = warehouse.query("SELECT * FROM scores ORDER BY role, review_id")
    judged = judged_reviews(warehouse)
    rows = [
        {
            "run_id": run_id,
            "role": role,
            "metric": metric,
            "model": computed_by.get(metric, (None, None))[0],
            "settings": computed_by.get(metric, (None, None))[1],
            **intervals.summary(values),
        }
        for role, metric, values in [*_texts(warehouse, scores), *_reviews(warehouse), *_classifier(judged)]
        if len(values)
    ]
    warehouse.append("metrics", rows)
    warehouse.append("comparisons", [{"run_id": run_id, **row} for row in compare(scores)])
    if judged:  # a figure of all rows together: it has no values per row to summarise
        mean = macro_f1([(row["truth"], row["guess"]) for row in judged])
        f1 = {"run_id": run_id, "role": "classifier", "metric": "macro_f1", "n": len(judged), "mean": mean}
        warehouse.append("metrics", [f1])


def _computed_by(profile: Profile) -> dict[str, tuple[str, str | None]]:
    """Model and settings behind each metric."""
    bleurt, bertscore = scorers.bleurt(profile.score), scorers.bertscore(profile.score)
    grounding = ("all-MiniLM-L6-v2", f"among {profile.score.pool}")
    return {
        "bleurt": (bleurt.model, bleurt.settings),
        "bleurt_cut": (bleurt.model, bleurt.settings),
        "bertscore_f1": (bertscore.model, bertscore.settings),
        "bertscore_cut": (bertscore.model, bertscore.settings),
        "meteor": ("nltk, WordNet 3.0", "alpha=0.9 beta=3 gamma=0.5"),
        "grounding": grounding,
        "grounding_r1": grounding,
        "judge": (profile.judge.model, "both orders"),
    }


def _texts(warehouse: Warehouse, scores: list[dict[str, Any]]) -> list[Metric]:
    written = warehouse.query(
        "SELECT role, truncated, error FROM feedback "
        "WHERE review_id IN (SELECT review_id FROM training_set WHERE split = 'test') OR role = 'teacher'"
    )
    result: list[Metric] = []
    for role in sorted({row["role"] for row in scores}):
        own = [row for row in scores if row["role"] == role]
        for metric in (*TEXT_METRICS, *SIGNALS):
            result.append((role, metric, [float(row[metric]) for row in own if row[metric] is not None]))
        result.append((role, "grounding_r1", [float(row["grounding"] == 1) for row in own]))
    for role in sorted({row["role"] for row in written}):
        texts = [row for row in written if row["role"] == role]
        result.append((role, "truncated", [float(bool(row["truncated"])) for row in texts]))
        result.append((role, "failed", [float(row["error"] is not None) for row in texts]))
    return result


def compare(scores: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tuned student minus base and each control on the reviews that both wrote for, by paired bootstrap."""
    by_role: dict[str, dict[str, dict[str, Any]]] = {}
    for row in scores:
        by_role.setdefault(row["role"], {})[row["review_id"]] = row
    student = by_role.get("student", {})
    result = []
    for other in sorted(by_role.keys() - {"student", "teacher"}):
        for metric in TEXT_METRICS:
            pairs = [
                (student[key][metric], row[metric])
                for key, row in sorted(by_role[other].items())
                if key in student and student[key][metric] is not None and row[metric] is not None
            ]
            if not pairs:
                continue
            mine, theirs = zip(*pairs, strict=True)
            difference, low, high = intervals.paired_bootstrap(mine, theirs)
            result.append(
                {
                    "role": "student",
                    "other": other,
                    "metric": metric,
                    "n": len(pairs),
                    "mean": sum(mine) / len(mine),
                    "other_mean": sum(theirs) / len(theirs),
                    "difference": difference,
                    "ci_low": low,
                    "ci_high": high,
                }
            )
    return result


def _shares(values: Sequence[Any], names: Sequence[str]) -> list[tuple[str, list[float]]]:
    return [(name, [float(name == value) for value in values]) for name in names]


def _reviews(warehouse: Warehouse) -> list[Metric]:
    reviews = warehouse.query("SELECT sentiment, stars, emotions, language FROM insights ORDER BY review_id")
    judged = [row["sentiment"] for row in reviews if row["sentiment"]]
    result: list[Metric] = [("reviews", f"share_{name}", values) for name, values in _shares(judged, CLASSES)]
    result.append(("reviews", "stars", [row["stars"] for row in reviews if row["stars"] is not None]))
    result.append(("reviews", "unjudged", [float(row["sentiment"] is None) for row in reviews]))
    languages = sorted({row["language"] or "unknown" for row in reviews})
    for name, values in _shares([row["language"] or "unknown" for row in reviews], languages):
        result.append(("reviews", f"language_{name}", values))
    felt = [set(row["emotions"]) for row in reviews if row["emotions"] is not None]
    for emotion in sorted(set().union(*felt)):
        result.append(("reviews", f"emotion_{emotion}", [float(emotion in labels) for labels in felt]))
    return result


def judged_reviews(warehouse: Warehouse) -> list[dict[str, Any]]:
    """review_id, guess and truth of each review that the model judged, that it was not trained on, and whose source
    says what is right.
    """
    return warehouse.query(
        "SELECT review_id, s.label AS guess, coalesce(r.label, CASE WHEN stars < 2.75 THEN 'negative' "
        "WHEN stars < 3.75 THEN 'neutral' ELSE 'positive' END) AS truth FROM reviews r JOIN sentiment s USING (review_id) "
        "WHERE s.label IS NOT NULL AND NOT coalesce(s.trained_on, false) AND (r.label IS NOT NULL OR stars IS NOT NULL) ORDER BY review_id"
    )


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Mean F1 over the classes that occur, of (truth, guess) pairs; None without pairs."""
    values = []
    for name in CLASSES:
        right = sum(truth == guess == name for truth, guess in pairs)
        named = sum(truth == name for truth, _ in pairs) + sum(guess == name for _, guess in pairs)
        if named:
            values.append(2 * right / named)
    return sum(values) / len(values) if values else None


def _classifier(rows: Sequence[dict[str, Any]]) -> list[Metric]:
    polar = [row for row in rows if row["truth"] != "neutral"]
    return [
        ("classifier", "accuracy", [float(row["guess"] == row["truth"]) for row in rows]),
        ("classifier", "polar_accuracy", [float(row["guess"] == row["truth"]) for row in polar]),
    ]
