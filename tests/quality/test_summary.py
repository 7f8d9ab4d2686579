"""What a run's numbers are, and how they read."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse, sql_file
from pipeline.metrics.table import COMPARED
from pipeline.quality import summary
from tests.factory import NOW, review


def scores(student: float, constant: float, grounding: tuple[float, float], n: int = 30) -> list[dict[str, Any]]:
    """Test reviews whose values vary by row, and alike for both roles."""
    blank = {metric.name: None for metric in COMPARED}
    return [
        {**blank, "review_id": f"{row:03}", "role": role, "meteor": mean + row / 1000, "grounding": found}
        for row in range(n)
        for role, mean, found in (("student", student, grounding[0]), ("control_constant", constant, grounding[1]))
    ]


def test_the_student_is_compared_on_the_rows_that_both_have() -> None:
    rows = scores(0.30, 0.28, (0.6, 0.1))
    rows = [row for row in rows if (row["role"], row["review_id"]) != ("control_constant", "000")]
    meteor, grounding = summary.compare(rows)
    assert (meteor["other"], meteor["metric"], meteor["n"]) == ("control_constant", "meteor", 29)
    assert meteor["difference"] == pytest.approx(0.02) == meteor["ci_low"] == meteor["ci_high"]
    assert grounding["difference"] == pytest.approx(0.5)
    assert summary.compare([row for row in rows if row["role"] != "student"]) == []


@pytest.mark.parametrize(
    ("rows", "beaten"),
    [
        (scores(0.30, 0.28, (0.6, 0.1)), True),
        (scores(0.30, 0.28, (0.1, 0.6)), False),
        (scores(0.28, 0.30, (0.6, 0.1)), False),
        (scores(0.30, 0.30, (0.6, 0.1)), False),
        (scores(0.30, 0.28, (0.6, 0.1), n=10), False),
    ],
    ids=["better in both", "less grounded", "less METEOR", "as good", "too few"],
)
def test_the_student_speaks_only_when_it_beats_the_controls(
    warehouse: Warehouse, rows: list[dict[str, Any]], beaten: bool
) -> None:
    for run_id, day in (("old", 1), ("new", 2)):
        warehouse.append(
            "runs",
            [
                {
                    "run_id": run_id,
                    "started_at": datetime(2026, 1, day),
                    "profile": "p",
                    "version": "0",
                    "status": "done",
                }
            ],
        )
    compared = summary.compare(rows)
    warehouse.append("comparisons", [{"run_id": "new", **row} for row in compared])
    worse = [{**row, "mean": 0.0, "ci_low": -1.0} for row in compared]
    warehouse.append("comparisons", [{"run_id": "old", **row} for row in worse])
    assert warehouse.value("SELECT beaten FROM student_verdict") is beaten
    assert warehouse.value("SELECT passed FROM student_verdict") is beaten


def test_its_own_base_it_need_not_beat_but_must_not_fall_behind(warehouse: Warehouse) -> None:
    rows = [
        row | {"role": row["role"].replace("control_constant", "student_base")} for row in scores(0.3, 0.3, (0.6, 0.6))
    ]
    warehouse.append("runs", [{"run_id": "r", "started_at": NOW, "profile": "p", "version": "0", "status": "done"}])
    compared = summary.compare(rows)
    warehouse.append("comparisons", [{"run_id": "r", **row} for row in compared])
    assert warehouse.query("SELECT beaten, passed FROM student_verdict") == [{"beaten": False, "passed": True}]
    warehouse.execute("UPDATE comparisons SET ci_low = -0.2, ci_high = -0.1 WHERE metric = 'meteor'")
    assert warehouse.query("SELECT beaten, passed FROM student_verdict") == [{"beaten": False, "passed": False}]


def test_what_imitates_the_playbook_is_never_shown(warehouse: Warehouse) -> None:
    warehouse.append("runs", [{"run_id": "r", "started_at": NOW, "profile": "p", "version": "0", "status": "done"}])
    warehouse.append("comparisons", [{"run_id": "r", **row} for row in summary.compare(scores(0.3, 0.28, (0.6, 0.1)))])
    warehouse.append("store.reviews", [review("Cold soup.") | {"review_id": "a"}, review("Slow.") | {"review_id": "b"}])
    warehouse.append("store.current", [{"stage": stage, "fingerprint": "f"} for stage in ("feedback", "generate")])
    key = {"fingerprint": "f", "run_id": "r", "text": "t"}
    warehouse.append("store.feedback", [{**key, "review_id": "a", "role": "teacher", "model": "playbook"}])
    warehouse.append("store.generate", [{**key, "review_id": "a", "role": "student", "model": "phi"}])
    shown = "SELECT shown, (SELECT feedback_role FROM insights WHERE review_id = 'a') FROM student_verdict"
    assert list(warehouse.query(shown)[0].values()) == [False, "teacher"]
    warehouse.append("store.feedback", [{**key, "review_id": "b", "role": "teacher", "model": "mistral"}])
    assert list(warehouse.query(shown)[0].values()) == [True, "student"]


def test_macro_f1_is_the_mean_over_the_classes_that_occur() -> None:
    assert summary.macro_f1({}) is None
    assert summary.macro_f1({("negative", "negative"): 3, ("positive", "positive"): 1}) == 1.0
    pairs = [("negative", "negative"), ("negative", "positive"), ("positive", "positive")]
    assert summary.macro_f1(Counter(pairs)) == pytest.approx((2 / 3 + 2 / 3) / 2)


def test_the_classifier_is_not_judged_on_what_it_was_trained_on(warehouse: Warehouse, fake_profile: Profile) -> None:
    rows = [review(f"Review {n}", stars=stars) for n, stars in enumerate((1.0, 3.0, 5.0, 5.0))]
    warehouse.append("store.reviews", rows)
    warehouse.append("store.current", [{"stage": "sentiment", "fingerprint": "f"}])
    warehouse.append(
        "store.sentiment",
        [
            {
                "review_id": row["review_id"],
                "fingerprint": "f",
                "run_id": "r",
                "model": "m",
                "label": "negative",  # with the stars: it counts for nothing here
                "text_label": label,
                "trained_on": seen,
            }
            for row, label, seen in zip(
                rows, ("negative", "positive", "positive", "negative"), (False, None, False, True), strict=True
            )
        ],
    )
    summary.write(warehouse, "r", fake_profile)
    found = {row["metric"]: row for row in warehouse.query("SELECT * FROM metrics WHERE role = 'classifier'")}
    assert (found["accuracy"]["n"], found["accuracy"]["mean"]) == (3, pytest.approx(2 / 3))
    assert found["polar_accuracy"]["mean"] == 1.0
    assert found["macro_f1"]["mean"] == pytest.approx((1 + 0 + 2 / 3) / 3)


def test_ratings_without_words_count_as_stars_alone(warehouse: Warehouse, fake_profile: Profile) -> None:
    rating = review("👍", stars=5.0, language=None, rating_only=True)
    warehouse.append("store.reviews", [review("Cold soup.", stars=1.0), rating])
    summary.write(warehouse, "r", fake_profile)
    found = {row["metric"]: row["n"] for row in warehouse.query("SELECT * FROM metrics WHERE role = 'reviews'")}
    assert found == {"stars": 2, "unjudged": 1, "language_en": 1}


def test_metrics_name_what_computed_them(warehouse: Warehouse, fake_profile: Profile) -> None:
    warehouse.append("store.reviews", [review(f"Review {name}", review_id=name) for name in "abcd"])
    warehouse.append("store.current", [{"stage": "score", "fingerprint": "f"}])
    key = {"fingerprint": "f", "run_id": "r", "role": "student", "bleurt": 0.1, "bertscore_f1": 0.6, "meteor": 0.2}
    cut = [{**key, "review_id": name, "grounding": 1.0, "bleurt_cut": name == "a"} for name in "abcd"]
    warehouse.append("store.score", cut)
    summary.write(warehouse, "r", fake_profile)
    found = {row["metric"]: row for row in warehouse.query("SELECT * FROM metrics WHERE role = 'student'")}
    assert found["bleurt"]["model"].startswith("stand-in") and found["bertscore_f1"]["model"].startswith("stand-in")
    assert "_L4_no-idf_version=" in found["bertscore_f1"]["settings"], "bert-score's own hash"
    assert (found["bleurt_cut"]["mean"], found["bleurt_cut"]["n"]) == (0.25, 4)


@pytest.mark.parametrize(
    ("metric", "mean", "band"),
    [
        ("bleurt", -0.1, "very poor match"),
        ("bleurt", 0.05, "weak similarity"),
        ("bleurt", 0.6, "very high similarity"),
        ("bertscore_f1", 0.85, "very similar"),
        ("bertscore_f1", 0.49, "poor similarity"),
        ("meteor", 0.28, "weak similarity"),
        ("meteor", 0.3, "moderate similarity"),
        ("meteor", 0.71, "very high overlap"),
    ],
)
def test_the_original_s_bands(warehouse: Warehouse, metric: str, mean: float, band: str) -> None:
    warehouse.append("runs", [{"run_id": "r", "started_at": NOW, "profile": "p", "version": "0", "status": "done"}])
    row = {"run_id": "r", "role": "student", "n": 5}
    warehouse.append("metrics", [{**row, "metric": metric, "mean": mean}, {**row, "metric": "grounding", "mean": 0.5}])
    assert warehouse.query("SELECT metric, band FROM metric_bands") == [{"metric": metric, "band": band}]
    shown = {row["metric"]: row["band"] for row in warehouse.query(sql_file("queries", "model_quality.sql"))}
    assert shown == {metric: band, "grounding": None}
