"""discover: what unhappy reviews complain of that the playbook has no aspect for. See `pipeline.themes.discovery`.

Each review's negative clauses without an aspect are embedded, batch by batch; `finish` then gives them to the themes of
earlier nights and founds new themes from what is left. A theme, once founded, keeps its id, name and centroid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.backends.dispatch import classify_sentiment, readable, unsupported
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage
from pipeline.reader import minilm
from pipeline.stages.sentiment import SENTIMENT
from pipeline.themes import discovery
from pipeline.themes.taxonomy import load_aspects, taxonomy_file

LANGUAGES = ("en",)  # what the encoder reads and what common_words.txt knows
NEGATIVE = -0.4  # positive minus negative probability of a clause: below the doubt, for a complaint is to be named
_DTYPE = np.float16  # of a stored vector: 768 bytes


def spec(profile: Profile) -> dict[str, Any]:
    terms = repr([(aspect.id, aspect.terms) for aspect in load_aspects(taxonomy_file(profile))])
    return {
        "version": 1,
        "encoder": minilm.SHA256,
        "terms": hashlib.sha256(terms.encode()).hexdigest(),
        "thresholds": [
            NEGATIVE,
            discovery.FEWEST,
            discovery.CLOSE,
            discovery.MEMBER,
            discovery.TELLING,
            discovery.UNHAPPIER,
        ],
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    """Per review its negative clauses without an aspect, each with its place and vector; one row at -1 where it has none."""
    aspects = load_aspects(taxonomy_file(context.profile))
    read = [row for row in rows if readable(row, LANGUAGES)]
    found = [(row, span) for row in read for span in discovery.uncovered(row["text"], row["language"], aspects)]
    clauses = [{"text": row["text"][start:end], "language": row["language"]} for row, (start, end) in found]
    scores = [-1.0 if said is None else float(said[2][2] - said[2][0]) for said in classify_sentiment(clauses, context.profile.sentiment)]  # fmt: skip
    bad = [at for at, score in enumerate(scores) if score < NEGATIVE]  # nan, where a model is not sure, is not below
    vectors = minilm.embed([clauses[at]["text"] for at in bad]).astype(_DTYPE)
    result: list[Row] = [
        {
            "review_id": found[at][0]["review_id"],
            "place": found[at][1][0],
            "evidence": clauses[at]["text"],
            "vector": vector.tobytes(),
        }
        for at, vector in zip(bad, vectors, strict=True)
    ]
    told = {row["review_id"] for row in result}
    for row in rows:
        if row["review_id"] not in told:
            error = None if readable(row, LANGUAGES) else unsupported(row)
            result.append({"review_id": row["review_id"], "place": -1, "error": error})
    return result


def finish(context: Context) -> None:
    """Gives the clauses of new reviews to the themes that are known, and founds themes from those that are left."""
    scope = {"fingerprint": context.fingerprint}
    new = context.warehouse.value(
        "SELECT count(*) FROM store.discover WHERE fingerprint = $fingerprint AND vector IS NOT NULL AND theme IS NULL",
        scope,
    )
    if not new:
        return
    left = context.warehouse.query(
        "SELECT review_id, place, evidence, vector FROM store.discover WHERE fingerprint = $fingerprint "
        "AND vector IS NOT NULL ORDER BY review_id, place",
        scope,
    )
    vectors = np.stack([np.frombuffer(row["vector"], _DTYPE) for row in left]).astype(np.float32)
    known = context.warehouse.query(
        "SELECT theme, words, centroid FROM store.discovered WHERE fingerprint = $fingerprint ORDER BY theme", scope
    )
    ids = [row["theme"] for row in known]
    centroids = np.array([np.frombuffer(row["centroid"], np.float32) for row in known])
    nearest, closeness = discovery.assign(vectors, centroids)
    free = np.flatnonzero(nearest < 0)[: discovery.MOST]
    clauses = [discovery.Clause(left[at]["review_id"], left[at]["evidence"]) for at in free]
    founded = discovery.found(
        clauses, vectors[free], _background(context), (word for row in known for word in row["words"])
    )
    if founded:
        ids += [theme.id for theme in founded]
        centroids = np.array([*centroids, *(theme.centroid for theme in founded)])
        later, cosines = discovery.assign(vectors, centroids)
        # What a known theme has taken, it keeps.
        nearest, closeness = np.where(nearest < 0, later, nearest), np.where(nearest < 0, cosines, closeness)
        context.warehouse.append(
            "store.discovered",
            [
                {
                    "theme": theme.id,
                    "name": theme.name,
                    "words": list(theme.words),
                    "centroid": theme.centroid.tobytes(),
                    "fingerprint": context.fingerprint,
                    "run_id": context.run_id,
                }
                for theme in founded
            ],
        )
    context.warehouse.execute(
        """
        UPDATE store.discover d
        SET theme = m.theme, closeness = m.closeness, vector = CASE WHEN m.theme = '' THEN d.vector END
        FROM (SELECT unnest($reviews) AS review_id, unnest($places) AS place, unnest($themes) AS theme,
                     unnest($closeness) AS closeness) m
        WHERE d.fingerprint = $fingerprint AND d.review_id = m.review_id AND d.place = m.place
        """,
        {
            "reviews": [row["review_id"] for row in left],
            "places": [row["place"] for row in left],
            "themes": [ids[at] if at >= 0 else "" for at in nearest],
            "closeness": [float(value) for value in closeness],
            **scope,
        },
    )


def _background(context: Context) -> discovery.Background:
    """Of the first 20,000 readable reviews by id, a hash: a random choice that is the same tomorrow."""
    rows = context.warehouse.query(
        "SELECT text, NOT is_plainly_happy(s.label, stars) AS unhappy FROM reviews "
        "LEFT JOIN sentiment s USING (review_id) WHERE language IS NULL OR language IN (SELECT unnest($languages)) "
        "ORDER BY review_id LIMIT 20000",
        {"languages": list(LANGUAGES)},
    )
    return discovery.background((row["text"], row["unhappy"]) for row in rows)


DISCOVER = Stage("discover", ("review_id", "place"), spec, transform, parents=(SENTIMENT,), finish=finish)
