"""What hurts most, with the quotes that prove it and what to do about it."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, TypedDict, cast

from pipeline.advice import wording
from pipeline.core.warehouse import Warehouse
from pipeline.report.scope import Ask, Scope, run_query

ACTIONS_PER_THEME = 2
QUOTES_PER_THEME = 3


class Quote(TypedDict):
    """A row of @quotes. `evidence` is verbatim; `score` is positive minus negative probability, -1 to 1; `probability`: that
    it is a complaint.
    """

    theme: str
    evidence: str
    business: str | None
    day: date | None
    stars: float | None
    language: str | None
    severity: float | None
    score: float | None
    probability: float | None
    review_id: str


class Action(TypedDict):
    """A row of @actions: a problem that customers complain of, and its remedy."""

    problem: str
    name: str
    action: str
    cause: str
    customer: str
    who: str
    effort: str
    measure: str
    theme: str
    reviews: int
    of_reviews: int
    share: float
    share_low: float
    share_high: float
    weight: str
    severity: float | None
    grade: int
    pain: float
    stars_effect: float | None
    review_ids: list[str]
    quotes: list[dict[str, Any]]  # review_id, business, evidence


class PainPoint(TypedDict):
    """A row of @top_pain_points (columns: see warehouse/views/60_pain_points.sql) with its quotes and actions."""

    theme: str
    mentions: int
    reviews: int
    share: float
    share_low: float
    share_high: float
    weight: str
    severity: float
    pain: float
    stars_with: float | None
    stars_with_n: int
    stars_without: float | None
    stars_without_n: int
    stars_effect: float | None
    stars_effect_low: float | None
    stars_effect_high: float | None
    recent_from: date | None
    recent_to: date | None
    recent_mentions: int
    recent_reviews: int
    previous_mentions: int
    previous_reviews: int
    change: float | None
    change_low: float | None
    change_high: float | None
    trend: str
    emerging: bool
    quotes: list[Quote]
    actions: list[Action]


def pain_points(
    warehouse: Warehouse, scope: Scope | None = None, actions: Sequence[Action] | None = None
) -> list[PainPoint]:
    """The eight themes that hurt most. `actions`: those of the same scope, if already queried."""
    ask = functools.partial(run_query, warehouse, scope or Scope())
    actions = all_actions(ask) if actions is None else actions
    themes, shown = [], set[str]()
    for row in ask("top_pain_points", limit=8):
        candidates = cast(list[Quote], ask("quotes", theme=row["theme"], limit=200))
        quotes = representative_first(candidates, shown)[:QUOTES_PER_THEME]
        shown |= {quote["evidence"] for quote in quotes}
        of_theme = [action for action in actions if action["theme"] == row["theme"]]
        themes.append(cast(PainPoint, row | {"quotes": quotes, "actions": of_theme[:ACTIONS_PER_THEME]}))
    return themes


def all_actions(ask: Ask) -> list[Action]:
    """All rows of @actions."""
    return cast(list[Action], ask("actions", limit=1000))


def top_actions(actions: Sequence[Action], limit: int) -> list[Action]:
    """The first `limit`, with at most ACTIONS_PER_THEME of each theme."""
    taken = Counter[str | None]()
    kept = []
    for action in actions:
        taken[action["theme"]] += 1
        if taken[action["theme"]] <= ACTIONS_PER_THEME:
            kept.append(action)
    return kept[:limit]


def representative_first(quotes: Sequence[Quote], shown: Collection[str] = ()) -> list[Quote]:
    """Sorted by how certain and how negative the clause is, times how often its words recur in the other quotes. A clause
    counts less if its review has four or five stars, or if it is too short or too long to be read at a glance.

    Clauses already `shown` are left out while others remain: one clause can be evidence for two themes.
    """
    fresh = [quote for quote in quotes if quote["evidence"] not in shown] or list(quotes)
    words = [wording.stems(quote["evidence"]) for quote in fresh]
    frequency = Counter(itertools.chain.from_iterable(words))

    def weight(at: int) -> float:
        quote, length = fresh[at], len(fresh[at]["evidence"])
        recurrence = sum(frequency[word] - 1 for word in words[at]) / (len(words[at]) + 3)
        negativity = max(0.0, -(quote["score"] or 0.0)) * (0.3 if (quote["stars"] or 0) >= 4 else 1)
        certainty = (quote["probability"] or 0.5) ** 2
        return certainty * (0.1 + negativity) * (1 + recurrence) * (1 if 30 <= length <= 160 else 0.4)

    return [fresh[at] for at in sorted(range(len(fresh)), key=weight, reverse=True)]
