"""Reply drafts compared with a company's own replies.

    review-insights study replies --data FILE [--limit N]

FILE is a CSV with the columns content (the review), replyContent (the company's own reply) and score (stars). Both are
compared on the same reviews of one and two stars: METEOR of the draft against the company's reply, with shuffled texts as
controls, and grounding of both (does the text find its own review among 100?).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from pipeline.advice import reply
from pipeline.core.errors import InputError
from pipeline.metrics import grounding, meteor
from pipeline.themes.taxonomy import load_aspects
from pipeline.themes.terms import find_mentions


def measure(path: Path, limit: int = 300) -> dict[str, float]:
    """Figures by name, means over the first `limit` unhappy reviews with a reply. Raises like `read`, or if there are few."""
    rows = read(path)[:limit]
    if len(rows) < 2:
        raise InputError(f"{path} holds fewer than two unhappy reviews with a reply.")
    reviews, company = [row["content"] for row in rows], [row["replyContent"] for row in rows]
    drafts = draft(reviews)
    grounded = {
        name: grounding.score(texts, reviews, reviews) for name, texts in (("draft", drafts), ("company", company))
    }
    return {
        "reviews": float(len(rows)),
        "meteor_draft": mean(meteor.score(drafts, company)),
        "meteor_draft_shuffled": mean(meteor.score(drafts[1:] + drafts[:1], company)),
        "meteor_company_shuffled": mean(meteor.score(company[1:] + company[:1], company)),
        "grounding_draft": mean(grounded["draft"]),
        "grounding_company": mean(grounded["company"]),
        "grounding_r1_draft": mean(value == 1 for value in grounded["draft"]),
        "grounding_r1_company": mean(value == 1 for value in grounded["company"]),
        "distinct_drafts": len(set(drafts)) / len(drafts),
        "distinct_company": len(set(company)) / len(company),
    }


def read(path: Path) -> list[dict[str, str]]:
    """The rows with one or two stars that have a review and a reply. Raises InputError for an unusable file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({type(error).__name__}). Give a CSV file in UTF-8.") from error
    if not rows or not {"content", "replyContent", "score"} <= rows[0].keys():
        raise InputError(f"{path} needs the columns content, replyContent and score.")
    return [
        row for row in rows if row["replyContent"].strip() and row["content"].strip() and row["score"] in ("1", "2")
    ]


def draft(reviews: Sequence[str]) -> list[str]:
    """A reply to each review, from the themes it names. They count as negative: with one or two stars, people complain."""
    aspects = load_aspects()
    labels = {aspect.id: aspect.label for aspect in aspects}
    drafts = []
    for text in reviews:
        themes = [
            {
                "theme": mention.aspect_id,
                "evidence": text[mention.start : mention.end],
                "sentiment": "negative",
                "score": None,
            }
            for mention in find_mentions(text, "en", aspects)
        ]
        drafts.append(reply.draft({"text": text, "language": "en", "themes": themes}, labels).text)
    return drafts
