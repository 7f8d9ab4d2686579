"""discover: complaints of unhappy reviews that the playbook has no aspect for. See `pipeline.themes.discovery`.

Each review's negative clauses without an aspect are embedded, batch by batch; `finish` then assigns them to the themes of
earlier runs and forms new themes from the rest. A theme, once formed, keeps its id, name and centroid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Required, TypedDict

import numpy as np

from pipeline.backends.dispatch import classify_sentiment, language_error, readable
from pipeline.core.profile import Profile
from pipeline.core.rows import Review
from pipeline.core.stage import Context, Row, Stage
from pipeline.reader import minilm
from pipeline.stages.sentiment import SENTIMENT
from pipeline.themes import discovery
from pipeline.themes.taxonomy import load_aspects, taxonomy_file

LANGUAGES = ("en",)  # what the encoder reads and what common_words.txt knows
NEGATIVE = -0.4  # below it a clause counts (positive minus negative probability): strict, as themes are named after it
_DTYPE = np.float16  # of a stored vector: 768 bytes


class DiscoverRow(TypedDict, total=False):
    """A negative clause without an aspect; at place -1, without evidence and vector, if the review has none."""

    review_id: Required[str]
    place: Required[int]  # of its first character in the review
    evidence: str
    vector: bytes  # float16, unit length
    error: str | None


def spec(profile: Profile) -> dict[str, Any]:
    """What discovered themes depend on."""
    terms = repr([(aspect.id, aspect.terms) for aspect in load_aspects(taxonomy_file(profile))])
    return {
        "version": 1,
        "encoder": minilm.SHA256,
        "terms": hashlib.sha256(terms.encode()).hexdigest(),
        "thresholds": [
            NEGATIVE,
            discovery.MIN_REVIEWS,
            discovery.GROUP_COSINES,
            discovery.MEMBER_COSINE,
            discovery.DISTINCTIVE,
            discovery.MIN_RATIO,
        ],
    }


def transform(rows: Sequence[Review], context: Context) -> list[DiscoverRow]:
    """Per review its negative clauses without an aspect, each with place and vector; a row at place -1 if it has none."""
    complaints = _complaints([row for row in rows if readable(row, LANGUAGES)], context.profile)
    vectors = minilm.embed([clause for *_, clause in complaints]).astype(_DTYPE)
    result = [
        DiscoverRow(review_id=review_id, place=place, evidence=clause, vector=vector.tobytes())
        for (review_id, place, clause), vector in zip(complaints, vectors, strict=True)
    ]
    complaining = {review_id for review_id, *_ in complaints}
    for row in rows:
        if row["review_id"] not in complaining:
            error = None if readable(row, LANGUAGES) else language_error(row)
            result.append(DiscoverRow(review_id=row["review_id"], place=-1, error=error))
    return result


def _complaints(rows: Sequence[Review], profile: Profile) -> list[tuple[str, int, str]]:
    """(review_id, place, clause) of every negative clause that mentions no aspect."""
    aspects = load_aspects(taxonomy_file(profile))
    spans = [(row, span) for row in rows for span in discovery.uncovered(row["text"], row["language"], aspects)]
    clauses = [{"text": row["text"][start:end], "language": row["language"]} for row, (start, end) in spans]
    results = classify_sentiment(clauses, profile.sentiment)
    return [
        (row["review_id"], start, row["text"][start:end])
        for (row, (start, end)), result in zip(spans, results, strict=True)
        # Where no model reads the language, every clause counts; where one is not sure, the score is nan, and none does.
        if result is None or result.score < NEGATIVE
    ]


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
            "closeness": [float(value) for value in closeness],
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


DISCOVER = Stage("discover", ("review_id", "place"), spec, transform, parents=(SENTIMENT,), finish=finish)
