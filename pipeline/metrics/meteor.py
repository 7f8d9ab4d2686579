"""METEOR per pair, with the values of NLTK's `meteor_score` on any machine and without a download.

Source: Banerjee and Lavie 2005; Lavie and Agarwal 2007, whose parameters (alpha 0.9, beta 3, gamma 0.5) are NLTK's
defaults. Texts are tokenized as `nltk.word_tokenize` does it (`pipeline.metrics.tokens`), which is also what
`evaluate`'s METEOR does; synonyms come from WordNet 3.0 (`pipeline.metrics.wordnet`).

NLTK's alignment is greedy: from the last word of the candidate on, each takes the last free word of the reference that is equal; what
is left is matched by Porter stems in the same way, and then by synonyms of the stems. Words are equal or not whatever stands around them,
so the first step takes a word's last places in both texts at once.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.profile import Profile
from pipeline.metrics import check_pairs, tokens, wordnet
from pipeline.metrics.scorer import Scorer, pairs

_ALPHA, _BETA, _GAMMA = 0.9, 3.0, 0.5
_TEXTS = 4096  # texts that are kept: a reference comes again with every role
_WORDS = 2**16


@dataclass(frozen=True)
class _Text:
    """A text as the alignment needs it."""

    stems: list[str]  # of each word
    places: dict[str, list[int]]  # of each distinct word, ascending


_texts: dict[str, _Text] = {}


def _text(words: Sequence[str]) -> _Text:
    lower = [word.lower() for word in words]
    places = defaultdict(list)
    for place, word in enumerate(lower):
        places[word].append(place)
    return _Text([_stem(word) for word in lower], places)


@functools.lru_cache(maxsize=_WORDS)
def _stem(word: str) -> str:
    return str(_stemmer().stem(word))


@functools.cache
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


@functools.lru_cache(maxsize=_WORDS)
def _synonyms(word: str) -> frozenset[str]:
    """The words that share a synset with a word; names of several words are left out, as NLTK does."""
    return frozenset(name for name in wordnet.load().synonyms(word) if "_" not in name)


def _aligned(candidate: _Text, reference: _Text) -> dict[int, int]:
    """Places of words in the candidate -> the places in the reference that they are matched with."""
    matched: dict[int, int] = {}
    for word in candidate.places.keys() & reference.places.keys():
        own, other = candidate.places[word], reference.places[word]
        if len(own) == 1 or len(other) == 1:
            matched[own[-1]] = other[-1]
        else:
            matched.update(zip(reversed(own), reversed(other), strict=False))
    free: defaultdict[str, list[int]] = defaultdict(list)  # stem -> places in the reference, ascending
    for place in sorted(set(range(len(reference.stems))).difference(matched.values())):
        free[reference.stems[place]].append(place)
    unmatched = []
    for place in sorted(set(range(len(candidate.stems))).difference(matched), reverse=True):
        if same := free.get(candidate.stems[place]):
            matched[place] = same.pop()
        else:
            unmatched.append(place)
    words = {stem for stem, places in free.items() if places}
    for place in unmatched:
        if synonyms := words & _synonyms(candidate.stems[place]):
            last = max(synonyms, key=lambda word: free[word][-1])
            matched[place] = free[last].pop()
            if not free[last]:
                words.remove(last)
    return matched


def _value(candidate: _Text, reference: _Text) -> float:
    matched = _aligned(candidate, reference)
    if not matched:
        return 0.0
    # A chunk goes on where the words next to each other are matched with words next to each other.
    chunks = sum(matched.get(place - 1) != partner - 1 for place, partner in matched.items())
    precision, recall = len(matched) / len(candidate.stems), len(matched) / len(reference.stems)
    mean = precision * recall / (_ALPHA * precision + (1 - _ALPHA) * recall)
    return float((1 - _GAMMA * (chunks / len(matched)) ** _BETA) * mean)


def score(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    """METEOR of each candidate against its reference, in order: 0 (no word in common) to almost 1.

    Case does not matter; empty texts score 0. English only. Raises InputError for lists that do not pair up.
    """
    check_pairs(candidates, references)
    if len(_texts) > _TEXTS:
        _texts.clear()
    new = [text for text in dict.fromkeys([*candidates, *references]) if text not in _texts]
    _texts.update(zip(new, map(_text, tokens.tokenize(new)), strict=True))
    return [
        _value(_texts[candidate], _texts[reference])
        for candidate, reference in zip(candidates, references, strict=True)
    ]


def scorer(profile: Profile) -> Scorer:
    """Fills `meteor`."""
    return Scorer(
        lambda rows, warehouse: {"meteor": score(*pairs(rows))},
        depends_on={},
        model="nltk, WordNet 3.0",
        settings="alpha=0.9 beta=3 gamma=0.5",
    )
