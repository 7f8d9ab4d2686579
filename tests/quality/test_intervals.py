"""Intervals: deterministic, calibrated, and honest about what is not defined."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality import intervals

values_of_any_kind = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=2, max_size=60)


def test_the_interval_of_a_normal_sample_is_near_the_textbook_one() -> None:
    sample = np.random.default_rng(1).normal(0.3, 0.1, 400)
    low, high = intervals.bootstrap_mean(sample)
    half = 1.96 * sample.std(ddof=1) / math.sqrt(400)
    assert low == pytest.approx(sample.mean() - half, abs=0.001)
    assert high == pytest.approx(sample.mean() + half, abs=0.001)


def test_it_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        low, high = intervals.bootstrap_mean(rng.beta(2, 5, 100), resamples=400)
        assert low is not None and high is not None
        hits += low <= 2 / 7 <= high
    assert 0.9 <= hits / 200 <= 0.99


def test_pairing_sees_what_independent_intervals_do_not() -> None:
    rng = np.random.default_rng(3)
    base = rng.normal(0.25, 0.1, 200)
    better = base + 0.01 + rng.normal(0, 0.02, 200)
    difference, low, high = intervals.paired_bootstrap(better, base)
    assert difference == pytest.approx((better - base).mean())
    assert low is not None and high is not None and 0 < low < (better - base).mean() < high < 0.02
    worse, _, worse_high = intervals.paired_bootstrap(base, better)
    assert worse == pytest.approx(-(better - base).mean()) and worse_high is not None and worse_high < 0


def test_no_difference_is_no_difference() -> None:
    assert intervals.paired_bootstrap([0.1, 0.5, 0.3], [0.1, 0.5, 0.3]) == (0.0, 0.0, 0.0)


@given(values_of_any_kind, st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_same_values_same_interval_and_the_mean_inside_their_range(values: list[float], seed: int) -> None:
    first = intervals.bootstrap_mean(values, seed=seed, resamples=200)
    assert first == intervals.bootstrap_mean(np.array(values), seed=seed, resamples=200)
    low, high = first
    assert low is not None and high is not None
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert min(values) - slack <= low <= high <= max(values) + slack


def test_seed_and_level_matter() -> None:
    sample = list(np.random.default_rng(4).normal(size=50))
    assert intervals.bootstrap_mean(sample, seed=1) != intervals.bootstrap_mean(sample, seed=2)
    wide, narrow = intervals.bootstrap_mean(sample, level=0.99), intervals.bootstrap_mean(sample, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]  # type: ignore[operator]


def test_blocks_change_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = list(np.random.default_rng(5).normal(size=40))
    whole = intervals.bootstrap_mean(sample)
    monkeypatch.setattr(intervals, "_CELLS", 40 * 7)
    assert intervals.bootstrap_mean(sample) == whole


@given(values_of_any_kind)
@settings(max_examples=40, deadline=None)
def test_the_summary_agrees_with_the_standard_library(values: list[float]) -> None:
    got = intervals.summary(values, resamples=50)
    slack = 1e-9 * (1 + max(map(abs, values)))
    assert got["n"] == len(values)
    assert got["mean"] == pytest.approx(statistics.fmean(values), abs=slack)
    assert got["std"] == pytest.approx(statistics.stdev(values), rel=1e-6, abs=slack)
    assert got["median"] == pytest.approx(statistics.median(values), abs=slack)
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    assert [got["p25"], got["p75"]] == pytest.approx([quarters[0], quarters[2]], abs=slack)
    assert (got["min"], got["max"]) == (min(values), max(values))


def test_the_summary_has_the_columns_of_the_table() -> None:
    names = ["n", "mean", "ci_low", "ci_high", "median", "std", "min", "p25", "p75", "max"]
    assert list(intervals.summary([0.1, 0.2, 0.4])) == names == list(intervals.summary([]))


@pytest.mark.parametrize("nothing", [[], [float("nan")]])
def test_without_values_nothing_is_defined(nothing: list[float]) -> None:
    got = intervals.summary(nothing)
    assert got.pop("n") == 0 and set(got.values()) == {None}
    assert intervals.bootstrap_mean(nothing) == (None, None)
    assert intervals.paired_bootstrap(nothing, nothing) == (None, None, None)


def test_one_value_has_no_spread_and_no_interval() -> None:
    got = intervals.summary([0.4])
    assert (got["n"], got["mean"], got["median"], got["min"], got["max"]) == (1, 0.4, 0.4, 0.4, 0.4)
    assert got["std"] is None and got["ci_low"] is None and got["ci_high"] is None
    assert intervals.paired_bootstrap([0.4], [0.1]) == (pytest.approx(0.3), None, None)


def test_unknown_values_are_left_out() -> None:
    nan = float("nan")
    assert intervals.summary([0.1, nan, 0.3, None]) == intervals.summary([0.1, 0.3])
    assert intervals.paired_bootstrap([0.1, nan, 0.3], [0.0, 0.0, 0.1])[0] == pytest.approx(0.15)


def test_pairs_need_one_length() -> None:
    with pytest.raises(ValueError, match="one length"):
        intervals.paired_bootstrap([0.1, 0.2], [0.1])


def test_of_many_values_the_interval_is_that_of_the_normal_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).exponential(size=intervals.MANY + 1)
    quick = intervals.bootstrap_mean(values)
    monkeypatch.setattr(intervals, "MANY", 10**9)
    assert quick == pytest.approx(intervals.bootstrap_mean(values), rel=0.01)
