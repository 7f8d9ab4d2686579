"""What mistakes cost: thresholds that make a classifier's expected cost least, and what they gain.

Missing a row of a class costs what its class does, 1 where nothing is said; with several classes per row, an emotion that
nobody felt costs 1 besides. A class is said where its probability is largest in proportion to its threshold, which for two
classes is a threshold in the usual sense (Elkan 2001, "The Foundations of Cost-Sensitive Learning": with true probabilities,
thresholds in proportion to 1 / cost are best). Probabilities are not quite true, so the thresholds are those with the least
cost on validation rows, near these ones first.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.quality import intervals
from pipeline.reader import calibration

_STEPS = 2.0 ** (np.arange(-8, 9) / 4)  # what thresholds are tried at: a quarter to four times those of the theory
_GRID = np.arange(0.05, 0.951, 0.05)  # an emotion's


def parse(given: Sequence[str], classes: Sequence[str]) -> dict[str, float]:
    """CLASS=NUMBER pairs -> the cost of each of `classes`, the dearest first. Raises InputError for what is none."""
    costs = dict.fromkeys(classes, 1.0)
    for pair in given:
        name, _, value = pair.partition("=")
        name = name.strip().lower()
        try:
            cost = float(value)
        except ValueError:
            cost = math.nan
        if name not in costs:
            raise InputError(f"--cost {pair}: there is no class {name!r} in the data: {', '.join(classes[:5])}.")
        if not 0 < cost < math.inf:
            raise InputError(f"--cost {pair}: write CLASS=NUMBER with a number above 0, for instance negative=3.")
        costs[name] = cost
    return dict(sorted(costs.items(), key=lambda item: -item[1]))


def decide(probabilities: np.ndarray, thresholds: np.ndarray, multilabel: bool) -> np.ndarray:
    """Class indices, or 0 and 1 per class where a row may have several. `thresholds`: one per class."""
    if multilabel:
        return np.asarray(probabilities >= thresholds, dtype=int)
    return np.asarray((probabilities / thresholds).argmax(1))


def of_rows(decisions: np.ndarray, truth: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """What the decision on each row costs, shape (rows,). `costs`: one per class."""
    if truth.ndim == 2:
        return np.asarray(((truth == 1) & (decisions == 0)) @ costs + ((truth == 0) & (decisions == 1)).sum(1))
    return np.asarray(np.where(decisions == truth, 0.0, costs[truth]))


def choose(probabilities: np.ndarray, truth: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """The thresholds with the least cost on these rows, one per class; they sum to 1 unless a row may have several classes."""
    if truth.ndim == 2:
        return np.array([_of_one(probabilities[:, at], truth[:, at], cost) for at, cost in enumerate(costs)])
    theory = 1 / costs
    tried = [theory * np.array([1.0, *steps]) for steps in itertools.product(_STEPS, repeat=len(costs) - 1)]
    tried.sort(key=lambda values: float(np.abs(np.log(values / theory)).sum()))  # of equals, the one nearest to it
    total = [of_rows(decide(probabilities, values, False), truth, costs).sum() for values in tried]
    best = tried[int(np.argmin(total))]
    return np.asarray(best / best.sum())


def _of_one(probabilities: np.ndarray, truth: np.ndarray, cost: float) -> float:
    """The threshold of one class among several: as cheap as can be, and then as near as can be to the theory's."""
    chosen = probabilities >= _GRID[:, None]
    total = cost * (~chosen & (truth == 1)).sum(1) + (chosen & (truth == 0)).sum(1)
    best = _GRID[total == total.min()]
    return round(float(best[np.abs(best - 1 / (1 + cost)).argmin()]), 2)


def weigh(
    costs: Mapping[str, float],
    classes: Sequence[str],
    validation: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    decided: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Thresholds for these costs, and what they change on the test rows, JSON-serialisable.

    `validation`, `test`: (probabilities, truth) of the tuned model as a profile serves it. `decided`: name -> decisions on the
    test rows without regard to costs; the last of them is what the thresholds are compared with.
    """
    values = np.array([costs[name] for name in classes])
    thresholds = choose(*validation, values)
    probabilities, truth = test
    of_costs = {**decided, "tuned, by cost": decide(probabilities, thresholds, truth.ndim == 2)}
    each = {name: of_rows(decisions, truth, values) for name, decisions in of_costs.items()}
    before = list(decided)[-1]
    difference, low, high = intervals.paired_bootstrap(each["tuned, by cost"], each[before])
    return {
        "costs": dict(costs),
        "thresholds": {name: round(float(value), 4) for name, value in zip(classes, thresholds, strict=True)},
        "rows": [
            {"name": name, **_expected(each[name]), "classes": _by_class(of_costs[name], truth, classes)}
            for name in of_costs
        ],
        "before": before,
        "difference": difference,
        "low": low,
        "high": high,
    }


def _expected(each: np.ndarray) -> dict[str, Any]:
    low, high = intervals.bootstrap_mean(each)
    return {"cost": float(each.mean()), "low": low, "high": high}


def _by_class(decisions: np.ndarray, truth: np.ndarray, classes: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Recall and precision of each class; None where nothing is or is said to be one."""
    found = {}
    for at, name in enumerate(classes):
        is_one, said = (values[:, at] == 1 if truth.ndim == 2 else values == at for values in (truth, decisions))
        both = int((is_one & said).sum())
        found[name] = {
            "recall": both / int(is_one.sum()) if is_one.any() else None,
            "precision": both / int(said.sum()) if said.any() else None,
        }
    return found


def sentence(weighed: Mapping[str, Any]) -> str:
    """In words, whether the thresholds pay. `weighed`: of `weigh`."""
    rows = {row["name"]: row for row in weighed["rows"]}
    before, after = rows[weighed["before"]], weighed["rows"][-1]
    dearest = next(iter(weighed["costs"]))
    recall = [_number(row["classes"][dearest]["recall"]) for row in (before, after)]
    low, high = weighed["low"], weighed["high"]
    clear = low is not None and high is not None and (low > 0 or high < 0)
    relation = ("more" if weighed["difference"] > 0 else "less") if clear else "not clearly another"
    interval = "" if low is None else f" (95 % interval {low:+.3f} to {high:+.3f})"
    return (
        f"Expected cost of a test row {before['cost']:.3f} before and {after['cost']:.3f} with the thresholds: {relation}, "
        f"{weighed['difference']:+.3f}{interval}. Recall of {dearest} {recall[0]} before, {recall[1]} after."
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def as_calibration(fitted: Mapping[str, Any] | None, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """A calibration (of `pipeline.reader.calibration`) whose most probable class is the one that the thresholds choose.

    Dividing by a threshold is a bias of minus its logarithm, so that a profile needs no second way to say it. `fitted`: the
    calibration on whose probabilities the thresholds were chosen; None: on the model's own.
    """
    added = np.array([-math.log(thresholds[name]) if name in thresholds else 0.0 for name in SENTIMENTS])
    none = {calibration.COMMON: {"n": 0, "temperature": 1.0, "bias": [0.0] * len(SENTIMENTS)}}
    languages = fitted["languages"] if fitted else none
    return {
        "classes": list(SENTIMENTS),
        "languages": {name: {**item, "bias": _centred(item["bias"] + added)} for name, item in languages.items()},
    }


def _centred(bias: np.ndarray) -> list[float]:
    return [round(value, 4) for value in (bias - bias.mean()).tolist()]
