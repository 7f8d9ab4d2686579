"""A run's summary for the command line: figures for machines, and the same in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from pipeline.metrics.table import COMPARED, ROLES
from pipeline.report.content import Content

if TYPE_CHECKING:
    from pipeline.run import RunResult

Scores = dict[str, dict[str, float]]  # role -> metric -> mean


class Facts(TypedDict):
    """What `--json` prints."""

    run_id: str
    rows_written: int
    reviews: int
    rows: int  # of the latest reading of each source, and what became of them
    accepted: int
    rejected: int
    duplicates: int
    rating_only: int  # ratings without words
    negative_share: float | None  # of the reviews that could be judged
    top_emotions: list[str]
    top_themes: list[str]
    scores: Scores
    verdict: list[str]
    seconds: dict[str, float]  # per stage
    stages: dict[str, dict[str, int]]  # per stage: rows written, and rows that ended in an error
    usage: list[dict[str, Any]]  # per stage and model that was asked: requests, tokens, cost
    texts_removed: int  # reviews whose texts were removed for their age
    masked: dict[str, int]  # kind -> values hidden from models
    notes: list[str]  # what stages had to mend before they could begin
    failures: list[str]  # a line per stage in which requests to a model failed
    table: list[tuple[str, str]]  # the same in words
    files: dict[str, str]


def facts(result: RunResult, content: Content, folder: Path | None) -> Facts:
    """The summary of a run. `content`: the report's, or `gather`'s if none was written; `folder`: the report's, or None."""
    headline, ingested = content["headline"], content["ingested"]
    scores: Scores = {}
    for row in content["metrics"]:
        scores.setdefault(row["role"], {})[row["metric"]] = round(row["mean"], 4)
    files = {"report": str(folder / "report.html")} if folder else {}
    return {
        "run_id": result.run_id,
        "rows_written": result.rows_written,
        "reviews": headline["reviews"],
        "rows": ingested["rows"] or 0,
        "accepted": ingested["accepted"] or 0,
        "rejected": ingested["rejected"] or 0,
        "duplicates": ingested["duplicates"] or 0,
        "rating_only": ingested["rating_only"] or 0,
        "negative_share": headline["negative_share"],
        "top_emotions": [row["name"] for row in content["emotions"]],
        "top_themes": [row["theme"] for row in content["pains"]],
        "scores": scores,
        "verdict": content["verdict"],
        "seconds": result.seconds,
        "stages": {
            stage.name: {"written": stage.written, "failed": stage.failed, "doubted": stage.doubted}
            for stage in result.stages
        },
        "usage": [{"stage": stage, "model": model, **vars(one)} for (stage, model), one in result.usage.items()],
        "texts_removed": result.removed,
        "masked": result.masked,
        "notes": [note for stage in result.stages for note in stage.notes],
        "failures": _failures(result),
        "table": [
            *_reviews(content),
            *_quality(scores, content["verdict"], content["student_shown"]),
            *(("note", note) for stage in result.stages for note in stage.notes),
            *_failed(result),
            *_doubted(result),
            *_asked(result),
            *_masked(result),
            *([("texts removed", f"of {result.removed:,} reviews, for their age")] if result.removed else []),
            _effort(result),
        ],
        "files": files | {"warehouse": str(result.warehouse)},
    }


def _reviews(content: Content) -> list[tuple[str, str]]:
    headline, labels = content["headline"], content["labels"]
    share = headline["negative_share"]
    emotions = [f"{row['name']} {row['n']}" for row in content["emotions"][:5]]
    complaints = [
        f"{labels.get(row['theme'], row['theme'].replace('_', ' '))} {row['mentions']}" for row in content["pains"][:5]
    ]
    return [
        *([("report about", str(content["scope"]))] if content["scoped"] else []),
        ("reviews in", _ingested(content["ingested"])),
        (
            "negative",
            "nothing judged" if share is None else f"{share:.0%} of the {headline['judged']} that could be judged",
        ),
        ("top emotions", ", ".join(emotions) or "none"),
        ("top complaints", ", ".join(complaints) or "none"),
    ]


def _ingested(ingested: Mapping[str, int | None]) -> str:
    counts = {name: number or 0 for name, number in ingested.items()}
    line = "{rows}: {accepted} accepted, {rejected} rejected, {duplicates} duplicates".format_map(counts)
    return f"{line}, {counts['rating_only']} ratings without words" if counts["rating_only"] else line


def _quality(scores: Mapping[str, Mapping[str, float]], verdict: list[str], is_shown: bool) -> list[tuple[str, str]]:
    """A line per role that was scored, and how the student compares."""
    lines = []
    for role, name in ROLES.items():
        means = scores.get(role, {})
        shown = [metric for metric in COMPARED if metric.name in means]
        if role in scores:
            values = (f"{metric.title.split(' (')[0]} {means[metric.name]:.3f}" for metric in shown)
            lines.append((name, ", ".join(values)))
    defeats = [("verdict", line) for line in verdict if "does not beat" in line]
    if verdict and not defeats:
        then = "its text is shown" if is_shown else "the playbook's text is shown all the same, as it costs nothing"
        return [*lines, ("verdict", f"the tuned student beats every control: {then}")]
    return lines + defeats


def _failures(result: RunResult) -> list[str]:
    """Such as "feedback: all 12 requests failed: the server's words"."""
    lines = []
    for stage in result.failing:
        share = f"all {stage.written}" if stage.failed == stage.written else f"{stage.failed} of {stage.written}"
        share = "the only request" if stage.written == 1 else f"{share} requests"
        lines.append(f"{stage.name}: {share} failed: {stage.error}")
    return lines


def _failed(result: RunResult) -> list[tuple[str, str]]:
    lines = [("failed", line) for line in _failures(result)]
    return [*lines, ("", "Once that is mended, run again with --retry-failed.")] if lines else []


def _doubted(result: RunResult) -> list[tuple[str, str]]:
    """A line per stage in which a model's answers were not accepted."""
    return [
        (
            "not accepted",
            f"{stage.name}: answers for {stage.doubted} of {stage.written}; why: review-insights sql @errors",
        )
        for stage in result.stages
        if stage.doubted
    ]


def _asked(result: RunResult) -> list[tuple[str, str]]:
    """A line per model that was asked, with what it cost where the profile has prices."""
    lines = []
    for (stage, model), one in result.usage.items():
        cost = "" if one.cost is None else f", cost {one.cost:.2f}" if one.cost >= 0.1 else f", cost {one.cost:.2g}"
        tokens = f"{one.prompt_tokens:,} in, {one.completion_tokens:,} out"
        lines.append(("tokens", f"{stage}: {model}, {one.requests} answers, {tokens}{cost}"))
    return lines


def _masked(result: RunResult) -> list[tuple[str, str]]:
    counts = ", ".join(f"{kind} {n}" for kind, n in result.masked.items())
    return [("masked", f"{counts}: hidden from the models that were asked")] if counts else []


def _effort(result: RunResult) -> tuple[str, str]:
    return "this run", f"{result.rows_written} rows written in {sum(result.seconds.values()):.0f} s"
