"""Evaluates themes and their sentiment on public data.

    review-insights study aspects --data DATA

DATA: see `training.aspects`. First, the sentiment of given aspects (MAMS and SemEval-2014): by the clause that names them,
by the aspect model, and by both, mixed as in the stage `themes`. Then precision, recall and F1 of the playbook's terms on
the eight categories of MAMS-ACSA, which are coarser than ours: CATEGORIES maps our aspects to them, judging by MAMS'
training file. Our "service" includes waiters, which MAMS counts as "staff": PEOPLE tells its terms apart. "miscellaneous"
is everything else, most of which none of our aspects covers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.reader.heads import AspectHead, SentimentHead
from pipeline.text.sentences import sentence_spans
from pipeline.themes.taxonomy import load_aspects
from pipeline.themes.terms import find_mentions
from pipeline.training.aspects import Example, read_mams, tests

CATEGORIES = {
    "food": ("food_quality", "food_temperature", "drinks", "breakfast", "dietary_needs"),
    "service": ("service", "waiting_time", "delivery", "customer_support"),
    "staff": ("staff_attitude", "complaint_handling", "expertise", "fair_treatment", "sales_pressure"),
    "price": ("value_for_money", "hidden_fees", "offers"),
    "ambience": ("ambience", "noise", "smell", "temperature", "style"),
    "menu": ("selection", "availability"),
    "place": (
        "location",
        "seating",
        "crowding",
        "room_condition",
        "facilities",
        "parking",
        "bathroom",
        "accessibility",
    ),
    "miscellaneous": ("booking", "portion_size"),
}
PEOPLE = re.compile("wait(er|ress|.?staff)|host|server|bartender")  # terms of our "service" that are MAMS' "staff"


def evaluate(data: Path) -> dict[str, Any]:
    """{"sentiment": figures per test file, "categories": figures per category of MAMS-ACSA}."""
    return {
        "sentiment": {name: sentiment(rows) for name, rows in tests(data).items()},
        "categories": categories(read_mams(data / "absa" / "mams_acsa" / "val.xml")),
    }


def clause_of(sentence: str, term: str) -> str:
    """The clause that names the term; the whole sentence if none does (categories are not named)."""
    clauses = [sentence[start:end] for start, end in sentence_spans(sentence)]
    return next((clause for clause in clauses if term.lower() in clause.lower()), sentence)


def sentiment(rows: Sequence[Example]) -> dict[str, float]:
    """Accuracy by the clause, by the aspect model, and by both."""
    truth = np.array([row.label for row in rows])
    clauses = [clause_of(row.sentence, row.aspect) for row in rows]
    distinct = sorted(set(clauses))
    probabilities_of = dict(zip(distinct, SentimentHead().probabilities(distinct), strict=True))
    by_clause = np.array([probabilities_of[clause] for clause in clauses])
    head = AspectHead()
    by_aspect = head.probabilities([row.sentence for row in rows], [row.aspect for row in rows])
    methods = {"clause": by_clause, "aspect": by_aspect, "both": head.mix(by_aspect, by_clause)}
    return {"n": len(rows)} | {name: round(float((p.argmax(1) == truth).mean()), 4) for name, p in methods.items()}


def categories(rows: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 per category and over all (micro), on MAMS-ACSA rows."""
    ours = {aspect: category for category, members in CATEGORIES.items() for aspect in members}
    aspects = load_aspects()
    truth = {(row.sentence, row.aspect) for row in rows}
    predicted = {
        (
            sentence,
            "staff" if mention.aspect_id == "service" and PEOPLE.search(mention.term) else ours[mention.aspect_id],
        )
        for sentence in sorted({row.sentence for row in rows})
        for mention in find_mentions(sentence, "en", aspects)
        if mention.aspect_id in ours
    }
    groups = {name: {name} for name in CATEGORIES}
    groups |= {"all": set(CATEGORIES), "all but miscellaneous": set(CATEGORIES) - {"miscellaneous"}}
    return {
        name: _f1({pair for pair in truth if pair[1] in members}, {pair for pair in predicted if pair[1] in members})
        for name, members in groups.items()
    }


def _f1(truth: set[tuple[str, str]], predicted: set[tuple[str, str]]) -> dict[str, float]:
    right = len(truth & predicted)
    values = {
        "precision": right / len(predicted) if predicted else 0.0,
        "recall": right / len(truth) if truth else 0.0,
        "f1": 2 * right / (len(truth) + len(predicted)) if truth or predicted else 0.0,
    }
    return {"n": len(truth)} | {name: round(value, 3) for name, value in values.items()}
