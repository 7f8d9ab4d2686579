"""Sentiment in languages that the embedded encoder does not know: a linear model of hashed words and letter n-grams.

Hard to beat with little data and no pretraining (Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification").
It knows the vocabulary of praise and complaint, not syntax, so it abstains unless it is sure: each language has a
minimum probability, chosen on held-out reviews. Trained by `pipeline.training.ngrams`; for figures per language see the
model card.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.core.assets import MODELS
from pipeline.core.labels import SENTIMENTS
from pipeline.text.script import TRAINED_CJK, TRAINED_SPAN

FOLDER = MODELS / "ngrams"
BUCKETS = 2**18
_NOISE = re.compile(r"https?://\S*|\bhttp\b|@\w+")
_MARKS = "\u0300-\u036f\u0610-\u065f\u0900-\u0dff"  # accents, and vowel signs of Arabic and Indic scripts
_WORD = re.compile(rf"[{TRAINED_CJK}]+|(?:(?![{TRAINED_CJK}])[\w{_MARKS}])+|[^\w\s{_MARKS}]")


def features(text: str) -> np.ndarray:
    """The distinct hash buckets of a text, int64, sorted: of its words, pairs of adjacent words, and 2- to 5-grams of
    letters in each word (Chinese and Japanese: 1- to 4-grams).
    """
    words = _WORD.findall(_NOISE.sub(" ", text.casefold())[:4000])
    grams = set(words)
    grams.update(f"{first} {second}" for first, second in itertools.pairwise(words))
    for word in words:
        is_cjk = TRAINED_SPAN[0] <= word[0] <= TRAINED_SPAN[1]
        padded, sizes = (word, range(1, 5)) if is_cjk else (f"<{word}>", range(2, 6))
        grams.update(padded[at : at + size] for size in sizes for at in range(len(padded) - size + 1))
    buckets = {zlib.crc32(gram.encode("utf-8", "surrogatepass")) % BUCKETS for gram in grams}
    return np.array(sorted(buckets), dtype=np.int64)


@functools.cache
def load_weights() -> np.ndarray:
    """The shipped weights, float32, shape (BUCKETS, 3)."""
    from safetensors.torch import load_file

    weights: np.ndarray = load_file(FOLDER / "weights.safetensors")["weights"].float().numpy()
    return weights


@functools.cache
def load_config() -> dict[str, Any]:
    """Under "languages", for each: "bias", "temperature", "least" (the minimum probability) and figures."""
    config: dict[str, Any] = json.loads((FOLDER / "config.json").read_text(encoding="utf-8"))
    return config


def logits(texts: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """float32, shape (texts, 3): the summed weights of a text's n features, divided by the square root of n."""
    result = np.zeros((len(texts), len(SENTIMENTS)), dtype=np.float32)
    for row, text in enumerate(texts):
        buckets = features(text)
        if len(buckets):
            result[row] = weights[buckets].sum(axis=0) / np.sqrt(len(buckets))
    return result


class NgramSentiment:
    """The classifier for one language."""

    labels: tuple[str, ...] = SENTIMENTS

    def __init__(self, language: str) -> None:
        self.weights, self.settings = load_weights(), load_config()["languages"][language]
        self.model = f"ngrams-{language}"

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, 3); a row of nan where the model is not sure enough."""
        values = (logits(texts, self.weights) + np.array(self.settings["bias"])) / self.settings["temperature"]
        exponent = np.exp(values - values.max(axis=1, keepdims=True, initial=-np.inf))
        probabilities = (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)
        probabilities[probabilities.max(axis=1) < self.settings["least"]] = np.nan
        return probabilities


def languages() -> tuple[str, ...]:
    """Codes of the languages in which the model was good enough on held-out reviews, sorted."""
    return tuple(sorted(load_config()["languages"]))
