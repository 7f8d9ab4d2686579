"""Turns an unhappy review into the request to a model: one rendering for teacher and student."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.advice import markers
from pipeline.advice.complaints import find_complaints
from pipeline.advice.phrases import ENGLISH
from pipeline.backends.base import Request
from pipeline.core import prompts
from pipeline.core.rows import UnhappyReview
from pipeline.themes.taxonomy import load_aspects


def shorten(text: str, limit: int) -> str:
    """The opening and the end of a text longer than `limit` characters, cut between words; 0 means no limit."""
    if not limit or len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-limit // 3 :]
    return f"{head.rsplit(' ', 1)[0]} … {tail.split(' ', 1)[-1]}"


def request(
    row: UnhappyReview, prompt: str, max_characters: int = 0, taxonomy: Path | None = None, language: str = ENGLISH
) -> Request:
    """The request to a model about one unhappy review, which goes into the prompt as data (`prompts.as_data`).

    `prompt`: name and version of a template; `max_characters`: of the review, see `shorten`; `taxonomy`: the playbook file
    that labels the complaints, None for the shipped one; `language`: that the playbook writes in. Raises InputError for a prompt that does not exist.
    """
    themes = [theme["theme"].replace("_", " ") for theme in row["themes"] or [] if theme["sentiment"] != "positive"]
    variables: dict[str, Any] = {
        "stars": row["stars"],
        "emotions": list(row["emotions"] or []),
        "themes": themes[:3],
        "review": prompts.as_data(shorten(row["text"], max_characters)),
    }
    if not prompts.has_slots(prompt):
        return Request(prompts.render(prompt, **variables), row, on_text=row.get("on_text"), language=language)
    aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}
    complaints = find_complaints(row, aspects)
    slots = markers.slots(row, complaints, aspects)
    labels = [complaint.label for complaint in complaints]
    variables |= {"complaints": labels, "also": "[+]" in slots, "business": slots.get("[name]")}
    # A text with markers is not shown while it is written: they are filled in at the end.
    on_text = None if slots else row.get("on_text")
    return Request(prompts.render(prompt, **variables), row, slots, on_text, language)
