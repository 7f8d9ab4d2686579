"""What the report shows: everything its templates need, each number from a named query."""

from __future__ import annotations

import functools
import itertools
import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.advice import reply, votes, wording
from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import QUALITY, ROLES, SIGNALS
from pipeline.report.figures import figures
from pipeline.themes.taxonomy import load_aspects

if TYPE_CHECKING:
    pass

OF_A_THEME = 2  # actions that one theme may have in the list of all


@dataclass(frozen=True)
class Scope:
    """Which reviews a report is about. `until` is the last day that counts; None means all."""

    business: str | None = None
    product: str | None = None
    language: str | None = None
    since: date | None = None
    until: date | None = None


def run_query(warehouse: Warehouse, scope: Scope, name: str, **more: Any) -> list[dict[str, Any]]:
    query = queries.load(name)
    given = {key: value for key, value in (asdict(scope) | more).items() if key in query.parameters}
    return warehouse.query(query.sql, query.bind(given))


def gather(warehouse: Warehouse, scope: Scope | None = None, groups: str | None = None) -> dict[str, Any]:
    """Everything the templates show, from the named queries. `groups`: further groups of emotions, as JSON."""
    scope = scope or Scope()
    named = functools.partial(run_query, warehouse, scope)
    labels = theme_labels()
    # Nearly every query reads these views: computed once, they take a fraction of the time.
    for view in ("insights", "complaints"):
        warehouse.query(f"CREATE TEMP TABLE IF NOT EXISTS {view} AS SELECT * FROM main.{view}")
    actions = named("actions", limit=1000)
    made, latest = named("made_by"), named("latest_run")
    headline = named("headline")[0]
    long = headline["dated"] and (headline["last_day"] - headline["first_day"]).days > 120
    answers = [
        row | {"reply": reply.draft(row, labels), "complaint": (row["themes"] or [{}])[0].get("evidence")}
        for row in named("needs_answer", limit=10)
    ]
    content = {
        "scope": scope,
        "scoped": any(asdict(scope).values()),
        "brief": False,
        "check": None,
        "own_reports": {},
        "day": None,
        "labels": labels,
        "headline": headline,
        "latest": latest[0] if latest else None,
        "ingested": named("ingested")[0],
        "changed": named("what_changed", limit=8),
        "weekly": named("week_over_week"),
        "pains": pain_points(warehouse, scope, actions),
        "worse": named("getting_worse", limit=5),
        "better": named("getting_better", limit=5),
        "discovered": named("discovered_themes", limit=6),
        "actions": _at_most(actions, OF_A_THEME)[:8],
        "answers": answers,
        "waiting": answers[0]["waiting"] if answers else 0,
        "period": "month" if long else "week",
        "periods": [row | {"name": row["month" if long else "week"]} for row in named("months" if long else "weeks", limit=13)],
        "businesses": named("businesses", limit=20) if not scope.business else [],
        "products": named("products", limit=10) if not scope.product else [],
        "languages": named("languages"),
        "emotions": named("emotions"),
        "emotion_groups": named("emotion_groups", groups=groups),
        "sentiments": named("sentiments"),
        "praise": named("praise", limit=5),
        "classifier": named("classifier_quality"),
        "metrics": named("model_quality"),
        "signals": named("quality_signals"),
        "verdict": verdict(named("student_verdict")),
        "rejected": named("rejects_by_reason", limit=30),
        "errors": named("errors", limit=30),
        "made": made[0] if made else None,
        "environment": json.loads(made[0]["environment"] or "{}") if made else {},
        "fingerprints": [row for row in made if row["stage"]],
        "metric_names": {metric.name: metric.title for metric in QUALITY},
        "signal_metrics": SIGNALS,
        "role_names": ROLES,
        "votes": votes.summary(warehouse.path),
    }  # fmt: skip
    return content | {"charts": figures(content, named)}


