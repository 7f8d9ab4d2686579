"""From a row of the `unhappy` query to what a model is asked: one rendering for teacher and student."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import complaints, prompts, themes
from pipeline.backends.base import Request

QUOTE = 120  # most characters of a quote in a prompt, as in the playbook's texts


def shorten(text: str, most: int) -> str:
    """Opening and end of a text of more than so many characters, cut between words; most=0: the whole text."""
    if not most or len(text) <= most:
        return text
    head, tail = text[: most * 2 // 3], text[-most // 3 :]
    return f"{head.rsplit(' ', 1)[0]} … {tail.split(' ', 1)[-1]}"


def request(row: Mapping[str, Any], prompt: str, most_characters: int = 0, taxonomy: Path | None = None) -> Request:
    """The prompt for one unhappy review. The review goes in as data, with its markers defused.

    `taxonomy`: the playbook file whose labels the complaints bear; None: the shipped one.
    """
    aspects = {aspect.id: aspect for aspect in themes.load_aspects(taxonomy)}
    found = complaints.find(row, aspects)
    beyond = complaints.Complaint(aspects[themes.GENERAL], "", complaints.telling(str(row["text"]), found))
    text = prompts.render(
        prompt,
        stars=row["stars"],
        emotions=list(row["emotions"]),
        themes=[theme["theme"].replace("_", " ") for theme in row["themes"] if theme["sentiment"] != "positive"][:3],
        business=complaints.name(row.get("business")),
        complaints=[{"label": item.label, "quote": _quoted(item)} for item in found],
        also=_quoted(beyond) if beyond.evidence else "",
        review=prompts.as_data(shorten(row["text"], most_characters)),
    )
    # Whoever listens must not hear markers that are filled in at the end.
    if prompts.has_slots(prompt):
        return Request(text, row, complaints.slots(row, aspects))
    return Request(text, row, hear=row.get("hear"))


def _quoted(complaint: complaints.Complaint) -> str:
    return prompts.as_data(complaints.quote(complaint, QUOTE))
