"""Themes that the playbook does not name: unhappy clauses without an aspect, grouped by their sentence embeddings.

Pure functions on clauses and vectors; the stage `discover` keeps what they find. Clauses that lie close together form a
group (community detection by a cosine threshold, as in sentence-transformers), which becomes a theme only if it can be
named: by words that most of its reviews share and that other reviews do not (class-based tf-idf: Grootendorst 2022,
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
# Share of the group's reviews with a word (at least half), times its idf, from which on the word may name the group: where
# unhappy reviews can be compared with others, and where they cannot.
DISTINCTIVE = (0.7, 1.4)
UNHAPPIER = 1.3  # how much more often unhappy reviews say the name than others: "restaurant" is no complaint
OTHERS = 100  # reviews of either kind that such a comparison needs
MOST = 10_000  # clauses among which new themes are looked for: their similarities are held in memory
_WORD = re.compile(r"[a-z]{3,}")
_AFTER_APOSTROPHE = re.compile(r"['’][a-z]+")
_STEM = 5  # letters: "email" and "emails", "order" and "ordering", "cancelled" and "canceled"


@dataclass(frozen=True)
class Clause:
    """An unhappy clause without an aspect."""

    review_id: str
    text: str


@dataclass(frozen=True)
class Theme:
    """A group of clauses that words of its own name."""

    id: str  # a hash of the clauses that first formed it
    name: str
    words: tuple[str, ...]
    centroid: np.ndarray  # unit length, float32


@dataclass(frozen=True)
class Background:
    """How many reviews hold each stem: `unhappy` of `n_unhappy` and `others` of `n_others`."""

    unhappy: Mapping[str, int]
    n_unhappy: int
    others: Mapping[str, int]
    n_others: int

    def idf(self, stem: str) -> float:
        """Natural log of all reviews over those with the stem; 0 without reviews."""
        n = self.n_unhappy + self.n_others
        return math.log(n / max(1, self.unhappy.get(stem, 0) + self.others.get(stem, 0))) if n else 0.0

    def is_distinctive(self, stem: str, share_of_group: float) -> bool:
        """Whether a word that this share of a group's reviews holds may name the group."""
        compared = min(self.n_others, self.n_unhappy) >= OTHERS
        if share_of_group < 0.5 or share_of_group * self.idf(stem) < DISTINCTIVE[0 if compared else 1]:
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
def content_words(text: str) -> tuple[str, ...]:
    """Words that may name a theme, in order, lower case: English, three letters or more, none of the common ones."""
    return tuple(word for word in _WORD.findall(_AFTER_APOSTROPHE.sub("", text.lower())) if word not in _common())


def stems(text: str) -> set[str]:
    """The first letters of each content word, so that "order" and "ordering" are one."""
    return {word[:_STEM] for word in content_words(text)}


def uncovered(text: str, language: str | None, aspects: tuple[Aspect, ...]) -> list[tuple[int, int]]:
    """Spans of the clauses that mention no aspect and have two content words or more."""
    covered = {(mention.start, mention.end) for mention in find_mentions(text, language, aspects)}
    spans = [span for span in sentence_spans(text) if span not in covered]
    return [span for span in spans if len(stems(text[slice(*span)])) >= 2]


def background(reviews: Iterable[tuple[str, bool]]) -> Background:
    """Counts of (text, is unhappy) pairs."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    n = Counter[bool]()
    for text, unhappy in reviews:
        counts[unhappy].update(stems(text))
        n[unhappy] += 1
    return Background(counts[True], n[True], counts[False], n[False])


def assign(vectors: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per unit vector the index of the nearest centroid, -1 where none is near enough, and the cosine with it: two arrays
    of shape (vectors,). vectors: (vectors, dimension), centroids: (themes, dimension), both of unit length.
    """
    if not len(centroids) or not len(vectors):
        return np.full(len(vectors), -1), np.zeros(len(vectors), np.float32)
    cosines = vectors @ centroids.T
    nearest, closeness = cosines.argmax(1), cosines.max(1)
    return np.where(closeness >= MEMBER, nearest, -1), closeness


def new_themes(
    clauses: Sequence[Clause], vectors: np.ndarray, known: Background, taken: Iterable[str] = ()
) -> list[Theme]:
    """Themes among clauses that belong to none yet, the same for the same clauses in the same order.

    `vectors`: unit length, shape (clauses, dimension). `taken`: words of the themes that are known; a theme whose first
    word is among them would look the same to a reader, and is left out.
    """
    free, used = np.ones(len(clauses), dtype=bool), {word[:_STEM] for word in taken}
    themes = []
    for close in CLOSE:
        near = _neighbours(vectors, close)
        queue = [(-_reviews(clauses, near[at]), at) for at in range(len(clauses))]
        heapq.heapify(queue)
        while queue and -queue[0][0] >= FEWEST:
            size, seed = heapq.heappop(queue)
            group = near[seed][free[near[seed]]]
            left = _reviews(clauses, group) if free[seed] else 0
            if left < -size:  # other themes took some of them meanwhile: back into the queue, at its new place
                heapq.heappush(queue, (-left, seed))
                continue
            centroid = _unit(vectors[group].mean(axis=0))
            members = np.flatnonzero((vectors @ centroid >= MEMBER) & free)
            words = name_words([clauses[int(at)] for at in members], known)
            if words and words[0][:_STEM] not in used and _reviews(clauses, members) >= FEWEST:
                free[members] = False
                used |= {word[:_STEM] for word in words}
                name = ", ".join(words).capitalize()
                themes.append(Theme(_id(clauses[int(at)] for at in group), name, words, centroid))
    return themes


def name_words(members: Sequence[Clause], known: Background) -> tuple[str, ...]:
    """Up to three words, the most distinctive first; none where nothing sets the members apart from other reviews."""
    reviews: dict[str, set[str]] = {}
    forms: dict[str, Counter[str]] = {}
    for clause in members:
        for word in content_words(clause.text):
            reviews.setdefault(word[:_STEM], set()).add(clause.review_id)
            forms.setdefault(word[:_STEM], Counter())[word] += 1
    whole = len({clause.review_id for clause in members})
    worth = {stem: len(ids) / whole * known.idf(stem) for stem, ids in reviews.items() if len(ids) >= 3}
    distinctive = [stem for stem in worth if known.is_distinctive(stem, len(reviews[stem]) / whole)]
    if not distinctive:
        return ()
    best = sorted(worth, key=lambda stem: (-worth[stem], stem))
    chosen = [stem for stem in best[:3] if stem in distinctive or worth[stem] >= worth[best[0]] / 3] or distinctive[:1]
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


def _id(members: Iterable[Clause]) -> str:
    lines = "\n".join(sorted(f"{clause.review_id} {clause.text}" for clause in members))
    return hashlib.sha256(lines.encode()).hexdigest()[:8]
