"""Noise bounds against tables, and against simulated chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality import change


@pytest.mark.parametrize(("rows", "quantile"), [(2, 318.309), (3, 22.327), (7, 5.208), (31, 3.385)])
def test_the_noise_of_a_mean_is_student_s_t(rows: int, quantile: float) -> None:
    """The 0.999 quantiles of the tables, times the standard error of the pairs' differences."""
    before = dict.fromkeys(map(str, range(rows)), 0.0)
    after = {key: float(key) for key in before}
    error = np.std(list(after.values()), ddof=1) / math.sqrt(rows)
    assert change.mean(before, after, 0.001).noise == pytest.approx(quantile * error, rel=1e-4)


@pytest.mark.parametrize(
    ("alpha", "categories", "quantile"), [(0.05, 2, 3.8415), (0.05, 6, 11.0705), (0.001, 29, 56.892)]
)
def test_the_noise_of_the_stability_index_is_chi_square(alpha: float, categories: int, quantile: float) -> None:
    counts = dict.fromkeys(map(str, range(categories)), 100)
    n = 100 * categories + categories / 2
    assert change.stability(counts, counts, alpha).noise == pytest.approx(quantile * 2 / n, rel=1e-4)


def test_a_mean_on_the_same_rows_is_compared_in_pairs() -> None:
    before = {str(row): row / 10 for row in range(20)}
    after = {key: value - 0.1 + 0.001 * (int(key) % 2) for key, value in before.items()}
    moved = change.mean(before, after, 0.01)
    assert moved.paired and moved.n == 20 and moved.moved == pytest.approx(-0.0995)
    assert moved.noise < 0.001  # the rows differ by 2, the pairs by a thousandth
    elsewhere = change.mean(before, {f"new {key}": value for key, value in after.items()}, 0.01)
    assert not elsewhere.paired and elsewhere.noise > 0.3


def test_one_row_tells_nothing_and_no_difference_is_none() -> None:
    assert change.mean({"a": 0.1}, {"a": 0.9}, 0.05).noise == math.inf
    assert change.mean({"a": 0.1}, {"b": 0.9}, 0.05).noise == math.inf
    same = {"a": 0.1, "b": 0.2}
    assert (change.mean(same, same, 0.05).moved, change.mean(same, same, 0.05).noise) == (0.0, 0.0)


def test_chance_stays_within_the_noise() -> None:
    """About 5 % of draws from one world fall by more than the noise, on the same rows and on others."""
    rng = np.random.default_rng(1)
    fell = {"same rows": 0, "other rows": 0}
    for _ in range(1000):
        first, other = rng.beta(2, 5, size=(2, 40))
        before = {str(row): value for row, value in enumerate(first)}
        same = {str(row): value for row, value in enumerate(first + rng.normal(0, 0.05, size=40))}
        others = {f"new {row}": value for row, value in enumerate(other)}
        for name, after in (("same rows", same), ("other rows", others)):
            moved = change.mean(before, after, 0.05)
            assert moved.paired == (name == "same rows")
            fell[name] += moved.moved < -moved.noise
    assert all(25 <= count <= 75 for count in fell.values())


def test_macro_f1_of_one_class_of_errors() -> None:
    truth = ["negative", "neutral", "positive"] * 30
    right = {str(i): (name, name) for i, name in enumerate(truth)}
    wrong = {key: (name, "positive" if name == "neutral" else name) for key, (name, _) in right.items()}
    moved = change.macro_f1(right, wrong, 0.01)
    assert (moved.before, moved.paired, moved.n) == (1.0, True, 90)
    assert moved.after == pytest.approx((1 + 0 + 2 * 30 / 90) / 3)
    assert -moved.moved > moved.noise > 0
    still = change.macro_f1(wrong, wrong, 0.01)
    assert (still.moved, still.noise) == (0.0, 0.0)
    others = change.macro_f1(right, {f"new {key}": pair for key, pair in wrong.items()}, 0.01)
    assert not others.paired and -others.moved > others.noise > 0


def test_shares_leave_room_where_nothing_has_failed_yet() -> None:
    assert change.share((0, 30), (1, 30), 0.01).noise > 1 / 30
    gone = change.share((0, 300), (60, 300), 0.01)
    assert gone.moved == pytest.approx(0.2) and gone.moved > gone.noise


def test_the_stability_index_of_a_known_shift() -> None:
    before, after = {"en": 5000, "de": 5000}, {"en": 8000, "de": 2000}
    expected = 0.3 * math.log(0.8 / 0.5) - 0.3 * math.log(0.2 / 0.5)
    assert change.stability(before, after, 0.01).after == pytest.approx(expected, abs=1e-3)
    assert change.stability(before, before, 0.01).after == 0.0
    assert math.isfinite(change.stability({"en": 10}, {"de": 10}, 0.01).after)


def test_chance_seldom_moves_the_stability_index_beyond_its_noise() -> None:
    rng = np.random.default_rng(2)
    shares = np.array([0.5, 0.2, 0.1, 0.1, 0.05, 0.05])
    above = 0
    for _ in range(1000):
        sides = [dict(zip("abcdef", map(int, rng.multinomial(n, shares)), strict=True)) for n in (300, 120)]
        moved = change.stability(*sides, 0.05)
        above += moved.after > moved.noise
    assert 25 <= above <= 75


counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 1000), min_size=1)


@given(counts, counts)
def test_the_stability_index_is_never_negative(before: dict[str, int], after: dict[str, int]) -> None:
    assert change.stability(before, after, 0.05).after >= -1e-12
    swapped = change.stability(after, before, 0.05)
    assert swapped.after == pytest.approx(change.stability(before, after, 0.05).after)
