"""What a review complains about, in its own words: the facts that feedback is written from.

Pure functions on a review and the themes that were found in it. The playbook writes from them, and so does the student,
whose prompt states them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import themes

MOST = 3  # complaints of one review

# A hint of tone, in English, to choose among clauses that no score tells apart.
_COMPLAINS = re.compile(
    r"n['’]t\b|\b(?:not|no|never|nothing|nobody|without|bad|worse|worst|poor|terrible|horrible|awful|wrong|too|only|even|"
    r"but|however|unfortunately|disappoint\w*|wait\w*|had to|instead|problem\w*|wish|should)\b",
    re.IGNORECASE,
)
_PRAISES = re.compile(
    r"\b(?:best|great|good|excellent|amazing|awesome|delicious|wonderful|fantastic|perfect|love[ds]?|nice|happy|enjoy\w*|"
    r"thank\w*|recommend\w*)\b",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # controls that would garble the text around
_COMMON = re.compile(
    r"about|after|again|also|because|been|before|being|could|customers?|does|doing|even|every|from|have|here|into|just|"
    r"like|made|make|more|most|much|never|only|other|over|review|service|should|some|such|than|that|their|them|then|"
    r"there|these|they|this|those|time|very|want|wanted|well|were|what|when|where|which|while|will|with|without|would|your"
)


@dataclass(frozen=True)
class Complaint:
    aspect: themes.Aspect
    label: str
    evidence: str
    term: str = ""  # where in the evidence the quote must not be cut
    judged: bool = True  # negative, by the classifier or by the stars


def find(review: Mapping[str, Any], aspects: Mapping[str, themes.Aspect]) -> list[Complaint]:
    """The most negative themes of a review, at most MOST, each with words of its own. What was praised is left out, and
    what was merely mentioned too, once there is a complaint. Without themes: the clause that says most, as `general`.

    Keys of the review: text, and themes (each with theme, evidence, sentiment, score), language; all but text may be
    missing, None or empty. `aspects`: those of the playbook by their id.
    """
    general = aspects[themes.GENERAL]
    found = [theme for theme in review.get("themes") or [] if theme["theme"] and (theme["evidence"] or "").strip()]
    negative = [theme for theme in found if theme.get("sentiment") == "negative"]
    ranked = []
    for theme in negative or [theme for theme in found if theme.get("sentiment") != "positive"]:
        aspect = aspects.get(theme["theme"], general)  # a discovered theme has no entry of its own
        label = aspect.label if aspect.id == theme["theme"] else str(theme["theme"]).replace("_", " ").capitalize()
        mentions = themes.find(theme["evidence"], review.get("language"), (aspect,))
        term = mentions[0].term if mentions else ""
        complaint = Complaint(aspect, label, theme["evidence"], term, theme.get("sentiment") == "negative")
        said = len(stems(complaint.evidence)) + _tone(complaint.evidence)
        ranked.append((theme.get("score") or 0.0, -said, -len(term), complaint))
    complaints: list[Complaint] = []
    for *_, complaint in sorted(ranked, key=lambda entry: entry[:3]):
        if len(complaints) < MOST and all(complaint.evidence != chosen.evidence for chosen in complaints):
            complaints.append(complaint)
    return complaints or [Complaint(general, general.label, telling(str(review["text"]), ()))]


def telling(text: str, complaints: Sequence[Complaint]) -> str:
    """The clause that says most beyond what the complaints quote, by its words and its tone; "" if none is left."""
    quoted = {complaint.evidence for complaint in complaints}
    said = set[str]().union(*(stems(evidence) for evidence in quoted))
    clauses = [text[start:end] for start, end in themes.sentences(text)]

    def worth(clause: str) -> int:
        return min(len(stems(clause) - said), 12) + _tone(clause)

    return max((clause for clause in clauses if clause not in quoted), key=worth, default="" if complaints else text)


def beyond(review: Mapping[str, Any], found: Sequence[Complaint], aspects: Mapping[str, themes.Aspect]) -> Complaint:
    """The clause that says most beyond the complaints found, as one of its own; its evidence may be empty."""
    return Complaint(aspects[themes.GENERAL], "", telling(str(review["text"]), found))


def _tone(clause: str) -> int:
    return 4 * bool(_COMPLAINS.search(clause)) - 8 * bool(_PRAISES.search(clause))


def stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[^\W\d_]{4,}", text.lower()) if not _COMMON.fullmatch(word)}


def quote(complaint: Complaint, limit: int) -> str:
    """The customer's words in quotation marks, in one line, at most `limit` characters cut between words."""
    said = one_line(complaint.evidence)
    if any("\u2e80" <= character <= "\uffdc" for character in said):
        limit //= 2  # a Chinese or Japanese character says about as much as two or three others
    at = max(said.lower().find(complaint.term.rstrip("*").lower()), 0)
    if len(said) > limit:
        start = 0
        if at + len(complaint.term) > limit - 1:
            start = said.rfind(" ", 0, max(at - limit // 3, 1)) + 1 or max(at - limit // 3, 0)
        body = said[start : start + limit]
        if start + limit < len(said):
            body = (body.rsplit(" ", 1)[0] if " " in body[limit // 2 :] else body[:-1]).rstrip(" ,;:-–，、") + "…"
        said = ("…" if start else "") + body
    said = said.rstrip(" .,;:，、。") or said
    for marks in ("“”", '""', "«»", "‹›"):
        if marks[0] not in said and marks[1] not in said:
            break
    return f"{marks[0]}{said}{marks[1]}"


def one_line(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", " ".join(text.split())).split())


def name(business: Any) -> str | None:
    """A name that can stand in a sentence; identifiers of a data set cannot."""
    text = one_line(str(business or ""))
    if not any(map(str.isalpha, text)) or len(text) > 60 or re.fullmatch(r"(?=.*\d)[\w-]{16,}", text):
        return None
    return text


_LENGTHS = (90, 120, 60, 40, 25)  # of a quote: as a slot is filled, then as else the playbook cuts it
_MARKER = re.compile(r"\[(?:[1-9]|\+|name)\]")
_LEFT_OVER = re.compile(r"\s*(?::\s*|\(\s*)?\[(?:[1-9]|\+|name)\]\)?")

_ITEM = re.compile(r"\s*(?<![\w.])[1-9]\. (?=\S)")
_QUOTED = re.compile(r" ?\(?\[(?:[1-3]|\+)\]\)?")

Slots = Mapping[str, tuple[str, ...]]  # marker -> what it stands for, first as it is filled in


def slots(
    review: Mapping[str, Any], found: Sequence[Complaint], aspects: Mapping[str, themes.Aspect]
) -> dict[str, tuple[str, ...]]:
    """What a small model need not spell: `[1]` to `[3]` are the quotes of the complaints found, `[+]` a further quote,
    `[name]` the business. It writes the markers, and the customer's words are filled in letter for letter (delexicalisation:
    Wen et al. 2015, "Semantically Conditioned LSTM-based Natural Language Generation").
    """
    marked = {f"[{number}]": complaint for number, complaint in enumerate(found, 1)}
    marked["[+]"] = beyond(review, found, aspects)
    result = {
        marker: tuple(quote(complaint, length) for length in _LENGTHS)
        for marker, complaint in marked.items()
        if complaint.evidence.strip()
    }
    business = name(review.get("business"))
    return result | ({"[name]": (business,)} if business else {})


def close(text: str, slots: Slots) -> str:
    """A text with its quotes and the business replaced by their markers."""
    variants = [(variant, marker) for marker, values in slots.items() for variant in values]
    for variant, marker in sorted(variants, key=lambda pair: -len(pair[0])):
        text = text.replace(variant, marker)
    return text


def listed(text: str, slots: Slots) -> str:
    """A teacher's text in the form that a model with slots learns: the sentence before its numbered list, the items, and
    the markers of the quotes at the end. Each complaint belongs to the item that shares most words with its quote, and
    these items come first, in the order of the markers. A text without a list, or without slots, only gets its markers.

    A small model learns one plain form from few examples, whatever teacher it has.
    """
    closed = close(text, slots)
    lead, *parts = _ITEM.split(" ".join(closed.split()))
    items = [_QUOTED.sub("", part).strip() for part in parts]
    markers = [marker for marker in ("[1]", "[2]", "[3]", "[+]") if marker in slots]
    if len(items) < 2 or not markers:
        return closed
    told = [stems(item) for item in items]
    order: list[int] = []
    for marker in markers[: len(items)]:
        said = stems(slots[marker][0])
        order.append(
            min((at for at in range(len(items)) if at not in order), key=lambda at: (-len(told[at] & said), at))
        )
    order += [at for at in range(len(items)) if at not in order]
    numbered = (f"{number}. {items[at]}" for number, at in enumerate(order, 1))
    quotes = f"The customer writes: {', '.join(markers)}."
    return "\n\n".join([lead.rsplit(". ", 1)[-1].strip(), *numbered, quotes])


def fill(text: str, slots: Slots) -> str:
    """A text with its markers replaced, in one pass; those that stand for nothing are taken out."""
    filled = _MARKER.sub(lambda marker: slots[marker[0]][0] if marker[0] in slots else marker[0], text)
    return _LEFT_OVER.sub("", filled) if any(m not in slots for m in _MARKER.findall(text)) else filled
