"""Themes that the playbook does not name: unhappy clauses without an aspect, grouped by their sentence embeddings.

Pure functions on clauses and vectors; the stage `discover` keeps what they find. A group is founded where many clauses
lie close together (community detection by a cosine threshold, as in sentence-transformers) and is kept only if it has a
name: words that most of its reviews share and that other reviews do not (class-based tf-idf: Grootendorst 2022,
"BERTopic"). Without that rule the largest groups say "we will not be back".
"""

from __future__ import annotations

import functools
import hashlib
import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.text.sentences import sentence_spans
from pipeline.themes.taxonomy import Aspect
from pipeline.themes.terms import find_mentions

FEWEST = 5  # reviews that make a theme
CLOSE = (0.65, 0.55)  # cosine of two clauses of one theme: tight groups first, then looser ones
MEMBER = 0.60  # cosine with a theme's centroid from which on a clause belongs to it, tonight and on later nights
TELLING = (
    0.7,
    1.4,
)  # share of the group's reviews that say a word, half at least, times its idf: with and without others
UNHAPPIER = 1.3  # how much more often unhappy reviews say the name than others: "restaurant" is no complaint
OTHERS = 100  # reviews of either kind from which on that can be told
MOST = 10_000  # clauses that founding looks at: their similarities are held in memory
_WORD = re.compile(r"[a-z]{3,}")
_AFTER_APOSTROPHE = re.compile(r"['’][a-z]+")
_STEM = 5  # letters: "email" and "emails", "order" and "ordering", "cancelled" and "canceled"


@dataclass(frozen=True)
class Clause:
    review_id: str
    text: str


@dataclass(frozen=True)
class Theme:
    id: str  # from the clauses it was founded on
    name: str
    words: tuple[str, ...]
    centroid: np.ndarray  # unit length, float32


@dataclass(frozen=True)
class Background:
    """In how many reviews each stem stands: `unhappy` of `n_unhappy` and `others` of `n_others`."""

    unhappy: Mapping[str, int]
    n_unhappy: int
    others: Mapping[str, int]
    n_others: int

    def idf(self, stem: str) -> float:
        n = self.n_unhappy + self.n_others
        return math.log(n / max(1, self.unhappy.get(stem, 0) + self.others.get(stem, 0))) if n else 0.0

    def tells(self, stem: str, share_of_group: float) -> bool:
        """Whether a word that this share of a group's reviews says may name the group."""
        compared = min(self.n_others, self.n_unhappy) >= OTHERS
        if share_of_group < 0.5 or share_of_group * self.idf(stem) < TELLING[0 if compared else 1]:
            return False
        if not compared:
            return True
        share = (self.others.get(stem, 0) + 0.5) / self.n_others
        return self.unhappy.get(stem, 0) / self.n_unhappy >= UNHAPPIER * share


@functools.cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@functools.lru_cache(maxsize=2 * MOST)  # a clause is looked at many times
def telling_words(text: str) -> tuple[str, ...]:
    """Words that may name a theme, in order, lower case."""
    return tuple(word for word in _WORD.findall(_AFTER_APOSTROPHE.sub("", text.lower())) if word not in _common())


def stems(text: str) -> set[str]:
    return {word[:_STEM] for word in telling_words(text)}


def uncovered(text: str, language: str | None, aspects: tuple[Aspect, ...]) -> list[tuple[int, int]]:
    """Spans of the clauses that mention no aspect and have two telling words or more."""
    covered = {(mention.start, mention.end) for mention in find_mentions(text, language, aspects)}
    spans = [span for span in sentence_spans(text) if span not in covered]
    return [span for span in spans if len(stems(text[slice(*span)])) >= 2]


def background(reviews: Iterable[tuple[str, bool]]) -> Background:
    """Of (text, is unhappy) pairs."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    n = Counter[bool]()
    for text, unhappy in reviews:
        counts[unhappy].update(stems(text))
        n[unhappy] += 1
    return Background(counts[True], n[True], counts[False], n[False])


def assign(vectors: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per unit vector the index of the nearest centroid, -1 where none is near enough, and the cosine with it."""
    if not len(centroids) or not len(vectors):
        return np.full(len(vectors), -1), np.zeros(len(vectors), np.float32)
    cosines = vectors @ centroids.T
    nearest, closeness = cosines.argmax(1), cosines.max(1)
    return np.where(closeness >= MEMBER, nearest, -1), closeness


def found(clauses: Sequence[Clause], vectors: np.ndarray, known: Background, named: Iterable[str] = ()) -> list[Theme]:
    """New themes among clauses that belong to none, the same for the same clauses in the same order.

    `vectors`: unit length, shape (clauses, dimension). `named`: words of the themes that are known; a theme whose first
    word is among them would be the same to a reader, and is not founded.
    """
    free, taken = np.ones(len(clauses), dtype=bool), {word[:_STEM] for word in named}
    result = []
    for close in CLOSE:
        near = _neighbours(vectors, close)
        queue = [(-_reviews(clauses, near[at]), at) for at in range(len(clauses))]
        heapq.heapify(queue)
        while queue and -queue[0][0] >= FEWEST:
            size, seed = heapq.heappop(queue)
            group = near[seed][free[near[seed]]]
            now = _reviews(clauses, group) if free[seed] else 0
            if now < -size:  # others took some of them meanwhile: let it queue again
                heapq.heappush(queue, (-now, seed))
                continue
            centroid = _unit(vectors[group].mean(axis=0))
            members = np.flatnonzero((vectors @ centroid >= MEMBER) & free)
            words = name_words([clauses[int(at)] for at in members], known)
            if words and words[0][:_STEM] not in taken and _reviews(clauses, members) >= FEWEST:
                free[members] = False
                taken |= {word[:_STEM] for word in words}
                result.append(
                    Theme(_id(clauses[int(at)] for at in group), ", ".join(words).capitalize(), words, centroid)
                )
    return result


def name_words(members: Sequence[Clause], known: Background) -> tuple[str, ...]:
    """Up to three words, the most telling first; none where nothing tells the members from other reviews."""
    reviews: dict[str, set[str]] = {}
    forms: dict[str, Counter[str]] = {}
    for clause in members:
        for word in telling_words(clause.text):
            reviews.setdefault(word[:_STEM], set()).add(clause.review_id)
            forms.setdefault(word[:_STEM], Counter())[word] += 1
    whole = len({clause.review_id for clause in members})
    worth = {stem: len(said) / whole * known.idf(stem) for stem, said in reviews.items() if len(said) >= 3}
    tells = [stem for stem in worth if known.tells(stem, len(reviews[stem]) / whole)]
    if not tells:
        return ()
    best = sorted(worth, key=lambda stem: (-worth[stem], stem))
    chosen = [stem for stem in best[:3] if stem in tells or worth[stem] >= worth[best[0]] / 3] or tells[:1]
    return tuple(min(forms[stem], key=lambda word: (-forms[stem][word], word)) for stem in chosen)


def _reviews(clauses: Sequence[Clause], at: np.ndarray) -> int:
    return len({clauses[int(place)].review_id for place in at})


def _neighbours(vectors: np.ndarray, close: float) -> list[np.ndarray]:
    """Per vector the indices of those at least so close, itself among them."""
    return [
        np.flatnonzero(row >= close)
        for start in range(0, len(vectors), 1000)
        for row in vectors[start : start + 1000] @ vectors.T
    ]


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def _id(founders: Iterable[Clause]) -> str:
    said = "\n".join(sorted(f"{clause.review_id} {clause.text}" for clause in founders))
    return hashlib.sha256(said.encode()).hexdigest()[:8]
