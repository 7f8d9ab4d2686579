"""From a batch of reviews to their analyses: the transforms of the stages, without the warehouse.

The service gives the same result for a review as a nightly run, because both run the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NotRequired, TypedDict

from pipeline import __version__
from pipeline.advice import reply, votes
from pipeline.advice.problems import problems_of
from pipeline.core.labels import SENTIMENTS
from pipeline.core.outside import read
from pipeline.core.profile import Profile
from pipeline.core.stage import Context, Row
from pipeline.core.warehouse import open_memory
from pipeline.ingest.identity import content_id
from pipeline.service.cost import read_to
from pipeline.stages.emotions import EMOTIONS
from pipeline.stages.feedback import FEEDBACK
from pipeline.stages.read import READ
from pipeline.stages.sentiment import SENTIMENT
from pipeline.stages.themes import THEMES
from pipeline.text.language import detect_languages
from pipeline.text.repair import repair
from pipeline.themes.taxonomy import load_aspects, taxonomy_file


class ReviewRow(TypedDict):
    """A review as the warehouse has it, its text repaired."""

    review_id: str
    text: str
    stars: float | None
    language: str | None  # None: still to be detected
    reviewed_at: datetime | None
    business: str | None
    product: str | None


class AnalysisRow(ReviewRow):
    """A review and its analysis: the fields of `schema.Analysis` and the remaining columns of the review."""

    sentiment: Row  # like schema.Sentiment
    emotions: Row  # like schema.Emotions
    themes: list[Row]  # like schema.Theme
    unhappy: bool
    feedback: Row | None  # like schema.Feedback
    reply: str | None
    reply_say: str | None  # of the worst complaint that is a case of a known problem
    reply_avoid: str | None
    models: dict[str, str | None]
    read_to: int | None  # like schema.Analysis
    on_text: NotRequired[Callable[[str], None]]  # see `Analyzer.write`


class Analyzer:
    """First `classify`, then `write`, each on a batch. Models load at the first call and stay in memory."""

    def __init__(self, profile: Profile, warehouse: Path | None = None, max_cost: int = 7_000) -> None:
        self.profile, self.warehouse, self.max_cost = profile, warehouse, max_cost
        # These stages' transforms read no rows from the warehouse; an empty one provides the SQL rules.
        self._context = Context(profile, open_memory(), "service", "", Path())
        self.labels = {aspect.id: aspect.label for aspect in load_aspects(taxonomy_file(profile))}
        self.problems = {problem.id: problem for problem in problems_of(taxonomy_file(profile))}

    def warm(self) -> None:
        """Loads every model, so that the first request does not wait for them."""
        for row in self.write(self.classify([prepare("We waited an hour for cold soup.", stars=1.0)])):
            assert row["feedback"] is not None

    def classify(self, rows: Sequence[ReviewRow]) -> list[AnalysisRow]:
        """Adds sentiment, emotions and themes: one row per review, in order, without feedback and reply. Of a text that costs
        more than `max_cost` only the beginning is read.
        """
        ends = [read_to(row["text"], self.max_cost) for row in rows]
        missing = [row for row in rows if row["language"] is None]
        for row, language in zip(missing, detect_languages([row["text"] for row in missing]), strict=True):
            row["language"] = language
        # Numbered, because two clients may send the same review at the same time.
        numbered: list[Row] = [
            {**row, "review_id": str(number), "text": row["text"][: ends[number]]} for number, row in enumerate(rows)
        ]
        batch = [_read(*pair) for pair in zip(numbered, READ.transform(numbered, self._context), strict=True)]
        sentiments = {row["review_id"]: row for row in SENTIMENT.transform(batch, self._context)}
        emotions = {row["review_id"]: row for row in EMOTIONS.transform(batch, self._context)}
        themes: dict[str, list[Row]] = {row["review_id"]: [] for row in batch}
        for theme in THEMES.transform(batch, self._context):
            if theme["theme"]:
                themes[theme["review_id"]].append(theme)
        unhappy = self._unhappy([sentiments[key].get("label") for key in themes], [row["stars"] for row in rows])
        return [
            self._classified(row, sentiments[key], emotions[key], themes[key], is_unhappy, end)
            for row, key, is_unhappy, end in zip(rows, themes, unhappy, ends, strict=True)
        ]

    def _unhappy(self, labels: list[str | None], stars: list[float | None]) -> list[bool]:
        """The warehouse's rule `is_unhappy`, for a batch; on a cursor of its own, since several threads may call it."""
        parameters = {"labels": labels, "stars": stars, "most": self.profile.feedback.max_stars}
        result = read(
            self._context.warehouse,
            "SELECT is_unhappy(label, stars, $most) "
            "FROM (SELECT unnest($labels::VARCHAR[]) AS label, unnest($stars::DOUBLE[]) AS stars)",
            parameters,
        )
        return [row[0] for row in result.rows]

    def _classified(
        self, row: ReviewRow, sentiment: Row, emotions: Row, themes: list[Row], unhappy: bool, end: int | None
    ) -> AnalysisRow:
        # The order of warehouse/views/20_unhappy.sql.
        themes.sort(key=lambda theme: (theme["score"] is None, theme["score"] or 0.0, theme["theme"]))
        return {
            **row,
            "sentiment": {name: sentiment.get(name) for name in ("label", *SENTIMENTS, "error")},
            "emotions": {
                "labels": emotions.get("labels") or [],
                "probabilities": dict(emotions.get("probabilities") or []),
                "error": emotions.get("error"),
            },
            "themes": [self._theme(theme, row["text"]) for theme in themes],
            "unhappy": unhappy,
            "read_to": end,
            "feedback": None,
            "reply": None,
            "reply_say": None,
            "reply_avoid": None,
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
        return shown | {
            "problem": theme.get("problem"),
            "label": label,
            "start": start,
            "end": start + len(theme["evidence"]),
        }

    def write(self, rows: Sequence[AnalysisRow]) -> list[AnalysisRow]:
        """Adds advice and a reply draft to the unhappy rows among those of `classify`; returns all of them, in order. A row's
        `on_text`, if any, is called with the advice written so far, again and again.
        """
        unhappy = [row for row in rows if row["unhappy"]]
        facts = [_facts(row) for row in unhappy]
        advice = FEEDBACK.transform(facts, self._context) if facts else []
        written = iter([self._written(*parts) for parts in zip(unhappy, facts, advice, strict=True)])
        return [next(written) if row["unhappy"] else row for row in rows]

    def _written(self, row: AnalysisRow, facts: Row, advice: Row) -> AnalysisRow:
        ballots = [
            votes.ballot(self.warehouse, row["review_id"], advice["model"], suggestion)
            for suggestion in advice["suggestions"]
        ]
        complaints = (theme["problem"] for theme in row["themes"] if theme["sentiment"] == "negative")
        known = next((self.problems[problem] for problem in complaints if problem in self.problems), None)
        written: AnalysisRow = {
            **row,
            "feedback": {name: advice[name] for name in ("text", "suggestions", "truncated", "error")}
            | {"ballots": ballots},
            "reply": reply.draft(facts, self.labels).text,
            "reply_say": known.reply_say if known else None,
            "reply_avoid": known.reply_avoid if known else None,
            "models": row["models"] | {"reply": "templates", "feedback": advice["model"]},
        }
        written.pop("on_text", None)
        return written


def prepare(
    text: str, stars: float | None = None, language: str | None = None, business: str | None = None
) -> ReviewRow:
    """A review repaired as in `ingest`; `text` is empty if nothing is left of it."""
    row: ReviewRow = {
        "review_id": "",
        "text": repair(text),
        "stars": stars,
        "language": language.lower() if language else None,
        "reviewed_at": None,
        "business": repair(business or "") or None,
        "product": None,
    }
    row["review_id"] = content_id(row)
    return row


def _read(row: Row, reading: Row) -> Row:
    """A review with its reading, as the queries of the stages after `read` give it."""
    return {
        **row,
        "words": reading["sentiment"],
        "vector": reading["vector"],
        "felt": reading["emotions"],
        "sentences": reading["sentences"],
        "source": "",
        "liked": None,
        "disliked": None,
        "attributes": None,
    }


def _facts(row: AnalysisRow) -> Row:
    """A row as `unhappy` in the warehouse gives it."""
    return {**row, "emotions": row["emotions"]["labels"]}
