"""From readings to decisions: what is said beyond doubt, given all evidence. Cheap, and no model is loaded.

The rules' numbers were fitted on labelled reviews that no training saw (`pipeline.training.reader.rules`) and stand in the
reader's `reader.json`. Where the evidence does not suffice, nothing is said.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.assets import READER
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.rows import Sentence, SentenceTheme, short

CONFIG = "reader.json"
ANY = "*"  # the rule for what has none of its own
_TINY = 1e-4


@dataclass(frozen=True)
class Rules:
    """The fitted numbers.

    words: temperature and bias of each class on the words' log-probabilities. stars: added to the classes' logits, per
    number of stars. sure: the least probability, per language, with which words alone are given a label. emotions: the
    least probability per label. complaint: weights of the logits that make a complaint probable (`complaint`), and the
    threshold per language. praise, mention: the least probability of a positive and of a neutral mention. shares: of
    reviews that speak of each theme, over all trades; prior: how much a source's own share counts.
    """

    temperature: float
    bias: tuple[float, float, float]
    stars: Mapping[str, tuple[float, float, float]]
    sure: Mapping[str, float]
    emotions: Mapping[str, float]
    complaint: Mapping[str, float]
    least: Mapping[str, float]
    themes: Mapping[str, float]
    praise: float
    mention: float
    shares: Mapping[str, float]
    prior: float


@functools.cache
def load(folder: Path = READER) -> Rules:
    """The rules of the reader in `folder`. Raises InputError if they are missing."""
    try:
        return rules(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["rules"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The reader's rules in {folder} cannot be read ({error}). Reinstall review-insights."
        ) from error


def rules(content: Mapping[str, Any]) -> Rules:
    """Rules from what `reader.json` holds."""
    return Rules(
        temperature=content["temperature"],
        bias=tuple(content["bias"]),
        stars={key: tuple(value) for key, value in content["stars"].items()},
        **{
            key: content[key]
            for key in ("sure", "emotions", "complaint", "least", "themes", "praise", "mention", "shares", "prior")
        },
    )


# --- sentiment ---


def words(probabilities: np.ndarray, of: Rules) -> np.ndarray:
    """Calibrated probabilities, (rows, 3), of what the words alone say, from the reader's raw ones."""
    logits = np.log(np.maximum(probabilities, _TINY)) / of.temperature + np.array(of.bias)
    return _softmax(logits)


def with_stars(probabilities: np.ndarray, stars: Sequence[float | None], of: Rules) -> np.ndarray:
    """The posterior, (rows, 3), of words (calibrated) and stars; rows without stars stay as they are."""
    if not len(probabilities):
        return probabilities
    added = np.array([(0.0, 0.0, 0.0) if value is None else _of_stars(value, of) for value in stars])
    return _softmax(np.log(np.maximum(probabilities, _TINY)) + added)


def _of_stars(stars: float, of: Rules) -> np.ndarray:
    """What this many stars add: between two whole numbers, between what these add."""
    below = min(max(math.floor(stars), 1), 4)
    part = stars - below
    return (1 - part) * np.array(of.stars[str(below)]) + part * np.array(of.stars[str(below + 1)])


def is_sure(probabilities: np.ndarray, language: str | None, of: Rules) -> bool:
    """Whether words in this language are clear enough to be given a label."""
    return bool(probabilities.max() >= of.sure.get(language or ANY, of.sure[ANY]))


# --- emotions ---


