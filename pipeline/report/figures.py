"""The charts of the report, from the rows of its content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.metrics.table import METRICS, ROLES
from pipeline.report import charts

Content = Mapping[str, Any]
_SCHEMES = {"ekman": "Ekman's seven", "sentiment": "Positive, negative, ambiguous"}


def figures(content: Content) -> dict[str, str]:
    """Name -> SVG, empty if there is nothing to draw. A scheme of emotion groups is named "group " and its title."""
    return {
        "pains": _pains(content),
        "trend": _trend(content),
        **_distributions(content),
        **_emotion_groups(content),
        "alignment": _alignment(content["scores"]),
        **_metrics(content["scores"]),
    }


def _with_interval(name: str, row: Mapping[str, Any], share: str = "share", of: str = "share") -> charts.Share:
    return name, row[share], row[f"{of}_low"], row[f"{of}_high"]


def _pains(content: Content) -> str:
    labels = content["labels"]
    values = [_with_interval(labels.get(row["theme"], row["theme"].replace("_", " ")), row) for row in content["pains"]]
    return charts.shares("Share of reviews that complain, with 95 % interval", values)


def _trend(content: Content) -> str:
    judged = [row for row in content["periods"] if row["judged"]]
    values = [_with_interval(row["name"], row, "negative_share", "negative") for row in judged]
    return charts.line(f"Negative share by {content['period']}, with 95 % interval", values)


def _distributions(content: Content) -> dict[str, str]:
    sentiments = [(row["name"], row["n"]) for row in content["sentiments"]]
    stars = [(f"{row['stars']} ★", row["n"]) for row in content["stars"]]
    emotions = [(row["name"], row["n"]) for row in content["emotions"]]
    counts = [(str(row["emotions"]), row["n"]) for row in content["emotion_counts"]]
    words = [(f"{row['at_least']}+", row["n"]) for row in content["word_counts"]]
    return {
        "sentiment": charts.bars("Reviews by sentiment", sentiments),
        "stars": charts.columns("Reviews by stars", stars),
        "emotions": charts.bars("Reviews by emotion", emotions),
        "labels": charts.columns("Reviews by number of emotions", counts),
        "words": charts.columns("Reviews by length, in words", words),
    }


def _emotion_groups(content: Content) -> dict[str, str]:
    drawings = {}
    for scheme in sorted({row["scheme"] for row in content["emotion_groups"]}):
        title = _SCHEMES.get(scheme, scheme)
        rows = [row for row in content["emotion_groups"] if row["scheme"] == scheme]
        values = [_with_interval(row["name"], row) for row in rows]
        drawings[f"group {title}"] = charts.shares(f"Emotions: {title}, with 95 % interval", values)
    return drawings


def _alignment(scores: Sequence[Mapping[str, Any]]) -> str:
    """One point per text of the tuned student."""
    points = [(row["bertscore_f1"], row["bleurt"], row["meteor"]) for row in scores if row["role"] == "student"]
    title = "BLEURT against BERTScore of the tuned student, coloured by METEOR"
    return charts.scatter(title, [point for point in points if None not in point], "BERTScore F1", "BLEURT", "METEOR")


def _metrics(scores: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """For each metric, a histogram per role that has values."""
    drawings = {}
    for metric in (metric for metric in METRICS if metric.chart):
        series = []
        for role, name in ROLES.items():
            values = [row[metric.name] for row in scores if row["role"] == role and row[metric.name] is not None]
            if values:
                series.append((name.removeprefix("control: "), values))
        drawings[metric.name] = charts.histograms(f"{metric.title} per text", series)
    return drawings
