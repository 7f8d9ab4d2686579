"""themes: which aspects a review speaks of, and the sentence that proves it."""

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

# How clearly a mention must blame in a review of four or five stars. Of 40 such mentions on Yelp that were read by hand, 17
# were complaints; below this 14 of 25, above it 3 of 15.
CLEAR = -0.6
# Scores where only the stars speak: less sure than those of a sentence that was read.
_BY_STARS = {"negative": -0.5, "neutral": 0.0, "positive": 0.5}

_Sentiment = tuple[str | None, float | None]  # label, and positive minus negative probability; None where nothing tells


class ThemeRow(TypedDict):
    """A `ThemeMention` of a review; theme alone, "", where it has none."""

    review_id: str
    theme: str
    evidence: NotRequired[str]
    sentiment: NotRequired[str | None]
    score: NotRequired[float | None]


def spec(profile: Profile) -> dict[str, Any]:
    aspects = load_aspects(taxonomy_file(profile))
    terms = repr([(aspect.id, aspect.terms) for aspect in aspects])
    # Not named where there is no aspect model: themes of such profiles stay valid.
    aspect_model = (
        {"aspects": [registry.aspects_identity(), CLAUSE_WEIGHT, NEUTRAL]} if registry.aspects(profile) else {}
    )
    return {"version": 2, "clear": CLEAR, "terms": hashlib.sha256(terms.encode()).hexdigest(), **aspect_model}


def transform(rows: Sequence[RatedReview], context: Context) -> list[ThemeRow]:
    """Per review and aspect the mention that counts most; one row without evidence where a review mentions none."""
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
    """Sentiment of a positive-minus-negative probability, with a neutral band as wide as the doubt."""
    return "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"


def _unless_faint(row: RatedReview, label: str | None, score: float | None) -> _Sentiment:
    """A happy customer's faint blame is no complaint: a long review has many mentions, and the worst of each theme counts."""
    happy = row["stars"] is not None and from_stars(row["stars"]) == "positive"
    faint = happy and label == "negative" and score is not None and score > CLEAR
    return "neutral" if faint else label, score


def _is_stronger(mention: ThemeRow, than: ThemeRow) -> bool:
    """A complaint outweighs praise (that is what the evidence is for); among equals the clearer one stands."""
    score, other = mention["score"], than["score"]
    if score is None or other is None:
        return False  # nothing to choose by: the first mention stands
    blames = mention["sentiment"] == "negative"
    if blames != (than["sentiment"] == "negative"):
        return blames
    return score < other if blames else score > other


def _sentiments(mentions: Sequence[tuple[RatedReview, Mention]], context: Context) -> list[_Sentiment]:
    """Of each mention: the sentiment of its clause, and in English of what the sentence says about the aspect (see
    `AspectHead`); that of the stars where no model can tell.
    """
    spans = {(row["text"][m.start : m.end], row["language"]): None for row, m in mentions}
    clauses = [{"text": text, "language": language} for text, language in spans]
    results = dict(zip(spans, classify_sentiment(clauses, context.profile.sentiment), strict=True))
    sentiments: list[_Sentiment] = []
    english: list[tuple[int, np.ndarray]] = []  # index of the mention, probabilities of its clause
    for index, (row, m) in enumerate(mentions):
        clause = results[row["text"][m.start : m.end], row["language"]]
        if clause is not None and clause.is_sure:
            if readable(row, ("en",)):
                english.append((index, clause.probabilities))
            score: float | None = clause.score
        else:
            score = None if row["stars"] is None else _BY_STARS[from_stars(row["stars"])]
        sentiments.append((None if score is None else from_score(score), score))
    for index, values in _of_aspects(mentions, english, context):
        sentiments[index] = (SENTIMENTS[int(values.argmax())], float(values[2] - values[0]))
    return sentiments


def _of_aspects(
    mentions: Sequence[tuple[RatedReview, Mention]], clauses: Sequence[tuple[int, np.ndarray]], context: Context
) -> list[tuple[int, np.ndarray]]:
    """Per mention in `clauses` (its index, probabilities of its clause) its index and the probabilities of its aspect;
    none where the profile uses no aspect model.
    """
    head = registry.aspects(context.profile)
    if not head or not clauses:
        return []
    pairs = [(_sentence(row["text"], m), m.surface) for row, m in (mentions[index] for index, _ in clauses)]
    distinct = sorted(set(pairs))
    values = head.probabilities([sentence for sentence, _ in distinct], [term for _, term in distinct])
    places = {pair: number for number, pair in enumerate(distinct)}
    mixed = head.mix(values[[places[pair] for pair in pairs]], np.array([clause for _, clause in clauses]))
    return list(zip((index for index, _ in clauses), mixed, strict=True))


@functools.lru_cache(maxsize=256)  # asked for every mention of a review
def _sentences(text: str) -> list[tuple[int, int]]:
    return sentence_spans(text, clauses=False)


def _sentence(text: str, mention: Mention) -> str:
    """Around the mention; the clause alone where the sentence is too long to be read whole."""
    for start, end in _sentences(text):
        if start <= mention.start and mention.end <= end and end - start <= LONGEST:
            return text[start:end]
    return text[mention.start : mention.end]


THEMES = Stage("themes", ("review_id", "theme"), spec, transform, parents=(SENTIMENT,), finish=record_labels)
