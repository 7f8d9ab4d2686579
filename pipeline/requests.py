"""From a row of the `unhappy` query to what a model is asked: one rendering for teacher and student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import prompts
from pipeline.backends.base import Request


def shorten(text: str, most: int) -> str:
    """Opening and end of a text of more than so many characters, cut between words; most=0: the whole text."""
    if not most or len(text) <= most:
        return text
    head, tail = text[: most * 2 // 3], text[-most // 3 :]
    return f"{head.rsplit(' ', 1)[0]} … {tail.split(' ', 1)[-1]}"


def request(row: Mapping[str, Any], prompt: str, most_characters: int = 0) -> Request:
    """The prompt for one unhappy review. The review goes in as data, with its markers defused."""
    text = prompts.render(
        prompt,
        stars=row["stars"],
        emotions=list(row["emotions"]),
        themes=[theme["theme"].replace("_", " ") for theme in row["themes"] if theme["sentiment"] != "positive"][:3],
        review=prompts.as_data(shorten(row["text"], most_characters)),
    )
    return Request(text, row)
