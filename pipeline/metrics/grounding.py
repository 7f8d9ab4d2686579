"""Grounding: does a feedback text find the review it was written for among others?

The text and the reviews are embedded, the reviews ranked by cosine, and the value is the reciprocal rank of the text's own
review (the mean is MRR, the share of first ranks R@1). No reference is involved, so a generic paragraph that imitates
the teacher's style gains nothing: among 100 its expected value is 0.05 and its R@1 0.01.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.metrics import check_pairs
from pipeline.metrics.scorer import Candidate, Columns, Scorer
from pipeline.reader import minilm
from pipeline.text.words import fold

Embed = Callable[[Sequence[str]], np.ndarray]

_TIE = 1e-6  # cosines closer than this count as equal: padding alone moves them by 1e-7
_CACHE_SIZE = 50_000  # embeddings kept between calls, as every batch has the same distractors: 77 MB
_vectors: dict[bytes, np.ndarray] = {}


def scorer(profile: Profile) -> Scorer:
    """Fills `grounding`, among the reviews of the training set."""
    pool = profile.score.pool

    def columns(rows: Sequence[Candidate], warehouse: Warehouse) -> Columns:
        # The pool is the same for every role and batch, because the training set is frozen.
        frozen = warehouse.query("SELECT text FROM training_set JOIN reviews USING (review_id) ORDER BY review_id")
        texts, reviews = [row["candidate"] for row in rows], [row["review"] for row in rows]
        return {"grounding": score(texts, reviews, [row["text"] for row in frozen], pool=pool)}

    return Scorer(columns, {"pool": pool}, "all-MiniLM-L6-v2", f"among {pool}")


def score(
    texts: Sequence[str],
    reviews: Sequence[str],
    distractors: Sequence[str],
    *,
    pool: int = 100,
    embed: Embed | None = None,
) -> list[float]:
    """Reciprocal rank of `reviews[i]` for `texts[i]` among `pool` reviews: itself and `pool` - 1 of `distractors`.

    Distractors are ordered by their hashes, and each review takes those that follow its own hash: the same on every machine
    and in every batch, and hardly changed by a new distractor. The review itself and its duplicates (case and white space
    aside) are never among them. With fewer distractors the pool is smaller; with none the value is nan. Ties count against
    the text, which gets the worst rank; an empty text gets 0.

    `embed` maps n strings to n vectors of one width, by default MiniLM's sentence embeddings; they need not be unit
    vectors. Raises InputError for lists that do not pair up and for `pool` below 2.
    """
    check_pairs(texts, reviews, names=("texts", "reviews"))
    if pool < 2:
        raise InputError(f"A grounding pool of {pool} has no other review in it. Set the pool to 2 or more.")
    pools = _pools(reviews, distractors, pool)
    values = [0.0 if others else float("nan") for others in pools]
    ranked = [index for index, text in enumerate(texts) if text.strip() and pools[index]]
    strings = {string for index in ranked for string in (texts[index], reviews[index], *pools[index])}
    vectors = _unit_vectors(sorted(strings), embed or _cached_embeddings)
    for index in ranked:
        text = vectors[texts[index]]
        cosines = np.stack([vectors[other] for other in pools[index]]) @ text
        values[index] = 1.0 / (1 + int((cosines >= vectors[reviews[index]] @ text - _TIE).sum()))
    return values


def _pools(reviews: Sequence[str], distractors: Sequence[str], pool: int) -> list[list[str]]:
    """For each review the `pool` - 1 distractors that follow it on the ring of hashes."""
    ring = sorted({_position(text): text for text in distractors if text.strip()}.items())
    positions = [position for position, _ in ring]
    pools = []
    for review in reviews:
        own = _position(review)
        start = bisect.bisect_left(positions, own)
        following = (ring[(start + step) % len(ring)] for step in range(min(pool, len(ring))))
        pools.append([text for position, text in following if position != own][: pool - 1])
    return pools


def _position(text: str) -> bytes:
    return hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).digest()


def _unit_vectors(strings: Sequence[str], embed: Embed) -> dict[str, np.ndarray]:
    if not strings:
        return {}
    vectors = np.asarray(embed(strings))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip(strings, vectors / np.where(lengths == 0, 1, lengths), strict=True))


def _cached_embeddings(strings: Sequence[str]) -> np.ndarray:
    """MiniLM's embeddings, with those of earlier calls from the cache."""
    keys = [hashlib.sha256(string.encode("utf-8", "surrogatepass")).digest() for string in strings]
    if len(_vectors) + len(strings) > _CACHE_SIZE:
        _vectors.clear()
    new = {key: string for key, string in zip(keys, strings, strict=True) if key not in _vectors}
    _vectors.update(zip(new, minilm.embed(list(new.values())), strict=True))
    return np.stack([_vectors[key] for key in keys])