def emotions(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> list[str]:
    """The labels at or above their thresholds, the most probable first; the clearest one where none is, unless it says
    nothing. Neutral only where there is nothing else.
    """
    ratio = {label: probabilities[label] / max(thresholds[label], _TINY) for label in EMOTIONS}
    found = sorted((label for label in EMOTIONS if ratio[label] >= 1), key=lambda label: -probabilities[label])
    if len(found) > 1 and "neutral" in found:
        found.remove("neutral")
    if not found:
        best = max(EMOTIONS, key=lambda label: ratio[label])
        found = [best] if ratio[best] >= 0.6 else []
    return found


# --- themes ---


@dataclass(frozen=True)
class Mention:
    """What a review says about a theme: its clearest sentence on it. `score`: positive minus negative probability."""

    theme: str
    start: int
    end: int
    sentiment: str
    score: float
    probability: float  # that it is so


def mentions(
    sentences: Sequence[Sentence],
    *,
    stars: float | None,
    language: str | None,
    shares: Mapping[str, float],
    of: Rules,
    ratings: Mapping[str, float] | None = None,
) -> list[Mention]:
    """The themes of a review, each once: a complaint outweighs anything else, as evidence is for complaints.

    `shares`: of the reviews of its source that speak of each theme; a theme that is missing is as usual as anywhere.
    `ratings`: stars that the customer gave a theme by itself, which count in place of the review's.
    """
    rated = ratings or {}
    best: dict[str, Mention] = {}
    for sentence in sentences:
        for theme in sentence["themes"]:
            found = _mention(theme, rated.get(theme["theme"], stars), language, shares, of)
            if found and (found.theme not in best or _stronger(found, best[found.theme])):
                best[found.theme] = found
    # An overall verdict says nothing beside a subject of the same polarity.
    if "general" in best and any(
        m.sentiment == best["general"].sentiment for m in best.values() if m.theme != "general"
    ):
        del best["general"]
    return sorted(best.values(), key=lambda mention: mention.start)


def strength(theme: SentenceTheme, share: float | None, of: Rules) -> float:
    """The logit of the theme being there and complained of, given how usual it is there."""
    return _logit(_present(theme, share, of) * theme["negative"])


def complaint(theme: SentenceTheme, stars: float | None, share: float | None, of: Rules) -> float:
    """The probability that the sentence complains of the theme, given the stars and how usual the theme is there."""
    weights = of.complaint
    logit = weights["bias"] + weights["strength"] * strength(theme, share, of) + of.themes.get(theme["theme"], 0.0)
    if stars is not None:
        logit += weights["stars"] * (3 - stars)
    return _sigmoid(logit)


def _mention(
    theme: SentenceTheme, stars: float | None, language: str | None, shares: Mapping[str, float], of: Rules
) -> Mention | None:
    share = shares.get(theme["theme"])
    score = short(theme["positive"] - theme["negative"])
    place = (theme["theme"], theme["start"], theme["end"])
    probability = short(complaint(theme, stars, share, of))
    if probability >= of.least.get(language or ANY, of.least[ANY]):
        return Mention(*place, "negative", min(score, -0.01), probability)
    present = _present(theme, share, of)
    if theme["positive"] >= max(theme["negative"], theme["neutral"]):
        if (probability := short(present * theme["positive"])) >= of.praise:
            return Mention(*place, "positive", max(score, 0.01), probability)
    elif theme["neutral"] > theme["negative"] and (probability := short(present * theme["neutral"])) >= of.mention:
        return Mention(*place, "neutral", score, probability)
    return None


def _stronger(mention: Mention, other: Mention) -> bool:
    rank = {"negative": 2, "positive": 1, "neutral": 0}
    return (rank[mention.sentiment], mention.probability) > (rank[other.sentiment], other.probability)


def _present(theme: SentenceTheme, share: float | None, of: Rules) -> float:
    """The probability that the sentence speaks of the theme, given its share of what the source speaks of."""
    logit = _logit(theme["probability"])
    if share is not None and theme["theme"] in of.shares:
        logit += of.prior * (_logit(share) - _logit(of.shares[theme["theme"]]))
    return _sigmoid(logit)


def shrunk(total: float, reviews: int, usual: float, strength: float = 30.0) -> float:
    """The share of a source with few reviews, drawn towards the usual one (as if `strength` reviews had shown that)."""
    return (total + strength * usual) / (reviews + strength)


def label(probabilities: np.ndarray) -> str:
    """The most probable of SENTIMENTS."""
    return SENTIMENTS[int(probabilities.argmax())]


def _logit(probability: float) -> float:
    clipped = min(max(probability, _TINY), 1 - _TINY)
    return math.log(clipped / (1 - clipped))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    values: np.ndarray = exponents / exponents.sum(axis=-1, keepdims=True)
    return values
