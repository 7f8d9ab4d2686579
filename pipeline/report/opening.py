"""The paragraph that opens a report, in plain words: what changed, what hurts, what to do first.

Each number is a link to the part of the report that it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.report.formats import percent
from pipeline.text.sentences import sentence_spans


@dataclass(frozen=True)
class Piece:
    """Some words; `part`: the id of the part of the report that their number comes from, "" without."""

    text: str
    part: str = ""


def opening(content: Mapping[str, Any]) -> list[Piece]:
    """From what `content.gather` found. Empty where nothing was said in words."""
    if content["headline"]["reviews"] == content["headline"]["rating_only"]:
        return []
    return [*_negative(content), *_worst(content), *_trends(content), *_first(content), *_waiting(content)]


def _negative(content: Mapping[str, Any]) -> Iterator[Piece]:
    """How many are unhappy, and whether more than before."""
    headline = content["headline"]
    if headline["negative_share"] is None:
        return
    share = Piece(f"{percent(headline['negative_share'])} of {headline['judged']:,} reviews are negative", "feelings")
    new = next((row for row in content["changed"] if row["what"] == "negative" and row["before"]), None)
    yield share
    if new and new["share_new"] is not None and new["change_low"] is not None:
        change = (
            "clearly more than before"
            if new["change_low"] > 0
            else "clearly fewer than before"
            if new["change_high"] < 0
            else "no clear change"
        )
        yield Piece("; of the new ones ")
        yield Piece(f"{percent(new['share_new'])}, before {percent(new['share_before'])}", "trends")
        yield Piece(f": {change}")
    yield Piece(". ")


def _worst(content: Mapping[str, Any]) -> Iterator[Piece]:
    pains, label = content["pains"], content["labels"].get
    if not pains:
        yield Piece("No complaints were found. ")
        return
    worst = pains[0]
    yield Piece(f"What hurts most is {_quoted(label(worst['theme'], worst['theme']))}: ")
    yield Piece(f"{worst['mentions']:,} of {worst['reviews']:,} reviews complain of it", "pains")
    effect, high = worst["stars_effect"], worst["stars_effect_high"]
    if effect is not None and effect <= -0.1 and high is not None and high < 0:
        yield Piece(" and give ")
        yield Piece(f"{-effect:.1f} stars less", "pains")
    yield Piece(". ")
    if others := pains[1:4]:
        yield Piece("Then come ")
        yield from _listed([(label(row["theme"], row["theme"]), row["mentions"]) for row in others])
        yield Piece(". ")


def _trends(content: Mapping[str, Any]) -> Iterator[Piece]:
    label = content["labels"].get
    for rows, verb in ((content["worse"], "getting worse or new"), (content["better"], "getting better")):
        if rows:
            names = ", ".join(_quoted(label(row["theme"], row["theme"])) for row in rows[:3])
            yield Piece(f"{names[0].upper()}{names[1:]} {'is' if len(rows[:3]) == 1 else 'are'} {verb}: ")
            yield Piece(f"{rows[0]['recent_mentions']} now, {rows[0]['previous_mentions']} before", "pains")
            yield Piece(". ")
    dated = content["pains"] and content["pains"][0]["recent_to"] is not None
    if dated and not content["worse"]:
        yield Piece("No complaint has clearly become more frequent. ")


def _first(content: Mapping[str, Any]) -> Iterator[Piece]:
    if not content["actions"]:
        return
    first = content["actions"][0]
    yield Piece(f"Begin with {_quoted(first['name'])} (")
    yield Piece(f"{first['reviews']} {'review' if first['reviews'] == 1 else 'reviews'}", "actions")
    yield Piece(f"; {first['who']}; {content['efforts'][first['effort']]}): {_opening_sentence(first['action'])} ")


def _waiting(content: Mapping[str, Any]) -> Iterator[Piece]:
    if number := content["waiting"]:
        yield Piece(f"{number:,} {'review waits' if number == 1 else 'reviews wait'}", "answers")
        yield Piece(" for an answer; drafts are below.")


def _opening_sentence(text: str) -> str:
    start, end = next(iter(sentence_spans(text, clauses=False)))
    return text[start:end].strip()


def _listed(rows: list[tuple[str, int]]) -> Iterator[Piece]:
    for index, (name, number) in enumerate(rows):
        yield Piece(f"{'' if not index else ' and ' if index == len(rows) - 1 else ', '}{_quoted(name)} (")
        yield Piece(f"{number:,}", "pains")
        yield Piece(")")


def _quoted(name: str) -> str:
    """A name within a sentence."""
    return f"“{name.replace('_', ' ')}”"
