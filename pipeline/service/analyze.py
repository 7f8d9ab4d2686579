"""From a batch of reviews to everything a reader wants: the transforms of the stages, without the warehouse.

The service says about a review what a nightly run would say about it, because both run the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline import __version__
from pipeline.advice import reply
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row
from pipeline.core.warehouse import open_memory
from pipeline.ingest.load import review_id
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.feedback import FEEDBACK
from pipeline.stages.sentiment import SENTIMENT
from pipeline.stages.themes import THEMES
from pipeline.text.language import detect_languages
from pipeline.text.repair import repair
from pipeline.themes.taxonomy import load_aspects, taxonomy_file


class Analyzer:
    """`classify` and then `write`, each on a batch. Models load at the first call and stay."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        # The transforms of these stages read no warehouse; an empty one stands in its place.
        self._context = Context(profile, open_memory(), "service", "", Path())
        self.labels = {aspect.id: aspect.label for aspect in load_aspects(taxonomy_file(profile))}

    def warm(self) -> None:
        """Loads every model, so that the first request does not wait for them."""
        for row in self.write(self.classify([prepare("We waited an hour for cold soup.", stars=1.0)])):
            assert row["feedback"] is not None

    def classify(self, rows: Sequence[Row]) -> list[Row]:
        """Sentiment, emotions and themes of rows from `prepare`: one dict per row, in order, as `schema.Analysis` has
        it, with no feedback and no reply yet.
        """
        missing = [row for row in rows if row["language"] is None]
        for row, language in zip(missing, detect_languages([row["text"] for row in missing]), strict=True):
            row["language"] = language
        # Numbered, because two clients may send the same review at once.
        batch = [row | {"review_id": str(number)} for number, row in enumerate(rows)]
        sentiments = {row["review_id"]: row for row in SENTIMENT.transform(batch, self._context)}
        emotions = {row["review_id"]: row for row in EMOTIONS.transform(batch, self._context)}
        found: dict[str, list[Row]] = {row["review_id"]: [] for row in batch}
        for theme in THEMES.transform(batch, self._context):
            if theme["theme"]:
                found[theme["review_id"]].append(theme)
        return [
            self._classified(row, sentiments[key], emotions[key], found[key])
            for row, key in zip(rows, (row["review_id"] for row in batch), strict=True)
        ]

    def _classified(self, row: Row, sentiment: Row, emotions: Row, found: list[Row]) -> Row:
        # The order and the rule of warehouse/views/20_unhappy.sql.
        found.sort(key=lambda theme: (theme["score"] is None, theme["score"] or 0.0, theme["theme"]))
        stars, most = row["stars"], self.profile.feedback.max_stars
        names = ("negative", "neutral", "positive")
        return row | {
            "sentiment": {name: sentiment.get(name) for name in ("label", *names, "error")},
            "emotions": {
                "labels": emotions.get("labels") or [],
                "probabilities": dict(emotions.get("probabilities") or []),
                "error": emotions.get("error"),
            },
            "themes": [self._theme(theme, row["text"]) for theme in found],
            "unhappy": sentiment.get("label") == "negative" or (stars is not None and stars <= most),
            "feedback": None,
            "reply": None,
            "models": {
                "sentiment": sentiment["model"],
                "emotions": emotions["model"],
                "feedback": None,
                "reply": None,
                "profile": self.profile.name,
                "version": __version__,
            },
        }

    def _theme(self, theme: Row, text: str) -> Row:
        start = text.index(theme["evidence"])
        label = self.labels.get(theme["theme"], theme["theme"].replace("_", " ").capitalize())
        shown = {name: theme[name] for name in ("theme", "sentiment", "score", "evidence")}
        return shown | {"label": label, "start": start, "end": start + len(theme["evidence"])}

    def write(self, rows: Sequence[Row]) -> list[Row]:
        """Adds advice and a reply draft to the unhappy among rows from `classify`. `on_text` in a row, if it is
        there, is called with the advice as it grows.
        """
        facts = [_facts(row) for row in rows]
        asked = [fact for row, fact in zip(rows, facts, strict=True) if row["unhappy"]]
        written = {row["review_id"]: row for row in FEEDBACK.transform(asked, self._context)} if asked else {}
        result = []
        for row, fact in zip(rows, facts, strict=True):
            advice = written.get(fact["review_id"]) if row["unhappy"] else None
            answer = reply.draft(fact, self.labels).text if row["unhappy"] else None
            models = row["models"] | {
                "reply": "replies.toml" if answer else None,
                "feedback": advice["model"] if advice else None,
            }
            shown = advice and {name: advice[name] for name in ("text", "suggestions", "truncated", "error")}
            result.append(row | {"feedback": shown, "reply": answer, "models": models})
            result[-1].pop("on_text", None)
        return result


def prepare(text: str, stars: float | None = None, language: str | None = None, business: str | None = None) -> Row:
    """A row for `classify`, its text mended as ingest mends it; `text` is empty where nothing was left."""
    row: Row = {
        "text": repair(text),
        "stars": stars,
        "language": language.lower() if language else None,
        "reviewed_at": None,
        "business": repair(business or "") or None,
        "product": None,
    }
    return {"review_id": review_id(row), **row}


def _facts(row: Row) -> Row:
    """A row of the `unhappy` query from a classified one."""
    return row | {"emotions": row["emotions"]["labels"], "product": row.get("product")}
