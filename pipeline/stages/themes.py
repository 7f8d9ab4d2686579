"""themes: which aspects a review speaks of, and the sentence that proves it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.backends import registry
from pipeline.backends.dispatch import classify_sentiment, readable
from pipeline.core.labels import SENTIMENTS, from_stars
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row, Stage
from pipeline.reader.heads import CLAUSE_WEIGHT, NEUTRAL
from pipeline.stages.sentiment import SENTIMENT
from pipeline.text.sentences import LONGEST, sentence_spans
from pipeline.themes.labels import record_labels
from pipeline.themes.taxonomy import load_aspects, taxonomy_file
from pipeline.themes.terms import Mention, find_mentions

# How clearly a mention must blame in a review of four or five stars. Of 40 such mentions on Yelp that were read by hand, 17
# were complaints; below this 14 of 25, above it 3 of 15.
CLEAR = -0.6


def spec(profile: Profile) -> dict[str, Any]:
    aspects = load_aspects(taxonomy_file(profile))
    terms = repr([(aspect.id, aspect.terms) for aspect in aspects])
    aspect_model = registry.identities(profile)["aspects"] if registry.aspects(profile) else ""
    return {
        "version": 2,
        "clear": CLEAR,
        "terms": hashlib.sha256(terms.encode()).hexdigest(),
        # not named where there is none: themes of such profiles stay valid
        **({"aspects": [aspect_model, CLAUSE_WEIGHT, NEUTRAL]} if aspect_model else {}),
    }


def transform(rows: Sequence[Row], context: Context) -> list[Row]:
    aspects = load_aspects(taxonomy_file(context.profile))
    found = [(row, mention) for row in rows for mention in find_mentions(row["text"], row["language"], aspects)]
    said = [_unless_faint(row, *value) for (row, _), value in zip(found, _sentiments(found, context), strict=True)]
    best: dict[tuple[str, str], Row] = {}
    for (row, mention), (label, score) in zip(found, said, strict=True):
        candidate = {
            "review_id": row["review_id"],
            "theme": mention.aspect_id,
            "evidence": row["text"][mention.start : mention.end],
            "sentiment": label,
            "score": score,
        }
        key = (row["review_id"], mention.aspect_id)
        if key not in best or _tells_more(candidate, best[key]):
            best[key] = candidate
    silent = {row["review_id"] for row in rows} - {review_id for review_id, _ in best}
    return [*best.values(), *({"review_id": review_id, "theme": ""} for review_id in sorted(silent))]


def from_score(score: float) -> str:
    """Sentiment of a positive-minus-negative probability, with a neutral band as wide as the doubt."""
    return "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"


def _unless_faint(row: Row, label: str | None, score: float | None) -> tuple[str | None, float | None]:
    """A happy customer's faint blame is no complaint: a long review has many mentions, and the worst of each theme counts."""
    happy = row["stars"] is not None and from_stars(row["stars"]) == "positive"
    faint = happy and label == "negative" and score is not None and score > CLEAR
    return "neutral" if faint else label, score


def _tells_more(mention: Row, than: Row) -> bool:
    """A complaint outweighs praise (that is what the evidence is for); among equals the clearer one stands."""
    if mention["score"] is None or than["score"] is None:
        return False  # nothing to choose by: the first mention stands
    blames = mention["sentiment"] == "negative"
    if blames != (than["sentiment"] == "negative"):
        return blames
    return bool(mention["score"] < than["score"] if blames else mention["score"] > than["score"])


def _sentiments(found: Sequence[tuple[Row, Mention]], context: Context) -> list[tuple[str | None, float | None]]:
    """Label, and positive minus negative probability, of each mention: of its clause, and in English of what the sentence
    says about the aspect (see `AspectHead`); from the stars where no model speaks.
    """
    spans = {(row["text"][m.start : m.end], row["language"]): None for row, m in found}
    asked = [{"text": text, "language": language} for text, language in spans]
    judged = dict(zip(spans, classify_sentiment(asked, context.profile.sentiment), strict=True))
    by_stars = dict(zip(SENTIMENTS, (-0.5, 0.0, 0.5), strict=True))  # less sure than a sentence that was read
    said: list[tuple[str | None, float | None]] = []
    read: list[tuple[int, np.ndarray]] = []  # place in `said`, probabilities of the clause
    for row, m in found:
        clause = judged[row["text"][m.start : m.end], row["language"]]
        if clause is not None and not np.isnan(clause[2][0]):
            if readable(row, ("en",)):
                read.append((len(said), clause[2]))
            score: float | None = float(clause[2][2] - clause[2][0])
        else:
            score = None if row["stars"] is None else by_stars[from_stars(row["stars"])]
        said.append((None if score is None else from_score(score), score))
    head = registry.aspects(context.profile)
    if head and read:
        pairs = [(_sentence(row["text"], m), m.said) for row, m in (found[at] for at, _ in read)]
        distinct = sorted(set(pairs))
        aspects = head.probabilities([sentence for sentence, _ in distinct], [term for _, term in distinct])
        places = {pair: number for number, pair in enumerate(distinct)}
        mixed = head.mix(aspects[[places[pair] for pair in pairs]], np.array([clause for _, clause in read]))
        for (at, _), values in zip(read, mixed, strict=True):
            said[at] = (SENTIMENTS[int(values.argmax())], float(values[2] - values[0]))
    return said


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
