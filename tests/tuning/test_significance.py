from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tuning import significance


def right(*rows: int) -> np.ndarray:
    return np.array(rows, dtype=bool)


@pytest.mark.parametrize(
    ("a_only", "b_only", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 0, 2 / 2**5),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
    ],
)
def test_mcnemar_is_the_binomial_test_of_who_is_right_alone(a_only: int, b_only: int, p: float) -> None:
    assert significance.mcnemar(a_only, b_only) == pytest.approx(p)


def test_holm_by_hand() -> None:
    assert significance.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert significance.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_a_corrected_p_is_never_smaller_and_keeps_the_order(values: list[float]) -> None:
    corrected = significance.holm(values)
    assert all(value <= other <= 1 for value, other in zip(values, corrected, strict=True))
    assert sorted(corrected) == [other for _, other in sorted(zip(values, corrected, strict=True))]


def test_all_pairs_overall_and_by_language() -> None:
    good, bad, same = np.ones(60, bool), np.arange(60) < 40, np.ones(60, bool)
    found = significance.pairs({"good": good, "bad": bad, "same": same}, ["en"] * 25 + ["de"] * 25 + ["fr"] * 10)
    overall = [pair for pair in found if pair["language"] == significance.ALL]
    assert [(pair["a"], pair["b"], pair["differ"]) for pair in overall] == [
        ("good", "bad", True),
        ("good", "same", False),
        ("bad", "same", True),
    ]
    first = overall[0]
    assert (first["a_only"], first["b_only"], first["n"]) == (20, 0, 60)
    assert first["difference"] == pytest.approx(1 / 3) and first["low"] is not None and first["low"] > 0.2
    assert first["corrected"] >= first["p"]
    assert {pair["language"] for pair in found} == {"", "de", "en"}, "ten rows say nothing"
    assert not any(pair["differ"] for pair in found if pair["language"] == "en"), "all are right there"
    assert significance.sentence(overall[2]) == "same is better than bad, by 33.3 points of accuracy"
    assert "do not clearly differ" in significance.sentence(overall[1])


def test_one_language_is_not_asked_about_twice_and_one_model_has_no_pair() -> None:
    alone = {"a": right(*[1] * 30), "b": right(*[0] * 30)}
    assert [pair["language"] for pair in significance.pairs(alone, ["en"] * 30)] == [significance.ALL]
    assert significance.pairs({"a": right(1, 0)}, ["en", "en"]) == []


def test_equal_models_are_seldom_told_apart() -> None:
    rng = np.random.default_rng(0)
    told = sum(
        significance.pairs(dict(zip("abc", rng.random((3, 80)) < 0.7, strict=True)), ["en"] * 80)[0]["differ"]
        for _ in range(40)
    )
    assert told <= 4
