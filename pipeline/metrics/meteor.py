"""METEOR per pair, with the values of NLTK's `meteor_score` on any machine and without a download.

Source: Banerjee and Lavie 2005; Lavie and Agarwal 2007, whose parameters (alpha 0.9, beta 3, gamma 0.5) are NLTK's
defaults. Texts are tokenized as `nltk.word_tokenize` does it (`pipeline.metrics.tokens`), which is also what
`evaluate`'s METEOR does; synonyms come from WordNet 3.0 (`pipeline.metrics.wordnet`).

NLTK's alignment is greedy: from the last word of the candidate on, each takes the last free word of the reference that is equal; what
is left is matched by Porter stems in the same way, and then by synonyms of the stems. Words are equal or not whatever stands around them,
so the first two steps match a word's last places in both texts, for many pairs of texts in one sort.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.core.profile import Profile
from pipeline.metrics import check_pairs, porter, tokens, wordnet
from pipeline.metrics.scorer import Scorer, score_pairs

_ALPHA, _BETA, _GAMMA = 0.9, 3.0, 0.5
_BLOCK = 1024  # pairs that are aligned in one sort
_WORDS = 2**17  # of which stem and synonyms are kept

Numbers = Sequence[np.ndarray]  # the number of each word, per text
Matches = tuple[np.ndarray, np.ndarray]  # indices of words of the candidates, and of their partners in the references


@functools.lru_cache(maxsize=_WORDS)
def _stem(word: str) -> str:
    return porter.stem(word)


@functools.lru_cache(maxsize=_WORDS)
def _synonyms(word: str) -> frozenset[str]:
    """The words that share a synset with a word; names of several words are left out, as NLTK does."""
    return frozenset(name for name in wordnet.load().synonyms(word) if "_" not in name)


@dataclass(frozen=True)
class _Words:
    """Words on one side of many pairs: arrays of one length, in order of pair and place."""

    pair: np.ndarray
    place: np.ndarray
    label: np.ndarray  # the number of the word or of its stem

    @classmethod
    def of(cls, texts: Numbers) -> _Words:
        lengths = [len(text) for text in texts]
        pair = np.repeat(np.arange(len(texts)), lengths)
        return cls(pair, np.arange(len(pair)) - np.cumsum([0, *lengths])[pair], np.concatenate(texts))

    def without(self, matched: np.ndarray) -> _Words:
        free = np.ones(len(self.pair), dtype=bool)
        free[matched] = False
        return _Words(self.pair[free], self.place[free], self.label[free])

    def relabelled(self, new: np.ndarray) -> _Words:
        return replace(self, label=new[self.label])


def _numbered(names: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """(the distinct names, the number of each)."""
    numbers: dict[str, int] = {}
    number_of = np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
    return list(numbers), number_of


def _match_equal(candidate: _Words, reference: _Words) -> Matches:
    """Of each label in each pair as many as both sides have: the last with the last, and so on."""
    sides = (candidate, reference)
    size = len(candidate.pair) + len(reference.pair)
    labels = 1 + max(side.label.max(initial=0) for side in sides)
    # In the order of pairs, labels, sides, and from the last place to the first.
    ordered = [
        (2 * (side.pair * labels + side.label) + is_reference) * size + np.arange(len(side.pair))[::-1]
        for is_reference, side in enumerate(sides)
    ]
    run, from_last = np.divmod(np.sort(np.concatenate(ordered)), size or 1)
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    counts = np.diff(starts, append=size)
    label, is_reference = np.divmod(run[starts], 2)
    # Of two runs of one label, the first is the candidates' and the second the references'.
    both = np.where(np.diff(label, prepend=-1) == 0, np.minimum(counts, np.roll(counts, 1)), 0)
    matched = np.repeat(both + np.append(both[1:], 0), counts) > np.arange(size) - np.repeat(starts, counts)
    is_reference = np.repeat(is_reference, counts) == 1
    return (
        len(candidate.pair) - 1 - from_last[matched & ~is_reference],
        len(reference.pair) - 1 - from_last[matched & is_reference],
    )


def _match_synonyms(candidate: _Words, reference: _Words, stems: Sequence[str]) -> Matches:
    """Each word, from the last on, takes the last free one among the synonyms of its stem."""
    numbers = {stems[label]: label for label in np.unique(reference.label).tolist()}
    synonyms = {
        label: {numbers[name] for name in numbers.keys() & _synonyms(stems[label])}
        for label in np.unique(candidate.label).tolist()
    }
    own, other = candidate.label.tolist(), reference.label.tolist()
    pairs = np.intersect1d(candidate.pair, reference.pair)
    spans = [
        np.searchsorted(side.pair, pairs, at).tolist() for side in (candidate, reference) for at in ("left", "right")
    ]
    matches = []
    for start, stop, other_start, other_stop in zip(*spans, strict=True):
        free: dict[int, list[int]] = {}
        for index in range(other_start, other_stop):
            free.setdefault(other[index], []).append(index)
        for index in reversed(range(start, stop)):
            if not free.keys().isdisjoint(synonyms[own[index]]):
                last = max(free.keys() & synonyms[own[index]], key=lambda label: free[label][-1])
                matches.append((index, free[last].pop()))
                if not free[last]:
                    del free[last]
    matched, partners = np.array(matches, dtype=np.int64).reshape(-1, 2).T
    return matched, partners


def _align(candidate: _Words, reference: _Words, stem_of: np.ndarray, stems: Sequence[str]) -> np.ndarray:
    """Pair, place in the candidate and place in the reference of all matches: shape (3, matches)."""
    found = []

    def rest(matches: Matches) -> tuple[_Words, _Words]:
        own, other = matches
        found.append([candidate.pair[own], candidate.place[own], reference.place[other]])
        return candidate.without(own), reference.without(other)

    candidate, reference = rest(_match_equal(candidate, reference))
    candidate, reference = candidate.relabelled(stem_of), reference.relabelled(stem_of)
    candidate, reference = rest(_match_equal(candidate, reference))
    rest(_match_synonyms(candidate, reference, stems))
    return np.concatenate(found, axis=1)


def _values(candidates: Numbers, references: Numbers, stem_of: np.ndarray, stems: Sequence[str]) -> list[float]:
    pair, own, other = _align(_Words.of(candidates), _Words.of(references), stem_of, stems)
    order = np.lexsort((own, pair))
    # A chunk goes on where the words next to each other are matched with words next to each other.
    goes_on = [np.diff(side[order], prepend=-2) == step for side, step in ((pair, 0), (own, 1), (other, 1))]
    starts = pair[order][~np.logical_and.reduce(goes_on)]
    matches, chunks = (np.bincount(of, minlength=len(candidates)).tolist() for of in (pair, starts))
    return [_value(*counts) for counts in zip(matches, chunks, map(len, candidates), map(len, references), strict=True)]


def _value(matches: int, chunks: int, candidate: int, reference: int) -> float:
    if not matches:
        return 0.0
    precision, recall = matches / candidate, matches / reference
    mean = precision * recall / (_ALPHA * precision + (1 - _ALPHA) * recall)
    return float((1 - _GAMMA * (chunks / matches) ** _BETA) * mean)


def score(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    """METEOR of each candidate against its reference, in order: 0 (no word in common) to almost 1.

    Case does not matter; empty texts score 0. English only. Raises InputError for lists that do not pair up.
    """
    check_pairs(candidates, references)
    texts = list(dict.fromkeys([*candidates, *references]))
    numbers, spelled = tokens.encode(texts)
    words, word_of = _numbered(token.lower() for token in spelled)
    stems, stem_of = _numbered(map(_stem, words))
    of_text = {text: word_of[tokens] for text, tokens in zip(texts, numbers, strict=True)}
    values: list[float] = []
    for start in range(0, len(candidates), _BLOCK):
        block = slice(start, start + _BLOCK)
        own, other = ([of_text[text] for text in side[block]] for side in (candidates, references))
        values += _values(own, other, stem_of, stems)
    return values


def scorer(profile: Profile) -> Scorer:
    """Fills `meteor`."""
    return Scorer(
        lambda rows, warehouse: score_pairs(rows, {"meteor": score}),
        depends_on={},
        model="nltk, WordNet 3.0",
        settings="alpha=0.9 beta=3 gamma=0.5",
    )
