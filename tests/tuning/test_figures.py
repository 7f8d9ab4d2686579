from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from pipeline.tuning import figures

CLASSES = ("negative", "neutral", "positive")


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, rows)
    chances = rng.dirichlet((1, 1, 1), rows) + 0.6 * np.eye(3)[truth]
    return chances / chances.sum(1, keepdims=True), truth


def test_figures_by_hand() -> None:
    chances = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    truth = np.array([0, 1, 1, 2])
    own = figures.quality(chances, truth, CLASSES)
    assert own["accuracy"] == 0.75 and own["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert own["classes"]["negative"]["precision"] == 0.5 and own["classes"]["neutral"]["recall"] == 0.5
    assert own["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert own["ece"] == pytest.approx((abs(0.8 - 1) + abs(0.6 - 0) + abs(0.5 - 1) + abs(0.7 - 1)) / 4)


@given(st.integers(5, 200), st.integers(0, 20))
def test_figures_agree_with_scikit_learn(rows: int, seed: int) -> None:
    chances, truth = drawn(rows, seed)
    own = figures.quality(chances, truth, CLASSES)
    held = sorted(set(truth.tolist()))
    assert own["macro_f1"] == pytest.approx(
        f1_score(truth, chances.argmax(1), labels=held, average="macro", zero_division=0)
    )
    if len(held) == 3:
        assert own["macro_auc"] == pytest.approx(roc_auc_score(truth, chances, multi_class="ovr", average="macro"))
    assert own["macro_f1_low"] <= own["macro_f1"] + 1e-9 or rows < 10
    assert 0 <= own["ece"] <= 1 and sum(item["n"] for item in own["bins"]) == rows


def test_the_interval_of_macro_f1_covers_what_row_resampling_gives() -> None:
    chances, truth = drawn(300)
    own, guess = figures.quality(chances, truth, CLASSES), chances.argmax(1)
    rng = np.random.default_rng(1)
    values = []
    for _ in range(400):
        at = rng.integers(0, 300, 300)
        values.append(f1_score(truth[at], guess[at], average="macro"))
    assert own["macro_f1_low"] == pytest.approx(np.quantile(values, 0.025), abs=0.012)
    assert own["macro_f1_high"] == pytest.approx(np.quantile(values, 0.975), abs=0.012)


def test_a_temperature_mends_what_was_too_sure_on_rows_it_was_not_fitted_on() -> None:
    rng = np.random.default_rng(0)
    honest = rng.dirichlet((1, 1, 1), 600)
    truth = (honest.cumsum(1) > rng.random((600, 1))).argmax(1)
    too_sure = honest**2.5 / (honest**2.5).sum(1, keepdims=True)
    found = figures.tempered(too_sure, truth)
    assert found["temperature"] == pytest.approx(2.5, abs=0.5)
    before = figures.quality(too_sure, truth, CLASSES)
    assert found["ece_tempered"] < before["ece"] / 2
    right = sum(item["n"] * item["accuracy"] for item in found["tempered"] if item["n"])
    assert right == pytest.approx(600 * before["accuracy"]), "it never changes what a model says"
    assert figures.tempered(too_sure[:39], truth[:39]) == {"temperature": None, "ece_tempered": None, "tempered": []}


def test_languages_and_missing_classes() -> None:
    chances, truth = drawn(60)
    languages = ["de"] * 50 + ["fr"] * 10
    own = figures.quality(chances, truth, CLASSES, languages)
    assert own["languages"]["fr"]["few"] and not own["languages"]["de"]["few"]
    assert own["languages"]["de"]["accuracy"] == pytest.approx((chances[:50].argmax(1) == truth[:50]).mean())
    only = figures.quality(chances[:3], np.array([2, 2, 2]), CLASSES)
    assert only["macro_auc"] is None, "one side alone has no ROC curve"
    assert only["macro_f1"] == only["classes"]["positive"]["f1"], "classes that no row has do not count"


def test_a_language_that_is_only_guessed_is_told_and_not_served() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 400)
    chances = np.eye(3)[truth] * 0.5 + rng.dirichlet((1, 1, 1), 400) * 0.5
    chances[200:] = rng.dirichlet((1, 1, 1), 200)
    own = figures.quality(chances, truth, CLASSES, ["de"] * 200 + ["hi"] * 190 + ["fr"] * 10)
    assert {name: item["guesses"] for name, item in own["languages"].items()} == {"de": False, "fr": False, "hi": True}
    assert "In hi the tuned model" in figures.guessing_note(own), "ten rows say nothing, for or against"
    assert figures.learned(["de", "fr", "hi"], own) == ["de", "fr"]
    assert figures.learned(["hi"], own) == ["hi"], "an empty list would mean every language"
    assert figures.guessing_note({"languages": {}}) == ""


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=3, max_size=3))
def test_guessing_never_fails_and_more_rows_of_the_same_make_it_surer(rows: list[list[int]]) -> None:
    confusion = np.array(rows)
    if confusion.sum() == 0:
        return
    if not figures.is_guessing(confusion):
        assert not figures.is_guessing(confusion * 50)


def test_several_classes_at_once_use_their_thresholds() -> None:
    chances = np.array([[0.9, 0.3], [0.2, 0.4], [0.7, 0.1]])
    truth = np.array([[1, 1], [0, 1], [1, 0]])
    low = figures.quality(chances, truth, ("joy", "love"), thresholds=(0.5, 0.2))
    assert low["accuracy"] == 1.0 and low["micro_f1"] == 1.0 and "confusion" not in low
    assert figures.quality(chances, truth, ("joy", "love"), thresholds=(0.5, 0.5))["accuracy"] == pytest.approx(1 / 3)


def test_a_shift_between_languages_is_found_on_comparable_rows_only() -> None:
    """German is scored 0.2 lower on the same labels; French only has worse labels, which is no shift."""
    rng = np.random.default_rng(0)
    languages = np.array(["en"] * 300 + ["de"] * 300 + ["fr"] * 300)
    truth = np.concatenate([rng.integers(0, 3, 600), rng.choice(3, 300, p=(0.8, 0.1, 0.1))])
    scores = (truth - 1) * 0.7 + rng.normal(scale=0.1, size=900) - 0.2 * (languages == "de")
    shifts = figures.language_shift(scores, truth, languages.tolist())
    assert shifts["de"]["shift"] == pytest.approx(-0.2, abs=0.03) and shifts["de"]["high"] < 0
    assert shifts["en"]["shift"] == pytest.approx(0.1, abs=0.03), "0 and -0.2 are the others"
    assert shifts["fr"]["shift"] == pytest.approx(shifts["en"]["shift"], abs=0.03)
    assert (scores[languages == "fr"].mean() - scores[languages == "en"].mean()) < -0.3, "the plain means mislead"
    lines = figures.caution(shifts)
    assert lines[0].startswith("Rows in de are scored 0.2") and "Do not act" in lines[-1]


def test_cautions_when_nothing_can_be_said() -> None:
    scores, truth = np.zeros(20), np.zeros(20, dtype=int)
    assert "Only one language" in figures.caution(figures.language_shift(scores, truth, ["en"] * 20))[0]
    few = figures.language_shift(scores, truth, ["en"] * 17 + ["de"] * 3)
    assert few["de"]["shift"] is None, "three rows prove nothing"
    level = figures.language_shift(np.tile([0.1, -0.1], 10), truth, ["en"] * 10 + ["de"] * 10)
    assert "no language is scored clearly" in figures.caution(level)[0]
