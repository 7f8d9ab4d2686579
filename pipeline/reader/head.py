"""A sentiment head of one's own over what the reader says of a review: small enough to be fitted by every shop, in seconds.

    logits = log(words) A + vector W + b

`words` are the reader's calibrated probabilities of SENTIMENTS, `vector` its vector of the review; A, W and b are fitted by
penalised maximum likelihood (softmax regression), pulled towards A = 1, W = 0, b = 0, which is the reader as it is. It
applies to the languages that it was fitted on and leaves others alone. `review-insights retrain` makes one and decides
whether it is used; the sentiment stage applies the one that the profile names.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS

MIN_ROWS = 50  # that a language needs
_DIGITS = 4
_TINY = 1e-4
_PRIOR = 1.0  # strength of the pull on W, relative to the loss of one row; vectors have length 1
_PRIOR_WORDS = 10.0  # on A, whose inputs are larger


def fit(
    words: np.ndarray,
    vectors: np.ndarray,
    truth: np.ndarray,
    languages: Sequence[str | None],
    weights: np.ndarray | None = None,
) -> dict[str, Any]:
    """{"classes", "languages", "words": A (3, 3), "vector": W (width, 3), "bias": b (3,)}, rounded, as lists.

    `words`: (rows, 3), `vectors`: (rows, width), `truth`: class indices, `weights`: of the rows, 1 each by default. Rows in a
    language that has fewer than MIN_ROWS count, but the head will not be applied to that language.
    """
    import torch

    inputs = torch.tensor(np.log(np.maximum(words, _TINY)), dtype=torch.float64)
    directions = torch.tensor(vectors, dtype=torch.float64)
    target = torch.tensor(truth, dtype=torch.long)
    counts = (
        torch.ones(len(truth), dtype=torch.float64) if weights is None else torch.tensor(weights, dtype=torch.float64)
    )
    change = torch.zeros(len(SENTIMENTS), len(SENTIMENTS), dtype=torch.float64, requires_grad=True)
    weight = torch.zeros(directions.shape[1], len(SENTIMENTS), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(SENTIMENTS), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [change, weight, bias], max_iter=100, tolerance_change=1e-6, line_search_fn="strong_wolfe"
    )

    def loss() -> Any:
        optimiser.zero_grad()
        logits = inputs + inputs @ change + directions @ weight + bias
        value = (counts * torch.nn.functional.cross_entropy(logits, target, reduction="none")).sum()
        value = value + _PRIOR * weight.square().sum() + _PRIOR_WORDS * change.square().sum() + bias.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    names, times = np.unique([language or "" for language in languages], return_counts=True)
    return {
        "classes": list(SENTIMENTS),
        "languages": [str(name) for name, count in zip(names, times, strict=True) if name and count >= MIN_ROWS],
        "words": _rounded(change.detach().numpy() + np.eye(len(SENTIMENTS))),
        "vector": _rounded(weight.detach().numpy()),
        "bias": _rounded(bias.detach().numpy()),
    }


def _rounded(values: np.ndarray) -> list[Any]:
    rounded: list[Any] = values.round(_DIGITS).tolist()
    return rounded


def apply(head: dict[str, Any], words: np.ndarray, vectors: np.ndarray, languages: Sequence[str | None]) -> np.ndarray:
    """Probabilities, float32, shape (rows, 3) like `words`. Rows in a language that the head was not fitted on keep theirs;
    those in an unknown one (None), as most short texts are, get the head's. Raises ValueError for vectors of another width.
    """
    applied = np.array(words, dtype=np.float32)
    rows = [at for at, name in enumerate(languages) if name is None or name in head["languages"]]
    if not rows:
        return applied
    logits = np.log(np.maximum(words[rows].astype(np.float64), _TINY)) @ np.array(head["words"])
    logits = logits + vectors[rows].astype(np.float64) @ np.array(head["vector"]) + np.array(head["bias"])
    exponent = np.exp(logits - logits.max(1, keepdims=True))
    applied[rows] = exponent / exponent.sum(1, keepdims=True)
    return applied


def content(head: dict[str, Any]) -> str:
    """A head as JSON text, which `load` reads from a file."""
    return json.dumps(head, separators=(",", ":")) + "\n"


@functools.cache
def _load(path: str, digest: str) -> dict[str, Any]:
    head = json.loads(Path(path).read_text(encoding="utf-8"))
    shapes = [np.array(head[name], dtype=np.float64) for name in ("words", "vector", "bias")]
    n = len(SENTIMENTS)
    if head["classes"] != list(SENTIMENTS) or not isinstance(head["languages"], list):
        raise ValueError("it is not for negative, neutral, positive")
    if [shapes[0].shape, shapes[1].shape[1:], shapes[2].shape] != [(n, n), (n,), (n,)]:
        raise ValueError("its weights have another shape")
    if not all(np.isfinite(values).all() for values in shapes):
        raise ValueError("a weight is not a number")
    return dict(head)


def load(path: str) -> dict[str, Any]:
    """A head from a file. Raises InputError if there is none or it cannot be applied."""
    try:
        return _load(path, identity(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a sentiment head ({error}). Make one with: review-insights retrain") from error


def identity(path: str) -> str:
    """Hash of the file's content, 16 hex digits, for fingerprints. Raises InputError if there is no such file."""
    try:
        return digest(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"There is no sentiment head at {path}. Make one with: review-insights retrain") from error


def digest(text: str) -> str:
    """Hash of a head's JSON text, 16 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
