"""themes: which aspects a review mentions, and the clause that proves it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np

from pipeline.backends import registry
from pipeline.backends.dispatch import classify_sentiment, readable
from pipeline.core.labels import SENTIMENTS, from_stars
from pipeline.core.profile import Profile
from pipeline.core.rows import RatedReview
from pipeline.core.stage import Context, Stage
from pipeline.reader.heads import CLAUSE_WEIGHT, NEUTRAL
from pipeline.stages.sentiment import SENTIMENT
from pipeline.text.sentences import LONGEST, sentence_spans
from pipeline.themes.labels import record_labels
from pipeline.themes.taxonomy import load_aspects, taxonomy_file
from pipeline.themes.terms import Mention, find_mentions

# How negative a mention must be in a review of four or five stars to count as negative. Of 40 such mentions on Yelp, read by
# hand, 17 were complaints: 14 of 25 below this score, 3 of 15 above it.
CLEAR = -0.6
# Scores from the stars alone: closer to 0 than those of a model that is sure.
_BY_STARS = {"negative": -0.5, "neutral": 0.0, "positive": 0.5}

_Sentiment = tuple[str | None, float | None]  # label, and positive minus negative probability; None: unknown


class ThemeRow(TypedDict):
    """A `ThemeMention` of a review; only theme "" if it has none."""

    review_id: str
    theme: str
    evidence: NotRequired[str]
    sentiment: NotRequired[str | None]
    score: NotRequired[float | None]


def spec(profile: Profile) -> dict[str, Any]:
    """What themes depend on."""
    aspects = load_aspects(taxonomy_file(profile))
    terms = repr([(aspect.id, aspect.terms) for aspect in aspects])
    # Left out without an aspect model, so that themes of such profiles stay valid.
    aspect_model = (
        {"aspects": [registry.aspects_identity(), CLAUSE_WEIGHT, NEUTRAL]} if registry.aspects(profile) else {}
    )
    return {"version": 2, "clear": CLEAR, "terms": hashlib.sha256(terms.encode()).hexdigest(), **aspect_model}


def transform(rows: Sequence[RatedReview], context: Context) -> list[ThemeRow]:
    """Per review and aspect the mention that counts most; one row without evidence if a review mentions none."""
    aspects = load_aspects(taxonomy_file(context.profile))
    mentions = [(row, mention) for row in rows for mention in find_mentions(row["text"], row["language"], aspects)]
    best: dict[tuple[str, str], ThemeRow] = {}
    for (row, mention), sentiment in zip(mentions, _sentiments(mentions, context), strict=True):
        label, score = _unless_faint(row, *sentiment)
        candidate = ThemeRow(
            review_id=row["review_id"],
            theme=mention.aspect_id,
            evidence=row["text"][mention.start : mention.end],
            sentiment=label,
            score=score,
        )
        key = (row["review_id"], mention.aspect_id)
        if key not in best or _is_stronger(candidate, best[key]):
            best[key] = candidate
    without = {row["review_id"] for row in rows} - {review_id for review_id, _ in best}
    return [*best.values(), *(ThemeRow(review_id=review_id, theme="") for review_id in sorted(without))]


def from_score(score: float) -> str:
    """Sentiment of a score (positive minus negative probability), neutral from -0.2 to 0.2."""
    return "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"


def _unless_faint(row: RatedReview, label: str | None, score: float | None) -> _Sentiment:
    """Faint criticism by a happy customer is no complaint: long reviews have many mentions, and each theme's worst counts."""
    happy = row["stars"] is not None and from_stars(row["stars"]) == "positive"
    faint = happy and label == "negative" and score is not None and score > CLEAR
    return "neutral" if faint else label, score


def _is_stronger(mention: ThemeRow, other: ThemeRow) -> bool:
    """A complaint outweighs anything else, as evidence is for complaints; otherwise the clearer mention wins."""
    score, other_score = mention["score"], other["score"]
    if score is None or other_score is None:
        return False  # nothing to choose by: the first mention stays
    is_negative = mention["sentiment"] == "negative"
    if is_negative != (other["sentiment"] == "negative"):
        return is_negative
    return score < other_score if is_negative else score > other_score


def _sentiments(mentions: Sequence[tuple[RatedReview, Mention]], context: Context) -> list[_Sentiment]:
    """Per mention the sentiment of its clause, in English combined with what the sentence says about the aspect
    (`AspectHead`); that of the stars where no model can tell.
    """
    distinct = {(row["text"][mention.start : mention.end], row["language"]): None for row, mention in mentions}
    clauses = [{"text": text, "language": language} for text, language in distinct]
    results = dict(zip(distinct, classify_sentiment(clauses, context.profile.sentiment), strict=True))
    sentiments: list[_Sentiment] = []
    english: list[tuple[int, np.ndarray]] = []  # index of the mention, probabilities of its clause
    for index, (row, mention) in enumerate(mentions):
        clause = results[row["text"][mention.start : mention.end], row["language"]]
        if clause is not None and clause.is_sure:
            if readable(row, ("en",)):
                english.append((index, clause.probabilities))
            score: float | None = clause.score
        else:
            score = None if row["stars"] is None else _BY_STARS[from_stars(row["stars"])]
        sentiments.append((None if score is None else from_score(score), score))
    for index, probabilities in _towards_aspects(mentions, english, context):
        sentiments[index] = (SENTIMENTS[int(probabilities.argmax())], float(probabilities[2] - probabilities[0]))
    return sentiments


def _towards_aspects(
    mentions: Sequence[tuple[RatedReview, Mention]], clauses: Sequence[tuple[int, np.ndarray]], context: Context
) -> list[tuple[int, np.ndarray]]:
    """(index, probabilities of SENTIMENTS towards its aspect) of each mention in `clauses`: (index, probabilities of its
    clause). Empty if the profile uses no aspect model.
    """
    head = registry.aspects(context.profile)
    if not head or not clauses:
        return []
    pairs = [
        (_sentence(row["text"], mention), mention.surface) for row, mention in (mentions[index] for index, _ in clauses)
    ]
    distinct = sorted(set(pairs))
    values = head.probabilities([sentence for sentence, _ in distinct], [term for _, term in distinct])
    positions = {pair: number for number, pair in enumerate(distinct)}
    mixed = head.mix(values[[positions[pair] for pair in pairs]], np.array([clause for _, clause in clauses]))
    return list(zip((index for index, _ in clauses), mixed, strict=True))


@functools.lru_cache(maxsize=256)  # asked for every mention of a review
def _sentences(text: str) -> list[tuple[int, int]]:
    return sentence_spans(text, clauses=False)


def _sentence(text: str, mention: Mention) -> str:
    """The sentence around the mention, or its clause alone if the sentence is longer than LONGEST."""
    for start, end in _sentences(text):
        if start <= mention.start and mention.end <= end and end - start <= LONGEST:
            return text[start:end]
    return text[mention.start : mention.end]


THEMES = Stage("themes", ("review_id", "theme"), spec, transform, parents=(SENTIMENT,), finish=record_labels)