def pain_points(
    warehouse: Warehouse, scope: Scope | None = None, actions: Sequence[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Rows of the query `top_pain_points`, each with two `quotes` that prove it and `actions` to take."""
    named = functools.partial(run_query, warehouse, scope or Scope())
    actions = named("actions", limit=1000) if actions is None else actions
    pains, shown = [], set[str]()
    for row in named("top_pain_points", limit=8):
        quotes = _telling(named("quotes", theme=row["theme"], limit=200), shown)[:2]
        shown |= {quote["evidence"] for quote in quotes}
        pains.append(row | {"quotes": quotes, "actions": chosen(actions, "theme", row["theme"])[:OF_A_THEME]})
    return pains


def _telling(quotes: Sequence[dict[str, Any]], shown: AbstractSet[str]) -> list[dict[str, Any]]:
    """Those first that say badly what many say: how negative the clause is times how much its words recur in the others;
    less of reviews with four or five stars. Without those that stand elsewhere already: a clause can speak of two themes.
    """
    fresh = [quote for quote in quotes if quote["evidence"] not in shown] or list(quotes)
    words = [wording.stems(quote["evidence"]) for quote in fresh]
    often = Counter(itertools.chain.from_iterable(words))

    def worth(at: int) -> float:
        quote, length = fresh[at], len(fresh[at]["evidence"])
        told = sum(often[word] - 1 for word in words[at]) / (len(words[at]) + 3)
        badly = max(0.0, -(quote["score"] or 0.0)) * (0.3 if (quote["stars"] or 0) >= 4 else 1)
        return (0.1 + badly) * (1 + told) * (1 if 30 <= length <= 160 else 0.4)

    return [fresh[at] for at in sorted(range(len(fresh)), key=worth, reverse=True)]


def chosen(rows: Sequence[dict[str, Any]], key: str, value: Any) -> list[dict[str, Any]]:
    return [row for row in rows if row[key] == value]


def _at_most(actions: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The first `most` of each theme, in order."""
    taken: dict[str | None, int] = {}
    kept = []
    for action in actions:
        taken[action["theme"]] = taken.get(action["theme"], 0) + 1
        if taken[action["theme"]] <= most:
            kept.append(action)
    return kept


@functools.cache
def theme_labels() -> dict[str, str]:
    return {aspect.id: aspect.label for aspect in load_aspects()}


def read_emotion_groups(path: Path) -> str:
    """A TOML file of tables (schemes) that give a name to lists of emotions, as the JSON that @emotion_groups takes."""
    try:
        schemes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--emotion-groups {path} cannot be read: {' '.join(str(error).split())}") from error
    rows = []
    for scheme, members in schemes.items():
        if not isinstance(members, dict):
            raise InputError(
                f'--emotion-groups {path}: write a table per scheme: [{scheme}] upset = ["anger", "annoyance"]'
            )
        for name, emotions in members.items():
            if not isinstance(emotions, list) or (strange := [word for word in emotions if word not in EMOTIONS]):
                what = f"{strange[0]!r} is none" if isinstance(emotions, list) else "a list is wanted"
                raise InputError(f"--emotion-groups {path}: {scheme}.{name}: {what}. Emotions: {', '.join(EMOTIONS)}")
            rows += [{"scheme": scheme, "name": name, "emotion": emotion} for emotion in emotions]
    return json.dumps(rows)


def verdict(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """In words: whether the tuned student beats the base and each control, on METEOR and grounding at once."""
    lines = []
    for row in rows:
        numbers = ", ".join(
            f"{name} {row[f'student_{metric}']:.3f} against {row[f'other_{metric}']:.3f} ({_interval(row, metric)})"
            for name, metric in (("METEOR", "meteor"), ("grounding", "grounding"))
        )
        numbers += f", {row['n']} test reviews"
        says = "beats" if row["beaten"] else "is as good as" if row["passed"] else "does not beat"
        lines.append(f"The tuned student {says} the {ROLES[row['role']]}: {numbers}.")
    return lines


def _interval(row: Mapping[str, Any], metric: str) -> str:
    """Of the paired difference; one review alone has none."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return "difference unknown" if low is None else f"difference {low:+.3f} to {high:+.3f}"
