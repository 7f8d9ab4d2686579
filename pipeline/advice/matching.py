"""Which problem of the library a complaint is a case of: the one whose sentences are closest to it in the reader's vectors.

Only problems of the complaint's theme compete, and those of the business's trade are favoured, as far as what its customers
speak of tells its trade. Where none is close enough, or two are as close, nothing is said.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from pipeline.advice.problems import Problem
from pipeline.core.rows import Reading
from pipeline.themes.taxonomy import Taxonomy

FILE = "problems.safetensors"
CLOSE = 0.45  # least cosine of a complaint with its problem
AHEAD = 0.04  # by which it is closer than the next one
TRADE = 0.10  # what a wrong trade takes from the cosine

Read = Callable[[Sequence[str]], list[Reading]]


@dataclass(frozen=True)
class Match:
    """A problem, and how close the complaint is to it: its cosine, less what the trade takes."""

    problem: str
    closeness: float


class Matcher:
    """Problems with their vectors, (problems, width), float32, unit length."""

    def __init__(self, problems: Sequence[Problem], vectors: np.ndarray) -> None:
        self.problems, self.vectors = tuple(problems), vectors
        self._of_theme: dict[str, list[int]] = {}
        for index, problem in enumerate(problems):
            self._of_theme.setdefault(problem.theme, []).append(index)

    def match(self, vector: np.ndarray, theme: str, trades: Mapping[str, float] | None = None) -> Match | None:
        """The problem of a complaint about `theme`; None: none is sure. `vector`: of its sentence, (width,), unit length.
        `trades`: the probability of each trade; None: nothing is known.
        """
        ranked = self.ranked(vector, theme, trades)
        if not ranked or ranked[0].closeness < CLOSE:
            return None
        return None if len(ranked) > 1 and ranked[0].closeness - ranked[1].closeness < AHEAD else ranked[0]

    def ranked(self, vector: np.ndarray, theme: str, trades: Mapping[str, float] | None = None) -> list[Match]:
        """Every problem of the theme, the closest first."""
        found = []
        for index in self._of_theme.get(theme, ()):
            problem = self.problems[index]
            fits = 1.0 if trades is None else min(1.0, sum(trades.get(trade, 0.0) for trade in problem.trades))
            found.append(Match(problem.id, float(self.vectors[index] @ vector) - TRADE * (1 - fits)))
        return sorted(found, key=lambda match: -match.closeness)


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


# --- vectors ---


def load(problems: Sequence[Problem], folder: Path | None, read: Read) -> Matcher:
    """With the vectors stored in `folder`; those of problems that it lacks, or knows with other sentences, are read."""
    known = _stored(folder) if folder else {}
    missing = [problem for problem in problems if _key(problem) not in known]
    fresh = dict(zip(map(_key, missing), vectors_of(missing, read), strict=True))
    return Matcher(problems, np.stack([(known | fresh)[_key(problem)] for problem in problems]))


def save(problems: Sequence[Problem], read: Read, folder: Path) -> None:
    """Stores the vectors of these problems."""
    vectors = vectors_of(problems, read).astype(np.float16)
    save_file({"vectors": vectors}, folder / FILE, {"keys": json.dumps([_key(problem) for problem in problems])})


def vectors_of(problems: Sequence[Problem], read: Read) -> np.ndarray:
    """Per problem the direction of the mean of its sentences' vectors, (problems, width)."""
    texts = [[sentence for _, sentences in problem.say for sentence in sentences] for problem in problems]
    readings = iter(read([text for group in texts for text in group]) if texts else ())
    means = [np.mean([_vector(next(readings)) for _ in group], axis=0) for group in texts]
    return np.stack([mean / max(float(np.linalg.norm(mean)), 1e-9) for mean in means]) if means else np.zeros((0, 1))


def _vector(reading: Reading) -> np.ndarray:
    return np.frombuffer(reading["vector"], np.float16).astype(np.float32)


def _stored(folder: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(folder / FILE, "numpy") as opened:
            keys = json.loads(opened.metadata()["keys"])
            return dict(zip(keys, opened.get_tensor("vectors").astype(np.float32), strict=True))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return {}  # a reader of one's own has none: they are read


@functools.cache
def _key(problem: Problem) -> str:
    return f"{problem.id} {hashlib.sha256(repr(problem.say).encode()).hexdigest()[:16]}"


def identity(problems: Iterable[Problem]) -> str:
    """Identifies what is matched with, for fingerprints: themes, trades and sentences, and the thresholds."""
    content = [(problem.id, problem.theme, problem.trades, problem.say) for problem in problems]
    return hashlib.sha256(repr([content, CLOSE, AHEAD, TRADE]).encode()).hexdigest()[:16]
