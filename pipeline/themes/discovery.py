"""Themes that the taxonomy does not have: unhappy sentences without a theme, grouped by their vectors.

Pure functions on clauses and vectors; the stage `discover` stores their results. Clauses close to one another form a
group (community detection by a cosine threshold, as in sentence-transformers). It becomes a theme only if it can be
named by words that most of its reviews share and other reviews do not (class-based tf-idf: Grootendorst 2022,
"BERTopic"); otherwise the largest groups would be about "we will not be back".
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

from pipeline.core.rows import DIGITS

MIN_REVIEWS = 5  # of a theme
GROUP_COSINES = (0.65, 0.55)  # minimum cosine with the clause that seeds a group: first tight groups, then looser ones
MEMBER_COSINE = 0.60  # minimum cosine of a clause with its theme's centroid, in this run and later ones
# Minimum, for a word that may name a group, of its idf times the share of the group's reviews that have it (at least half):
# if unhappy reviews can be compared with others, and if not.
DISTINCTIVE = (0.7, 1.4)
MIN_RATIO = 1.3  # of the word's share in unhappy reviews to that in others: "restaurant" is no complaint
MIN_COMPARED = 100  # reviews of each kind that the comparison needs
MAX_CLAUSES = 10_000  # in which new themes are sought, as their neighbours are held in memory
_WORD = re.compile(r"[a-z]{3,}")
_AFTER_APOSTROPHE = re.compile(r"['’][a-z]+")
_STEM = 5  # letters that make a stem: "email" and "emails", "order" and "ordering", "cancelled" and "canceled"


@dataclass(frozen=True)
class Clause:
    """An unhappy sentence that speaks of no known theme."""

    review_id: str
    text: str


@dataclass(frozen=True)
class Theme:
    """A group of clauses, named by its distinctive words."""

    id: str  # hash of the clauses that formed it
    name: str
    words: tuple[str, ...]
    centroid: np.ndarray  # unit length, float32


@dataclass(frozen=True)
class Background:
    """Review counts per stem: `unhappy` of `n_unhappy`, `others` of `n_others`."""

    unhappy: Mapping[str, int]
    n_unhappy: int
    others: Mapping[str, int]
    n_others: int

    def idf(self, stem: str) -> float:
        """Natural log of the number of all reviews over that of reviews with the stem; 0 if there are no reviews."""
        n = self.n_unhappy + self.n_others
        return math.log(n / max(1, self.unhappy.get(stem, 0) + self.others.get(stem, 0))) if n else 0.0

    def is_distinctive(self, stem: str, share_of_group: float) -> bool:
        """Whether a stem in this share of a group's reviews may name the group."""
        compared = min(self.n_others, self.n_unhappy) >= MIN_COMPARED
        if share_of_group < 0.5 or share_of_group * self.idf(stem) < DISTINCTIVE[0 if compared else 1]:
            return False
        if not compared:
            return True
        share_of_others = (self.others.get(stem, 0) + 0.5) / self.n_others
        return self.unhappy.get(stem, 0) / self.n_unhappy >= MIN_RATIO * share_of_others


