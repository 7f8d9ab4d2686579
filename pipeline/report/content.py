"""What the report shows: everything its templates need, each number from a named query."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.advice import reply, votes
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import QUALITY, ROLES, SIGNALS
from pipeline.report.figures import figures
from pipeline.report.languages import note
from pipeline.report.masking import Masking
from pipeline.report.opening import opening
from pipeline.report.pain_points import all_actions, pain_points, top_actions
from pipeline.report.scope import Ask, Row, Scope, run_query
from pipeline.report.segments import strongest
from pipeline.report.sources import HEADINGS, describe
from pipeline.themes.labels import theme_labels

Content = dict[str, Any]  # what the templates take, by name; the functions below list it

# What a remedy costs, in words.
EFFORTS = {"talk": "a talk with the team", "purchase": "something to buy", "project": "some weeks of work"}
MONTHS_FROM = 120  # days; reviews that span more have their trends shown by month instead of week
SOURCES = 50  # that are described at most; @sources has all


def gather(
    warehouse: Warehouse, scope: Scope | None = None, groups: str | None = None, masking: Masking | None = None
) -> Content:
    """Everything the templates show. `groups`: further groups of emotions, as JSON (see `read_emotion_groups`); `masking`: hides
    what identifies a person.

    Seven entries come from no query. They start out empty, and the caller sets them: `day`, the date of the report; `night`,
    whether a nightly run made it; `check`, the lines of the check's verdict; `brief`, whether to leave out what concerns the
    whole warehouse; `business_reports`, business -> path of its report; `masked`, what was hidden, as a sentence;
    `newest`: how many reviews the files beside the page hold, None: all.
    """
    scope = scope or Scope()
    ask = functools.partial(run_query, warehouse, scope)
    labels = theme_labels(warehouse)
    overview = _overview(ask)
    content = {
        "scope": scope,
        "scoped": bool(scope),
        "labels": labels,
        "day": None,
        "night": False,
        "check": None,
        "brief": False,
        "business_reports": {},
        "masked": None,
        "newest": None,
        **overview,
        **_complaints(warehouse, scope, ask),
        **_answers(ask, labels, masking),
        **_trends(ask, overview["headline"]),
        **_breakdowns(ask, scope),
        **_distributions(ask, groups),
        **_quality(ask),
        **_left_out(ask),
        **_sources(ask),
        **_provenance(ask),
        "votes": votes.summary(warehouse.path),
    }
    if masking:
        content = {name: masking.of(name, value) for name, value in content.items()}
    return content | {"charts": figures(content), "opening": opening(content)}


def _overview(ask: Ask) -> Content:
    latest = ask("latest_run")
    return {
        "headline": ask("headline")[0],
        "latest": latest[0] if latest else None,
        "ingested": ask("ingested")[0],
        "removed": next(iter(ask("removed_texts")), None),
    }


def _complaints(warehouse: Warehouse, scope: Scope, ask: Ask) -> Content:
    actions = all_actions(ask)
    return {
        "pains": pain_points(warehouse, scope, actions),
        "actions": top_actions(actions, 8),
        "efforts": EFFORTS,
        "worse": ask("getting_worse", limit=5),
        "better": ask("getting_better", limit=5),
        "discovered": ask("discovered_themes", limit=6),
        "praise": ask("praise", limit=5),
    }


def _answers(ask: Ask, labels: Mapping[str, str], masking: Masking | None) -> Content:
    """`answers`: rows of @needs_answer with a `reply` (see `advice.reply`) and the `complaint` to quote; `waiting`: how many
    reviews need one in all; `owner_replies`: how many have one, None if no source holds replies.
    """
    rows = ask("needs_answer", limit=10)
    answers = [
        row
        | {
            "reply": reply.draft(masking.signed(row) if masking else row, labels),
            "complaint": (row["themes"] or [{}])[0].get("evidence"),
        }
        for row in rows
    ]
    replies = ask("owner_replies")
    return {
        "answers": answers,
        "waiting": rows[0]["waiting"] if rows else 0,
        "owner_replies": replies[0] if replies else None,
    }


def _trends(ask: Ask, headline: Row) -> Content:
    long = headline["dated"] and (headline["last_day"] - headline["first_day"]).days > MONTHS_FROM
    period = "month" if long else "week"
    return {
        "period": period,
        "periods": [row | {"name": row[period]} for row in ask(f"{period}s", limit=13)],
        "weekly": ask("week_over_week"),
        "changed": ask("what_changed", limit=8),
    }


def _breakdowns(ask: Ask, scope: Scope) -> Content:
    languages = ask("languages")
    return {
        "businesses": [] if scope.business else ask("businesses", limit=20),
        "products": [] if scope.product else ask("products", limit=10),
        "languages": languages,
        "language_note": note(languages),
        "segments": strongest(ask("segments", limit=1000)),
    }


def _distributions(ask: Ask, groups: str | None) -> Content:
    return {
        "sentiments": ask("sentiments"),
        "stars": ask("stars"),
        "emotions": ask("emotions"),
        "emotion_counts": ask("emotion_counts"),
        "emotion_groups": ask("emotion_groups", groups=groups),
        "word_counts": ask("word_counts"),
    }


def _quality(ask: Ask) -> Content:
    judged = ask("student_verdict")
    return {
        "classifier": ask("classifier_quality"),
        "metrics": ask("model_quality"),
        "scores": ask("scores"),
        "signals": ask("quality_signals"),
        "verdict": verdict(judged),
        "student_shown": any(row["shown"] for row in judged),
        "metric_names": {metric.name: metric.title for metric in QUALITY},
        "signal_metrics": SIGNALS,
        "role_names": ROLES,
    }


def _left_out(ask: Ask) -> Content:
    return {"rejected": ask("rejects_by_reason", limit=30), "errors": ask("errors", limit=30)}


def _sources(ask: Ask) -> Content:
    """`sources`: how each was read (`sources.Described`); `concerns`: (source, what to look at) of all."""
    rows = ask("sources", limit=SOURCES)
    sources = [describe(row | {name: json.loads(row[name]) for name in ("layouts", "fields")}) for row in rows]
    return {
        "sources": sources,
        "source_headings": HEADINGS,
        "concerns": [(item.source, line) for item in sources for line in item.concerns],
    }


def _provenance(ask: Ask) -> Content:
    made = ask("made_by")
    return {
        "made": made[0] if made else None,
        "environment": json.loads(made[0]["environment"] or "{}") if made else {},
        "fingerprints": [row for row in made if row["stage"]],
    }


def verdict(rows: Sequence[Row]) -> list[str]:
    """Whether the tuned student beats the base and each control on both METEOR and grounding; a sentence per row of
    @student_verdict.
    """
    lines = []
    for row in rows:
        numbers = ", ".join(
            f"{name} {row[f'student_{metric}']:.3f} against {row[f'other_{metric}']:.3f} ({_interval(row, metric)})"
            for name, metric in (("METEOR", "meteor"), ("grounding", "grounding"))
        )
        outcome = "beats" if row["beaten"] else "is as good as" if row["passed"] else "does not beat"
        lines.append(f"The tuned student {outcome} the {ROLES[row['role']]}: {numbers}, {row['n']} test reviews.")
    return lines


def _interval(row: Row, metric: str) -> str:
    """The 95 % interval of the paired difference; a single review has none."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return "difference unknown" if low is None else f"difference {low:+.3f} to {high:+.3f}"
