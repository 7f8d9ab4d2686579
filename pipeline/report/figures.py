"""The charts of the report, from the rows of its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.metrics.table import METRICS, ROLES
from pipeline.report import charts

if TYPE_CHECKING:
    pass


def figures(content: Mapping[str, Any], named: Any) -> dict[str, str]:
    scores = named("scores")

    def column(role: str, metric: str) -> list[float]:
        return [row[metric] for row in scores if row["role"] == role and row[metric] is not None]

    def name(theme: str) -> str:
        return content["labels"].get(theme, theme.replace("_", " "))

    points = [
        (row["bertscore_f1"], row["bleurt"], row["meteor"])
        for row in scores
        if row["role"] == "student" and None not in (row["bertscore_f1"], row["bleurt"], row["meteor"])
    ]
    period = content["period"]
    judged = [row for row in content["periods"] if row["judged"]]
    words = named("word_counts")
    result = {
        "pains": charts.shares(
            "Share of reviews that complain, with 95 % interval",
            [(name(row["theme"]), row["share"], row["share_low"], row["share_high"]) for row in content["pains"]],
        ),
        "trend": charts.line(
            f"Negative share by {period}, with 95 % interval",
            [(row["name"], row["negative_share"], row["negative_low"], row["negative_high"]) for row in judged],
        ),
        "sentiment": charts.bars("Reviews by sentiment", [(row["name"], row["n"]) for row in content["sentiments"]]),
        "stars": charts.columns("Reviews by stars", [(f"{row['stars']} ★", row["n"]) for row in named("stars")]),
        "emotions": charts.bars("Reviews by emotion", [(row["name"], row["n"]) for row in content["emotions"]]),
        "labels": charts.columns("Reviews by number of emotions", [(str(row["emotions"]), row["n"]) for row in named("emotion_counts")]),
        "words": charts.columns("Reviews by length, in words", [(f"{row['at_least']}+", row["n"]) for row in words]),
        "alignment": charts.scatter(
            "BLEURT against BERTScore of the tuned student, coloured by METEOR",
            points,
            "BERTScore F1",
            "BLEURT",
            "METEOR",
        ),
    }  # fmt: skip
    for metric in METRICS:
        if metric.chart:
            series = [(title.removeprefix("control: "), column(role, metric.name)) for role, title in ROLES.items()]
            result[metric.name] = charts.histograms(f"{metric.title} per text", [item for item in series if item[1]])
    titles = {"ekman": "Ekman's seven", "sentiment": "Positive, negative, ambiguous"}
    for scheme in sorted({row["scheme"] for row in content["emotion_groups"]}):
        rows = [row for row in content["emotion_groups"] if row["scheme"] == scheme]
        title = titles.get(scheme, scheme)
        values = [(row["name"], row["share"], row["share_low"], row["share_high"]) for row in rows]
        result[f"group {title}"] = charts.shares(f"Emotions: {title}, with 95 % interval", values)
    return result