@functools.cache
def _common() -> frozenset[str]:
    lines = Path(__file__).with_name("common_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@functools.lru_cache(maxsize=2 * MAX_CLAUSES)  # each clause is processed many times
def content_words(text: str) -> tuple[str, ...]:
    """Words that may name a theme, in order, lower case: of three English letters or more, without the common ones."""
    return tuple(word for word in _WORD.findall(_AFTER_APOSTROPHE.sub("", text.lower())) if word not in _common())


def stems(text: str) -> set[str]:
    """Stems of the content words: their first letters, so that "order" and "ordering" are one."""
    return {word[:_STEM] for word in content_words(text)}


def background(reviews: Iterable[tuple[str, bool]]) -> Background:
    """Counts the stems of (text, is unhappy) pairs."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    n = Counter[bool]()
    for text, unhappy in reviews:
        counts[unhappy].update(stems(text))
        n[unhappy] += 1
    return Background(counts[True], n[True], counts[False], n[False])


def assign(vectors: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each vector the index of the nearest centroid, -1 if none is near enough, and the cosine with it: two arrays of
    shape (vectors,). `vectors`: (vectors, dimension), `centroids`: (themes, dimension), both of unit length.
    """
    if not len(centroids) or not len(vectors):
        return np.full(len(vectors), -1), np.zeros(len(vectors), np.float32)
    cosines = (vectors @ centroids.T).round(DIGITS)
    nearest, closeness = cosines.argmax(1), cosines.max(1)
    return np.where(closeness >= MEMBER_COSINE, nearest, -1), closeness


def new_themes(
    clauses: Sequence[Clause], vectors: np.ndarray, counts: Background, taken: Iterable[str] = ()
) -> list[Theme]:
    """Themes among clauses that belong to none yet; deterministic for clauses in the same order.

    `vectors`: unit length, shape (clauses, dimension). `taken`: words of existing themes; a new theme whose first word is
    among them would look the same to a reader, and is left out.
    """
    free, used = np.ones(len(clauses), dtype=bool), {word[:_STEM] for word in taken}
    themes = []
    for min_cosine in GROUP_COSINES:
        neighbours = _neighbours(vectors, min_cosine)
        queue = [(-_reviews(clauses, neighbours[seed]), seed) for seed in range(len(clauses))]
        heapq.heapify(queue)
        while queue and -queue[0][0] >= MIN_REVIEWS:
            queued_size, seed = heapq.heappop(queue)
            group = neighbours[seed][free[neighbours[seed]]]
            size = _reviews(clauses, group) if free[seed] else 0
            if size < -queued_size:  # other themes have taken some of it meanwhile: queue it again by its new size
                heapq.heappush(queue, (-size, seed))
                continue
            centroid = _unit(vectors[group].mean(axis=0))
            members = np.flatnonzero((vectors @ centroid >= MEMBER_COSINE) & free)
            words = name_words([clauses[int(index)] for index in members], counts)
            if words and words[0][:_STEM] not in used and _reviews(clauses, members) >= MIN_REVIEWS:
                free[members] = False
                used |= {word[:_STEM] for word in words}
                name = ", ".join(words).capitalize()
                themes.append(Theme(_id(clauses[int(index)] for index in group), name, words, centroid))
    return themes


def name_words(members: Sequence[Clause], counts: Background) -> tuple[str, ...]:
    """Up to three words, most distinctive first; none if nothing distinguishes the members from other reviews."""
    reviews: dict[str, set[str]] = {}
    forms: dict[str, Counter[str]] = {}
    for clause in members:
        for word in content_words(clause.text):
            reviews.setdefault(word[:_STEM], set()).add(clause.review_id)
            forms.setdefault(word[:_STEM], Counter())[word] += 1
    n_reviews = len({clause.review_id for clause in members})
    scores = {stem: len(ids) / n_reviews * counts.idf(stem) for stem, ids in reviews.items() if len(ids) >= 3}
    distinctive = [stem for stem in scores if counts.is_distinctive(stem, len(reviews[stem]) / n_reviews)]
    if not distinctive:
        return ()
    best = sorted(scores, key=lambda stem: (-scores[stem], stem))
    chosen = [stem for stem in best[:3] if stem in distinctive or scores[stem] >= scores[best[0]] / 3]
    return tuple(min(forms[stem], key=lambda word: (-forms[stem][word], word)) for stem in chosen or distinctive[:1])


def _reviews(clauses: Sequence[Clause], indices: np.ndarray) -> int:
    """The number of reviews that the clauses at these indices come from."""
    return len({clauses[int(index)].review_id for index in indices})


def _neighbours(vectors: np.ndarray, min_cosine: float) -> list[np.ndarray]:
    """For each vector the indices of those with at least this cosine, itself included."""
    return [
        np.flatnonzero(row >= min_cosine)
        for start in range(0, len(vectors), 1000)
        for row in vectors[start : start + 1000] @ vectors.T
    ]


def _unit(vector: np.ndarray) -> np.ndarray:
    unit: np.ndarray = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def _id(members: Iterable[Clause]) -> str:
    lines = "\n".join(sorted(f"{clause.review_id} {clause.text}" for clause in members))
    return hashlib.sha256(lines.encode()).hexdigest()[:8]
