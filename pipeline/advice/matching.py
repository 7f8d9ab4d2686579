"""Which problem of the library a complaint is a case of, by its sentence's vector: a softmax over all problems and none of
them.

A problem's score is linear in the sentence's vector. For those of the shipped library its weights were trained with the reader;
for one that was added or changed they are the mean of the vectors of its sentences, so that anyone can add one, turned away from
what is no case of it: that mean alone is near to all that is said of its trade. Problems of
another theme than the complaint's lose, and so do those of another trade, as far as what a business's customers speak of tells
its trade. Where nothing is sure, nothing is said.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pipeline.advice.problems import Problem, load_problems
from pipeline.core.rows import Reading, short
from pipeline.themes import own
from pipeline.themes.taxonomy import Taxonomy

FILE = "problems.safetensors"
SCALE = 25.0  # of cosines, which lie close together in the encoder's space
NONE = 10.8  # score of no problem, where none was trained
UNLIKE, NEAR = (
    0.1,
    0.5,
)  # how far an untrained one is turned away from what is no case of it, and from the nearest others
_NEIGHBOURS = 10
SURE = 0.7  # least probability of a problem that is named
SURE_ALONE = 0.3  # where the complaint has no theme: all lose by THEME then, so that this says more
TRADE = 2.5  # what a wrong trade takes from a score
THEME = 3.0  # and another theme

Read = Callable[[Sequence[str]], list[Reading]]
_Row = tuple[np.ndarray, float]  # vector and bias


@dataclass(frozen=True)
class Match:
    """A problem, and the probability that the complaint is a case of it."""

    problem: str
    probability: float


@dataclass(frozen=True)
class Weights:
    """A problem's score of a sentence's vector: `vectors` @ vector times how much it was stretched, + `bias`; (problems, width)
    and (problems,), float32. `none`: the score of none. `centre`: what was taken from the vectors before they were stretched to
    unit length, (width,); they were of unit length before as well.
    """

    vectors: np.ndarray
    bias: np.ndarray
    none: float = NONE
    centre: np.ndarray | None = None

    def scores(self, vector: np.ndarray) -> np.ndarray:
        """(problems,)."""
        return np.asarray(self.vectors @ vector * self._stretched(vector) + self.bias)

    def _stretched(self, vector: np.ndarray) -> float:
        """The length that brings `vector` back onto the unit sphere around the origin when the centre is added."""
        if self.centre is None:
            return 1.0
        along = float(self.centre @ vector)
        return float(np.sqrt(max(along**2 + 1 - float(self.centre @ self.centre), 0.0)) - along)


class Matcher:
    """Problems with their weights."""

    def __init__(self, problems: Sequence[Problem], weights: Weights) -> None:
        self.problems, self.weights = tuple(problems), weights
        self._themes = np.array([problem.theme for problem in problems])
        trades = sorted({trade for problem in problems for trade in problem.trades})
        self._in_trade = {trade: np.array([trade in problem.trades for problem in problems]) for trade in trades}

    def ranked(self, vector: np.ndarray, theme: str, trades: Mapping[str, float] | None = None) -> list[Match]:
        """Every problem that a complaint about `theme` may be a case of, the most probable first. `vector`: of its sentence,
        (width,), unit length. `theme`: "" where none is known. `trades`: the probability of each trade; None: nothing is known.
        """
        shares = self._shares(vector, theme, trades)
        return [Match(self.problems[index].id, short(shares[index])) for index in np.argsort(-shares, kind="stable")]

    def match(self, vector: np.ndarray, theme: str, trades: Mapping[str, float] | None = None) -> Match | None:
        """The most probable, if it is sure; None: none is. As `ranked`."""
        if not self.problems:
            return None
        shares = self._shares(vector, theme, trades)
        index = int(shares.argmax())  # the first of equals, as in `ranked`
        probability = short(shares[index])
        return Match(self.problems[index].id, probability) if probability >= (SURE if theme else SURE_ALONE) else None

    def _shares(self, vector: np.ndarray, theme: str, trades: Mapping[str, float] | None) -> np.ndarray:
        """The probability of each problem, (problems,); that of none is what they lack."""
        scores = self.weights.scores(vector) - THEME * (self._themes != theme)
        if trades is not None:
            scores = scores - TRADE * (1 - self._fits(trades))
        odds = np.exp(np.append(scores, self.weights.none) - max(self.weights.none, scores.max()))
        return np.asarray(odds[:-1] / odds.sum())

    def _fits(self, trades: Mapping[str, float]) -> np.ndarray:
        """How probable the likeliest trade of each problem is beside the likeliest of all: 1 for all where nothing is known."""
        likely = [trades.get(trade, 0.0) * has for trade, has in self._in_trade.items()]
        return np.asarray(np.max(likely, axis=0) / max(trades.values()))


def trades_of(shares: Mapping[str, float], usual: Mapping[str, float], taxonomy: Taxonomy) -> dict[str, float]:
    """The probability of each trade, by what a source's customers speak of more than is usual. `shares`, `usual`: of reviews
    that speak of each theme, there and anywhere.
    """
    scores = dict.fromkeys(taxonomy.trades, 0.0)
    for aspect in taxonomy.aspects:
        if aspect.trades and aspect.id in usual:
            excess = shares.get(aspect.id, usual[aspect.id]) - usual[aspect.id]
            for trade in aspect.trades:
                scores[trade] += excess / len(aspect.trades)
    values = np.array(list(scores.values())) * 20
    weights = np.exp(values - values.max())
    return dict(zip(scores, (weights / weights.sum()).tolist(), strict=True))


# --- weights ---


def load(problems: Sequence[Problem], folder: Path | None, read: Read) -> Matcher:
    """With the weights stored in `folder`; for problems that it lacks, or knows with other sentences, these are read."""
    stored = _stored(folder)
    missing = [problem for problem in problems if _key(problem) not in stored.rows]
    directions = vectors_of(missing, read, stored.rows)
    fresh = {_key(p): (SCALE * vector, 0.0) for p, vector in zip(missing, directions, strict=True)}
    rows = [stored.rows.get(_key(problem)) or fresh[_key(problem)] for problem in problems]
    vectors, bias = np.array([vector for vector, _ in rows]), np.array([bias for _, bias in rows], np.float32)
    return Matcher(problems, Weights(vectors, bias, stored.none, stored.centre))


def save(problems: Sequence[Problem], weights: Weights, folder: Path) -> None:
    """Stores the weights of these problems."""
    tensors = {
        "vectors": weights.vectors.astype(np.float16),
        "bias": weights.bias.astype(np.float32),
        "none": np.array([weights.none]),
    }
    if weights.centre is not None:
        tensors["centre"] = weights.centre.astype(np.float32)
    # One entry: the order of several is random, and the same weights should be the same file.
    save_file(tensors, folder / FILE, {"keys": json.dumps([_key(problem) for problem in problems])})


def vectors_of(problems: Sequence[Problem], read: Read, trained: Mapping[str, _Row] | None = None) -> np.ndarray:
    """Per problem the direction of the mean of its sentences' vectors, turned away from those that are no case of it and from its
    nearest among `trained`, whose sentences are no case of it either: (problems, width).
    """
    said = [(problem.id, text) for problem in problems for _, sentences in problem.say for text in sentences]
    unlike = [(f"not {problem.id}", text) for problem in problems for text in problem.unlike]
    means = {id: _unit(vectors.mean(0)) for id, vectors in own.vectors_of(said + unlike, read).items()}
    turned = [
        means[problem.id]
        - UNLIKE * means[f"not {problem.id}"]
        - NEAR * _nearest(problem.id, means[problem.id], trained or {})
        for problem in problems
    ]
    return np.array([_unit(vector) for vector in turned], np.float32)


def _nearest(id: str, direction: np.ndarray, trained: Mapping[str, _Row]) -> np.ndarray:
    """The direction of the _NEIGHBOURS trained problems nearest to it, without that of the same id; of none, where there are fewer."""
    others = [_unit(vector) for key, (vector, _) in trained.items() if key.split()[0] != id]
    if len(others) < _NEIGHBOURS:
        return np.zeros_like(direction)
    vectors = np.array(others)
    return _unit(vectors[np.argsort(-(vectors @ direction), kind="stable")[:_NEIGHBOURS]].mean(0))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


@dataclass(frozen=True)
class _Stored:
    rows: Mapping[str, _Row]
    none: float = NONE
    centre: np.ndarray | None = None


def _stored(folder: Path | None) -> _Stored:
    if folder is None:
        return _Stored({})
    try:
        with safe_open(folder / FILE, "numpy") as opened:
            keys, none = json.loads(opened.metadata()["keys"]), float(opened.get_tensor("none")[0])
            vectors, bias = opened.get_tensor("vectors").astype(np.float32), opened.get_tensor("bias")
            centre = opened.get_tensor("centre") if "centre" in set(opened.keys()) else None
        return _Stored(dict(zip(keys, zip(vectors, bias.tolist(), strict=True), strict=True)), none, centre)
    except (OSError, SafetensorError, ValueError, KeyError):
        return _Stored({})  # a reader of one's own has none: the sentences are read


@functools.cache
def _key(problem: Problem) -> str:
    return f"{problem.id} {hashlib.sha256(repr(problem.say).encode()).hexdigest()[:16]}"


def identity(problems: Iterable[Problem]) -> str:
    """Identifies what is matched with, for fingerprints: themes, trades and sentences, and the thresholds."""
    problems, trained = tuple(problems), {_key(problem) for problem in load_problems()}
    content: list[Any] = [(problem.id, problem.theme, problem.trades, problem.say) for problem in problems]
    content += [(UNLIKE, NEAR, problem.unlike) for problem in problems if _key(problem) not in trained]
    return hashlib.sha256(repr([content, SCALE, NONE, SURE, SURE_ALONE, TRADE, THEME]).encode()).hexdigest()[:16]
