"""From a row of the `unhappy` query to what a model is asked: one rendering for teacher and student."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.advice import complaints, markers
from pipeline.backends.base import Request
from pipeline.core import prompts
from pipeline.themes.taxonomy import load_aspects


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
    variables: dict[str, Any] = {
        "stars": row["stars"],
        "emotions": list(row["emotions"]),
        "themes": [theme["theme"].replace("_", " ") for theme in row["themes"] if theme["sentiment"] != "positive"][:3],
        "review": prompts.as_data(shorten(row["text"], most_characters)),
    }
    slots: markers.Slots = {}
    if prompts.has_slots(prompt):
        aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}
        found = complaints.find(row, aspects)
        slots = markers.slots(row, found, aspects)
        labels = [complaint.label for complaint in found]
        variables |= {"complaints": labels, "also": "[+]" in slots, "business": slots.get("[name]")}
    # Whoever listens must not hear markers that are filled in at the end.
    hear = None if slots else row.get("hear")
    return Request(prompts.render(prompt, **variables), row, slots, hear=hear)
