"""The figures of a run: one row of `metrics` per role and metric, and the student's `comparisons`.

The roles of texts are those of `scores`; role `reviews` describes the data itself, and role `classifier` how well the
sentiment model agrees with stars and labels, where the source has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from pipeline.core.labels import SENTIMENTS, from_stars
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import COMPARED, METRICS, scorers
from pipeline.quality import intervals


class Series(NamedTuple):
    """The values of one row of `metrics`, each with how often it occurs."""

    role: str
    metric: str
    counts: Mapping[float, int]


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
    judged = _judged(warehouse)
    rows: list[dict[str, Any]] = [
        {"run_id": run_id, "role": role, "metric": metric, **computed_by.get(metric, {}), **intervals.tally(counts)}
        for role, metric, counts in [*_texts(warehouse, scores), *_reviews(warehouse), *_classifier(judged)]
        if sum(counts.values())
    ]
    if judged:  # a figure of all rows together, without values per row to summarise
        mean, n = macro_f1(judged), sum(judged.values())
        rows.append({"run_id": run_id, "role": "classifier", "metric": "macro_f1", "n": n, "mean": mean})
    warehouse.append("metrics", rows)
    warehouse.append("comparisons", [{"run_id": run_id, **row} for row in compare(scores)])


def _texts(warehouse: Warehouse, scores: Sequence[Mapping[str, Any]]) -> list[Series]:
    written = warehouse.query(
        "SELECT role, truncated, error, count(*) AS n FROM feedback "
        "WHERE review_id IN (SELECT review_id FROM training_set WHERE split = 'test') OR role = 'teacher' GROUP BY ALL"
    )
    result = []
    for metric in METRICS:
        by_role: dict[str, Counter[float]] = {}
        for row in scores if metric.rows == "scores" else written:
            if (value := metric.of(row)) is not None:
                by_role.setdefault(row["role"], Counter())[value] += row.get("n", 1)
        result += [Series(role, metric.name, counts) for role, counts in by_role.items()]
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


def _share(role: str, metric: str, hits: int, of: int) -> Series:
    return Series(role, metric, {1.0: hits, 0.0: of - hits})


def _reviews(warehouse: Warehouse) -> list[Series]:
    def counted(columns: str, of: str) -> Iterator[tuple[Any, int]]:
        rows = warehouse.query(
            f"SELECT {columns} AS value, count(*) AS n FROM findings WHERE {of} GROUP BY ALL ORDER BY ALL"
        )
        return ((row["value"], row["n"]) for row in rows)

    sentiments = Counter(dict(counted("sentiment", "NOT rating_only")))
    languages = Counter(dict(counted("coalesce(nullif(language, ''), 'unknown')", "NOT rating_only")))
    together = [(set(labels), n) for labels, n in counted("emotions", "NOT rating_only AND emotions IS NOT NULL")]
    whole, judged, felt = sentiments.total(), sentiments.total() - sentiments[None], sum(n for _, n in together)
    emotions = sorted(set().union(*(labels for labels, _ in together)))
    return [
        *(_share("reviews", f"share_{name}", sentiments[name], judged) for name in SENTIMENTS),
        Series("reviews", "stars", dict(counted("stars", "stars IS NOT NULL"))),
        _share("reviews", "unjudged", sentiments[None], whole),
        *(_share("reviews", f"language_{name}", n, whole) for name, n in sorted(languages.items())),
        *(
            _share("reviews", f"emotion_{emotion}", sum(n for labels, n in together if emotion in labels), felt)
            for emotion in emotions
        ),
    ]


# Of each review whose words alone were judged by a model not trained on it, and whose source has a label or stars. (The label
# of words and stars together would agree with the stars by itself.)
_JUDGED = (
    "FROM findings WHERE text_sentiment IS NOT NULL AND NOT trained_on AND (label IS NOT NULL OR stars IS NOT NULL)"
)


def _judged(warehouse: Warehouse) -> Counter[tuple[str, str]]:
    """(truth, guess) -> reviews; both are among SENTIMENTS."""
    pairs: Counter[tuple[str, str]] = Counter()
    for row in warehouse.query(f"SELECT text_sentiment AS guess, label, stars, count(*) AS n {_JUDGED} GROUP BY ALL"):
        pairs[row["label"] or from_stars(row["stars"]), row["guess"]] += row["n"]
    return pairs


def judged_reviews(warehouse: Warehouse, most: int) -> list[Judged]:
    """The first of them by their ids, `most` at most."""
    rows = warehouse.query(
        f"SELECT review_id, text_sentiment AS guess, label, stars {_JUDGED} ORDER BY review_id LIMIT ?", [most]
    )
    return [
        {"review_id": row["review_id"], "guess": row["guess"], "truth": row["label"] or from_stars(row["stars"])}
        for row in rows
    ]


def macro_f1(pairs: Mapping[tuple[str, str], int]) -> float | None:
    """Mean F1 over the classes that occur, of (truth, guess) -> rows; None without any."""
    values = []
    for name in SENTIMENTS:
        true_positives = pairs.get((name, name), 0)
        occurrences = sum(n * ((truth == name) + (guess == name)) for (truth, guess), n in pairs.items())
        if occurrences:
            values.append(2 * true_positives / occurrences)
    return sum(values) / len(values) if values else None


def _classifier(judged: Counter[tuple[str, str]]) -> list[Series]:
    polar = Counter({pair: n for pair, n in judged.items() if pair[0] != "neutral"})
    return [
        _share("classifier", name, sum(n for (truth, guess), n in pairs.items() if truth == guess), pairs.total())
        for name, pairs in (("accuracy", judged), ("polar_accuracy", polar))
    ]
