"""discover: complaints of unhappy reviews that the taxonomy has no theme for. See `pipeline.themes.discovery`.

Each review's negative sentences that speak of no known theme are taken with their vectors, batch by batch; `finish` then
assigns them to the themes of earlier runs and forms new themes from the rest. A theme, once formed, keeps its id, name and
centroid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Required, TypedDict

import numpy as np

from pipeline.backends import registry
from pipeline.backends.dispatch import language_error, readable
from pipeline.core.profile import Profile
from pipeline.core.rows import Review, Sentence, short
from pipeline.core.stage import Context, Row, Stage
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from pipeline.themes import discovery

LANGUAGES = ("en",)  # that common_words.txt knows, after whose words themes are named
NEGATIVE = 0.7  # least probability of a sentence that counts: strict, as themes are named after them
KNOWN = 0.35  # a sentence that speaks of a theme with this probability is not about something new
_DTYPE = np.float16  # of a stored vector: 768 bytes


class ReadReview(Review):
    """A review with its sentences as they were read."""

    sentences: list[Sentence] | None


class DiscoverRow(TypedDict, total=False):
    """A negative sentence without a theme; at place -1, without evidence and vector, if the review has none."""

    review_id: Required[str]
    place: Required[int]  # of its first character in the review
    evidence: str
    vector: bytes  # float16, unit length
    error: str | None


def spec(profile: Profile) -> dict[str, Any]:
    """What discovered themes depend on."""
    return {
        "version": 2,  # 2: the reader's sentences and vectors
        "reader": registry.reader_identity(profile.reader),
        "thresholds": [
            NEGATIVE,
            KNOWN,
            discovery.MIN_REVIEWS,
            discovery.GROUP_COSINES,
            discovery.MEMBER_COSINE,
            discovery.DISTINCTIVE,
            discovery.MIN_RATIO,
        ],
    }


def transform(rows: Sequence[ReadReview], context: Context) -> list[DiscoverRow]:
    """Per review its negative sentences without a theme, each with place and vector; a row at place -1 if it has none."""
    result = []
    for row in rows:
        is_readable = readable(row, LANGUAGES)
        found = [sentence for sentence in row["sentences"] or () if is_readable and _is_new(sentence, row["text"])]
        result += [
            DiscoverRow(
                review_id=row["review_id"],
                place=sentence["start"],
                evidence=row["text"][sentence["start"] : sentence["end"]],
                vector=sentence["vector"],
            )
            for sentence in found
        ] or [DiscoverRow(review_id=row["review_id"], place=-1, error=None if is_readable else language_error(row))]
    return result


def _is_new(sentence: Sentence, text: str) -> bool:
    """Whether a sentence complains of something that no theme covers."""
    words = discovery.stems(text[sentence["start"] : sentence["end"]])
    known = max((theme["probability"] for theme in sentence["themes"]), default=0.0)
    return sentence["negative"] >= NEGATIVE and known < KNOWN and len(words) >= 2


def finish(context: Context) -> None:
    """Assigns the clauses of new reviews to existing themes, and forms new themes from the rest."""
    scope = {"fingerprint": context.fingerprint}
    unassigned = context.warehouse.value(
        "SELECT count(*) FROM store.discover WHERE fingerprint = $fingerprint AND vector IS NOT NULL AND theme IS NULL",
        scope,
    )
    if not unassigned:
        return
    rows = context.warehouse.query(
        "SELECT review_id, place, evidence, vector FROM store.discover WHERE fingerprint = $fingerprint "
        "AND vector IS NOT NULL ORDER BY review_id, place",
        scope,
    )
    vectors = np.stack([np.frombuffer(row["vector"], _DTYPE) for row in rows]).astype(np.float32)
    existing = context.warehouse.query(
        "SELECT theme, words, centroid FROM store.discovered WHERE fingerprint = $fingerprint ORDER BY theme", scope
    )
    ids = [row["theme"] for row in existing]
    centroids = np.array([np.frombuffer(row["centroid"], np.float32) for row in existing])
    nearest, closeness = discovery.assign(vectors, centroids)
    remaining = np.flatnonzero(nearest < 0)[: discovery.MAX_CLAUSES]
    clauses = [discovery.Clause(rows[index]["review_id"], rows[index]["evidence"]) for index in remaining]
    used_words = [word for row in existing for word in row["words"]]
    themes = discovery.new_themes(clauses, vectors[remaining], _background(context), used_words)
    if themes:
        ids += [theme.id for theme in themes]
        centroids = np.array([*centroids, *(theme.centroid for theme in themes)])
        nearest_of_all, cosines = discovery.assign(vectors, centroids)
        # Clauses of existing themes stay with them.
        closeness = np.where(nearest < 0, cosines, closeness)
        nearest = np.where(nearest < 0, nearest_of_all, nearest)
        _record_themes(themes, context)
    _record_assignment(rows, [ids[index] if index >= 0 else "" for index in nearest], closeness, context)


def _record_themes(themes: Sequence[discovery.Theme], context: Context) -> None:
    rows = [
        {
            "theme": theme.id,
            "name": theme.name,
            "words": list(theme.words),
            "centroid": theme.centroid.tobytes(),
            "fingerprint": context.fingerprint,
            "run_id": context.run_id,
        }
        for theme in themes
    ]
    context.warehouse.append("store.discovered", rows)


def _record_assignment(rows: Sequence[Row], themes: Sequence[str], closeness: np.ndarray, context: Context) -> None:
    """Writes each clause's theme; once it has one, its vector is not needed again."""
    context.warehouse.execute(
        """
        UPDATE store.discover d
        SET theme = m.theme, closeness = m.closeness, vector = CASE WHEN m.theme = '' THEN d.vector END
        FROM (SELECT unnest($reviews) AS review_id, unnest($places) AS place, unnest($themes) AS theme,
                     unnest($closeness) AS closeness) m
        WHERE d.fingerprint = $fingerprint AND d.review_id = m.review_id AND d.place = m.place
        """,
        {
            "reviews": [row["review_id"] for row in rows],
            "places": [row["place"] for row in rows],
            "themes": themes,
            "closeness": [short(value) for value in closeness],
            "fingerprint": context.fingerprint,
        },
    )


def _background(context: Context) -> discovery.Background:
    """Word counts of the first 20,000 readable reviews by id, a hash: a random sample that stays the same."""
    rows = context.warehouse.query(
        "SELECT text, NOT is_plainly_happy(s.label, stars) AS unhappy FROM reviews "
        "LEFT JOIN sentiment s USING (review_id) "
        "WHERE NOT rating_only AND (language IS NULL OR language IN (SELECT unnest($languages))) "
        "ORDER BY review_id LIMIT 20000",
        {"languages": list(LANGUAGES)},
    )
    return discovery.background((row["text"], row["unhappy"]) for row in rows)


DISCOVER = Stage("discover", ("review_id", "place"), spec, transform, parents=(READ, SENTIMENT), finish=finish)
