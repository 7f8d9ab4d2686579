"""themes: which aspects a review speaks of, and the sentence that proves it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import themes
from pipeline.assets import PACKAGE
from pipeline.labels import SENTIMENTS, from_stars
from pipeline.profile import Profile
from pipeline.stage import Context, Row, Stage
from pipeline.stages.sentiment import SENTIMENT, judge


def taxonomy(profile: Profile) -> Path:
    return Path(profile.themes.taxonomy) if profile.themes.taxonomy else PACKAGE / "playbook.toml"


def spec(profile: Profile) -> dict[str, Any]:
    aspects = themes.load_aspects(taxonomy(profile))
    terms = repr([(aspect.id, aspect.terms) for aspect in aspects])
    return {"version": 1, "terms": hashlib.sha256(terms.encode()).hexdigest()}


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    aspects = themes.load_aspects(taxonomy(context.profile))
    found = [(row, mention) for row in rows for mention in themes.find(row["text"], row["language"], aspects)]
    scores = _scores(found, context)
    best: dict[tuple[str, str], Row] = {}
    for (row, mention), score in zip(found, scores, strict=True):
        label = None if score is None else from_score(score)
        candidate = {
            "review_id": row["review_id"],
            "theme": mention.aspect_id,
            "evidence": row["text"][mention.start : mention.end],
            "sentiment": label,
            "score": score,
        }
        key = (row["review_id"], mention.aspect_id)
        if key not in best or _tells_more(score, best[key]["score"]):
            best[key] = candidate
    silent = {row["review_id"] for row in rows} - {review_id for review_id, _ in best}
    return [*best.values(), *({"review_id": review_id, "theme": ""} for review_id in sorted(silent))]


def from_score(score: float) -> str:
    """Sentiment of a positive-minus-negative probability, with a neutral band as wide as the doubt."""
    return "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"


def _tells_more(score: float | None, than: float | None) -> bool:
    """A complaint outweighs praise (that is what the evidence is for); among equals the clearer one stands."""
    if score is None or than is None:
        return False  # nothing to choose by: the first mention stands
    if min(score, than) < -0.2:
        return score < than
    return score > than


def _scores(found: Sequence[tuple[Row, themes.Mention]], context: Context) -> list[float | None]:
    """Positive minus negative probability of each evidence; from the stars where no model speaks."""
    spans = {(row["text"][m.start : m.end], row["language"]): None for row, m in found}
    asked = [{"text": text, "language": language} for text, language in spans]
    judged = dict(zip(spans, judge(asked, context.profile.sentiment), strict=True))
    by_stars = dict(zip(SENTIMENTS, (-0.5, 0.0, 0.5), strict=True))  # less sure than a sentence that was read
    scores: list[float | None] = []
    for row, m in found:
        said = judged[row["text"][m.start : m.end], row["language"]]
        if said is not None and not np.isnan(said[2][0]):
            scores.append(float(said[2][2] - said[2][0]))
        else:
            scores.append(None if row["stars"] is None else by_stars[from_stars(row["stars"])])
    return scores


THEMES = Stage("themes", ("review_id", "theme"), spec, transform, parents=(SENTIMENT,))
