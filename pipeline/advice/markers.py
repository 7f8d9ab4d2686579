"""Markers that stand for quotes while a small model writes (delexicalisation), and how they are filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.advice.complaints import Complaint, further_complaint
from pipeline.advice.phrases import ENGLISH, phrases
from pipeline.advice.wording import fill as fill_in
from pipeline.advice.wording import name, quote
from pipeline.core.rows import UnhappyReview
from pipeline.themes.taxonomy import Aspect

_LENGTHS = (90, 120, 60, 40, 25)  # of a quote: as a slot is filled, then the other lengths at which the playbook cuts
SHORT = 2  # of these, what a small model is told of it
NAME = "[name]"
_MARKER = re.compile(r"\[(?:[1-9]|\+|name)\]")
_LEFT_OVER = re.compile(r"\s*(?::\s*|\(\s*)?\[(?:[1-9]|\+|name)\]\)?")

Slots = Mapping[str, tuple[str, ...]]  # marker -> variants of what it stands for; the first is what is filled in


def slots(
    review: UnhappyReview, complaints: Sequence[Complaint], aspects: Mapping[str, Aspect]
) -> dict[str, tuple[str, ...]]:
    """What a small model need not spell out: `[1]` to `[5]` are the quotes of the complaints, `[+]` a further quote, `[name]`
    the business. It writes the markers, and the customer's words are filled in verbatim (delexicalisation: Wen et al. 2015,
    "Semantically Conditioned LSTM-based Natural Language Generation").
    """
    marked = {f"[{number}]": complaint for number, complaint in enumerate(complaints, 1)}
    marked["[+]"] = further_complaint(review, complaints, aspects)
    result = {
        marker: tuple(quote(complaint.evidence, length, complaint.term) for length in _LENGTHS)
        for marker, complaint in marked.items()
        if complaint.evidence.strip()
    }
    business = name(review.get("business"))
    return result | ({NAME: (business,)} if business else {})


def delexicalise(text: str, slots: Slots) -> str:
    """A text with its quotes and the business replaced by their markers."""
    variants = [(variant, marker) for marker, values in slots.items() for variant in values]
    for variant, marker in sorted(variants, key=lambda pair: -len(pair[0])):
        text = text.replace(variant, marker)
    return text


def fill(text: str, slots: Slots) -> str:
    """A text with its markers replaced, in one pass; those that stand for nothing are taken out. One without a marker ends with
    the quotes of all complaints, so that whoever reads it sees what it is about.
    """
    quotes = [slots[marker][0] for marker in sorted(slots) if marker[1].isdigit()]
    if quotes and text.strip() and not _MARKER.search(text):
        told = fill_in(phrases()[ENGLISH].complaint, quote=", ".join(quotes))
        return f"{text.rstrip()}\n\n{told}"
    filled = _MARKER.sub(lambda marker: slots[marker[0]][0] if marker[0] in slots else marker[0], text)
    return _LEFT_OVER.sub("", filled) if any(marker not in slots for marker in _MARKER.findall(text)) else filled
