"""The table of metrics and its scorers fit together."""

from __future__ import annotations

from pipeline.core.profile import load
from pipeline.core.warehouse import Warehouse
from pipeline.metrics import table
from pipeline.metrics.scorer import Candidate

ROW = Candidate(
    review_id="r",
    role="student",
    candidate="Serve the soup hot.",
    raw_output="Serve the soup hot.",
    prompt="Review: cold soup",
    reference="Keep the soup hot.",
    review="The soup was cold.",
)


def test_scorers_fill_exactly_the_columns_of_their_metrics(warehouse: Warehouse) -> None:
    for scorer, metrics in table.scorers(load("embedded")):
        wanted = {metric.name for metric in metrics if metric.value is None}
        filled = scorer.columns([ROW], warehouse)
        assert set(filled) == wanted or (wanted == {"judge"} and not filled), "nobody is asked without a judge"
        assert all(len(values) == 1 for values in filled.values())


def test_a_scorer_that_comes_anew_changes_the_fingerprint() -> None:
    """Those that the second version of the stage `score` began with are covered by that version."""
    covered = {"meteor", "length_ratio", "prompt_echo", "copied_share", "repetition", "unfinished", "wrong_language"}
    silent = [metrics for scorer, metrics in table.scorers(load("embedded")) if not scorer.depends_on]
    assert {metric.name for metrics in silent for metric in metrics} <= covered, "name the scorer in its depends_on"


def test_no_name_is_used_twice() -> None:
    names = [metric.name for metric in table.METRICS]
    names += [name for metric in table.METRICS for name in metric.also or {}]
    assert len(names) == len(set(names))


def test_what_is_compared_is_no_signal() -> None:
    assert not any(metric.signal for metric in table.COMPARED)
