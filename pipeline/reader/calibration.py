"""Calibration of a sentiment classifier per language: a temperature and a bias per class, fitted on labelled rows.

Calibrated = softmax(log(raw) / temperature + bias), so it works on the probabilities of any model. Temperature scaling
is from Guo et al. 2017, "On Calibration of Modern Neural Networks"; the bias per class corrects a language's shift
towards a class. Stored as JSON beside the model; the sentiment stage applies the one that the profile names and keeps
the raw probabilities too.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS

MIN_ROWS = 50  # a language with fewer gets the common calibration
COMMON = "*"  # key of the calibration for languages that were not fitted
_TINY = 1e-6
_PRIOR = 1.0  # strength of the prior towards no change, relative to the loss of one row


def fit(
    probabilities: np.ndarray,
    truth: np.ndarray,
    languages: Sequence[str],
    classes: Sequence[str] = SENTIMENTS,
    min_rows: int = MIN_ROWS,
) -> dict[str, Any]:
    """{"classes", "languages": {code or "*": {"n", "temperature", "bias"}}}, fitted by penalised maximum likelihood.

    `probabilities`: shape (rows, classes), `truth`: class indices. The biases of a language sum to 0.
    """
    names = np.asarray(languages)
    groups = {COMMON: np.ones(len(truth), dtype=bool)}
    groups |= {
        name: names == name for name in sorted(set(languages) - {"unknown"}) if (names == name).sum() >= min_rows
    }
    return {
        "classes": list(classes),
        "languages": {name: _fit(probabilities[at], truth[at]) for name, at in groups.items()},
    }


def temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The temperature alone, without biases: it changes how sure a model is and never what it says."""
    return float(_fit(probabilities, truth, biased=False)["temperature"])


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log(probabilities) / temperature), shape (rows, classes)."""
    bias = [0.0] * probabilities.shape[1]
    alone = {"languages": {COMMON: {"temperature": temperature, "bias": bias}}}
    return apply(alone, probabilities, [None] * len(probabilities))


def _fit(probabilities: np.ndarray, truth: np.ndarray, biased: bool = True) -> dict[str, Any]:
    import torch

    logits = torch.tensor(np.log(np.maximum(probabilities, _TINY)), dtype=torch.float64)
    target = torch.tensor(truth, dtype=torch.long)
    scale = torch.zeros(1, dtype=torch.float64, requires_grad=True)  # log of the temperature
    bias = torch.zeros(logits.shape[1], dtype=torch.float64, requires_grad=biased)
    fitted = [scale, bias] if biased else [scale]
    optimiser = torch.optim.LBFGS(fitted, max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(logits / scale.exp() + bias, target, reduction="sum")
        value = value + _PRIOR * (scale.square().sum() + bias.square().sum())
        value.backward()
        return value

    optimiser.step(loss)
    centred = (bias - bias.mean()).detach().tolist()
    return {
        "n": len(truth),
        "temperature": round(float(scale.detach().exp()), 4),
        "bias": [round(value, 4) for value in centred],
    }


def apply(calibration: dict[str, Any], probabilities: np.ndarray, languages: Sequence[str | None]) -> np.ndarray:
    """Calibrated probabilities, float32, shape (rows, classes) like `probabilities`. Rows in a language that was not fitted
    or is None get the common calibration.
    """
    fitted = calibration["languages"]
    chosen = [fitted.get(language or "", fitted[COMMON]) for language in languages]
    if not chosen:
        return probabilities
    logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY))
    logits = logits / np.array([[item["temperature"]] for item in chosen]) + np.array([item["bias"] for item in chosen])
    # A class that the model does not have (probability 0) gets none from a bias.
    exponent = np.exp(logits - logits.max(1, keepdims=True)) * (probabilities > 0)
    return (exponent / exponent.sum(1, keepdims=True)).astype(np.float32)


def save(calibration: dict[str, Any], path: Path) -> None:
    """Writes the result of `fit` as JSON."""
    path.write_text(json.dumps(calibration, indent=1) + "\n", encoding="utf-8")


@functools.cache
def _load(path: str, digest: str) -> dict[str, Any]:
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    classes, languages = content["classes"], content["languages"]
    if list(classes) != list(SENTIMENTS) or COMMON not in languages:
        raise ValueError("it is not for negative, neutral, positive, or lacks '*'")
    for item in languages.values():
        numbers = [item["temperature"], *item["bias"]]
        if len(item["bias"]) != len(classes) or not all(math.isfinite(n) for n in numbers) or item["temperature"] <= 0:
            raise ValueError("a temperature or bias is not a usable number")
    return dict(content)


def load(path: str) -> dict[str, Any]:
    """A calibration written by `save`. Raises InputError if there is none or it cannot be applied."""
    try:
        return _load(path, identity(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is not a sentiment calibration ({error}). Make one with: review-insights calibrate"
        ) from error


def identity(path: str) -> str:
    """Hash of the file's content, 16 hex digits, for fingerprints. Raises InputError if there is no such file."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise InputError(f"There is no calibration at {path}. Make one with: review-insights calibrate") from error
