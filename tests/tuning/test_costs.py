from __future__ import annotations

import itertools

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.reader import calibration
from pipeline.tuning import costs


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities that are true, classes drawn by them)."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet((1, 1, 1), rows)
    return chances, (chances.cumsum(1) > rng.random((rows, 1))).argmax(1)


def test_costs_by_class_the_dearest_first() -> None:
    assert list(costs.parse(["Positive=2", "negative=3"], SENTIMENTS).items()) == [
        ("negative", 3.0),
        ("positive", 2.0),
        ("neutral", 1.0),
    ]


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("angry=3", "no class 'angry'"),
        ("negative", "above 0"),
        ("negative=x", "above 0"),
        ("negative=0", "above 0"),
        ("negative=inf", "above 0"),
        ("negative=nan", "above 0"),
    ],
)
def test_a_cost_that_is_none_is_one_clear_line(pair: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        costs.parse([pair], SENTIMENTS)
    assert "\n" not in str(caught.value)


def test_a_row_costs_what_its_class_does() -> None:
    prices = np.array([3.0, 1.0, 2.0])
    assert costs.of_rows(np.array([1, 1, 2, 0]), np.array([0, 1, 2, 2]), prices).tolist() == [3, 0, 0, 2]
    missed_and_invented = costs.of_rows(np.array([[0, 1]]), np.array([[1, 0]]), np.array([5.0, 1.0]))
    assert missed_and_invented.tolist() == [6], "one missed for 5, and one that nobody felt for 1"


def test_two_classes_have_a_threshold_in_the_usual_sense() -> None:
    chances = np.array([[0.3, 0.7], [0.2, 0.8]])
    assert costs.decide(chances, np.array([0.25, 0.75]), False).tolist() == [0, 1]


def test_no_thresholds_of_the_grid_cost_less_on_the_rows_they_are_chosen_on() -> None:
    chances, truth = drawn(200)
    prices = np.array([4.0, 1.0, 1.0])
    chosen = costs.choose(chances, truth, prices)
    least = costs.of_rows(costs.decide(chances, chosen, False), truth, prices).sum()
    for a, b in itertools.product((0.3, 0.5, 1, 2, 3.5), repeat=2):
        other = np.array([0.25, a, b])
        assert least <= costs.of_rows(costs.decide(chances, other / other.sum(), False), truth, prices).sum() + 4
    assert chosen.sum() == pytest.approx(1)
    assert chosen[0] < chosen[1:].min() / 2, "what is dear to miss is said sooner"


def test_with_true_probabilities_the_cost_of_other_rows_falls_and_recall_of_the_dear_class_rises() -> None:
    validation, test = drawn(400, 1), drawn(400, 2)
    plain = test[0].argmax(1)
    found = costs.weigh(costs.parse(["negative=5"], SENTIMENTS), SENTIMENTS, validation, test, {"tuned": plain})
    before, after = found["rows"]
    assert found["high"] < 0 and after["cost"] < before["cost"]
    assert after["classes"]["negative"]["recall"] > before["classes"]["negative"]["recall"] + 0.1
    assert next(iter(found["costs"])) == "negative"
    assert "less, " in costs.sentence(found) and "Recall of negative" in costs.sentence(found)


def test_equal_costs_on_few_rows_are_not_called_a_gain() -> None:
    validation, test = drawn(30, 1), drawn(30, 2)
    found = costs.weigh(costs.parse([], SENTIMENTS), SENTIMENTS, validation, test, {"tuned": test[0].argmax(1)})
    assert "not clearly another" in costs.sentence(found)


def test_emotions_have_a_threshold_each() -> None:
    rng = np.random.default_rng(0)
    chances = rng.random((500, 2))
    truth = (rng.random((500, 2)) < chances).astype(int)
    dear, usual = costs.choose(chances, truth, np.array([9.0, 1.0]))
    assert dear == pytest.approx(0.1, abs=0.06) and usual == pytest.approx(0.5, abs=0.11), "1 / (1 + cost)"


@pytest.mark.parametrize("classes", [SENTIMENTS, ("negative", "positive")])
def test_a_calibration_decides_as_the_thresholds_do(classes: tuple[str, ...]) -> None:
    chances, truth = drawn(100)
    fitted = calibration.fit(chances, truth, ["de"] * 60 + ["en"] * 40)
    at = [SENTIMENTS.index(name) for name in classes]
    of_three = len(classes) == 3
    if not of_three:
        chances[:, 1] = 0
        chances /= chances.sum(1, keepdims=True)
    languages = ["de", "en"] * 50
    served = calibration.apply(fitted, chances, languages) if of_three else chances
    thresholds = dict(zip(classes, (0.2, 0.3, 0.5), strict=False))
    combined = costs.as_calibration(fitted if of_three else None, thresholds)
    decided = costs.decide(served[:, at], np.array(list(thresholds.values())), False)
    leaning = calibration.apply(combined, chances, languages)
    assert [SENTIMENTS[n] for n in leaning.argmax(1)] == [classes[n] for n in decided]
