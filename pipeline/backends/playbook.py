"""The embedded teacher: feedback written from the playbook, without a language model.

It names the complaint that `themes` found, quotes the customer, and proposes steps that share words with the complaint.
Every variant is chosen by a hash of the review, so the same review always gets the same text. Nothing is said about the
business that is not in the review or in the playbook.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import themes
from pipeline.backends.base import Request, Written

FEWEST_WORDS, MOST_WORDS = 90, 160
# Most characters of a complaint's quote, and of one from the rest of the review: tried until the text fits.
LIMITS = ((120, 120), (120, 90), (120, 60), (90, 60), (120, 0), (90, 0), (60, 0), (40, 0), (25, 0))
COMPLAINTS = 3

_FEELINGS = {
    "anger": "angry", "annoyance": "annoyed", "confusion": "confused", "disappointment": "disappointed",
    "disapproval": "dissatisfied", "disgust": "disgusted", "embarrassment": "embarrassed", "fear": "worried",
    "grief": "hurt", "nervousness": "uneasy", "remorse": "regretful", "sadness": "saddened",
}  # fmt: skip
_LIKED = {
    "admiration",
    "amusement",
    "approval",
    "caring",
    "excitement",
    "gratitude",
    "joy",
    "love",
    "optimism",
    "pride",
}

_UNHAPPY = (
    "It is clear that this customer was left {feeling} by the experience{with_business}.",
    "The customer's experience{with_business} fell short of expectations and left them {feeling}.",
    "This customer expected a better experience{with_business} and was left {feeling}.",
)
_MIXED = (
    "It is clear that this customer had a mixed experience{with_business}.",
    "The experience{with_business} was not all bad for this customer, and some of it can be improved.",
)
# Where nobody judged the evidence to be a complaint, the text must not call it one.
_MENTION = ("On the subject of {subject}, the customer writes: {quote}.", "The review speaks of {subject}: {quote}.")
_CONTEXT = ("The review also says: {quote}.", "For context, the customer writes: {quote}.")
_LEAD = (
    "To improve the customer's experience, we can take the following steps:",
    "To improve the customer's experience, consider the following steps:",
    "To improve the customer's experience, we can focus on the following areas:",
)
_CLOSING = (
    "Finally, follow up with the customer, apologize for the inconvenience and explain what will change.",
    "Finally, respond to the review, acknowledge the customer's concerns and explain what will be improved.",
    "After that, follow up with the customer personally and ensure that the concerns were addressed.",
)
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
_SLOT = re.compile(r"\{(\w+)\}")
_COMMON = re.compile(
    r"about|after|again|also|because|been|before|being|could|customers?|does|doing|even|every|from|have|here|into|just|"
    r"like|made|make|more|most|much|never|only|other|over|review|service|should|some|such|than|that|their|them|then|"
    r"there|these|they|this|those|time|very|want|wanted|well|were|what|when|where|which|while|will|with|without|would|your"
)


@dataclass(frozen=True)
class _Complaint:
    aspect: themes.Aspect
    label: str
    evidence: str
    term: str = ""  # where in the evidence the quote must not be cut
    judged: bool = True  # negative, by the classifier or by the stars


class Playbook:
    """A Generator. `taxonomy` is a playbook file; None: the shipped one. Raises InputError where it is not in order."""

    model = "playbook"

    def __init__(self, taxonomy: Path | None = None) -> None:
        self.aspects = {aspect.id: aspect for aspect in themes.load_aspects(taxonomy)}

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; the prompt is not read."""
        texts = [self.compose(request.review)[0] for request in requests]
        return [Written(text, text) for text in texts]

    def compose(self, review: Mapping[str, Any]) -> tuple[str, list[str]]:
        """(text of 90 to 160 words, its steps). Keys of the review: text, stars, emotions, business, and themes
        (each with theme, evidence, sentiment, score); all but text may be missing, None or empty.
        """
        said = str(review["text"])
        complaints = self._complaints(review)
        opening = _opening(review, said)
        worst = complaints[0]
        context = _Complaint(self.aspects[themes.GENERAL], "", _telling(said, complaints))
        acknowledge, beyond, lead, closing = (
            _turned(variants, said)[0]
            for variants in (worst.aspect.acknowledge if worst.judged else _MENTION, _CONTEXT, _LEAD, _CLOSING)
        )
        text, steps = "", list[str]()
        for limit, more in LIMITS:
            head = [opening]
            if worst.evidence.strip():
                business = _name(review.get("business")) or "the business"
                quote, subject = _quote(worst, limit), _within(worst.label)
                head += [_fill(acknowledge, quote=quote, subject=subject, business=business)]
            if more and context.evidence:
                head += [_fill(beyond, quote=_quote(context, more))]
            for count in (4, 3):  # a fourth step only where the text would be short without it
                steps = _steps(complaints, count, limit, said)
                listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
                text = f"{' '.join(head)} {lead}\n\n{listed}\n\n{closing}"
                if len(text.split()) <= (MOST_WORDS if count == 3 else 120):
                    return text, steps
        return text, steps

    def _complaints(self, review: Mapping[str, Any]) -> list[_Complaint]:
        """The most negative themes, each with words of its own. What was praised is left out, and what was merely
        mentioned too, once there is a complaint.
        """
        general = self.aspects[themes.GENERAL]
        found = [theme for theme in review.get("themes") or [] if theme["theme"] and (theme["evidence"] or "").strip()]
        negative = [theme for theme in found if theme.get("sentiment") == "negative"]
        ranked = []
        for theme in negative or [theme for theme in found if theme.get("sentiment") != "positive"]:
            aspect = self.aspects.get(theme["theme"], general)  # a discovered theme has no entry of its own
            label = aspect.label if aspect.id == theme["theme"] else str(theme["theme"]).replace("_", " ").capitalize()
            mentions = themes.find(theme["evidence"], review.get("language"), (aspect,))
            term = mentions[0].term if mentions else ""
            complaint = _Complaint(aspect, label, theme["evidence"], term, theme.get("sentiment") == "negative")
            said = len(_stems(complaint.evidence)) + _tone(complaint.evidence)
            ranked.append((theme.get("score") or 0.0, -said, -len(term), complaint))
        complaints: list[_Complaint] = []
        for *_, complaint in sorted(ranked, key=lambda entry: entry[:3]):
            if len(complaints) < COMPLAINTS and all(complaint.evidence != chosen.evidence for chosen in complaints):
                complaints.append(complaint)
        return complaints or [_Complaint(general, general.label, _telling(str(review["text"]), ()))]


def _turned(variants: Sequence[str], review: str) -> list[str]:
    """The variants in an order that depends on the review alone."""
    seed = hashlib.sha256(f"{variants[0]}\0{review}".encode("utf-8", "surrogatepass")).digest()
    first = int.from_bytes(seed[:8], "big") % len(variants)
    return [*variants[first:], *variants[:first]]


def _opening(review: Mapping[str, Any], said: str) -> str:
    emotions = review.get("emotions") or []
    feelings = [_FEELINGS[emotion] for emotion in emotions if emotion in _FEELINGS][:2]
    liked = any(emotion in _LIKED for emotion in emotions)
    stars = review.get("stars")
    name = _name(review.get("business"))
    mixed = (stars is not None and stars >= 3) and (liked or not feelings)
    return _fill(
        _turned(_MIXED if mixed else _UNHAPPY, said)[0],
        feeling=" and ".join(feelings) or "disappointed",
        with_business=f" with {name}" if name else "",
    )


def _steps(complaints: Sequence[_Complaint], count: int, limit: int, review: str) -> list[str]:
    """One step per complaint first, then further ones for the worst; all but the first name the customer's words."""
    wanted = [0] * len(complaints)
    for number in range(count):
        wanted[number % len(complaints)] += 1
    steps = []
    for complaint, number in zip(complaints, wanted, strict=True):
        title = complaint.label if complaint is complaints[0] else f"{complaint.label} ({_quote(complaint, limit)})"
        chosen = _fitting(complaint, number, review)
        steps += [f"{title}: {chosen[0]}", *chosen[1:]]
    return [" ".join(step.split()) for step in steps]


def _fitting(complaint: _Complaint, number: int, review: str) -> list[str]:
    """The steps that share most words with the complaint; among equals the hash decides."""
    said = _stems(complaint.evidence)
    steps = _turned(complaint.aspect.steps, review)
    return sorted(steps, key=lambda step: -len(_stems(step) & said))[:number]


def _stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall(r"[^\W\d_]{4,}", text.lower()) if not _COMMON.fullmatch(word)}


def _telling(text: str, complaints: Sequence[_Complaint]) -> str:
    """The clause that says most beyond what the complaints quote, by its words and its tone; "" if none is left."""
    quoted = {complaint.evidence for complaint in complaints}
    said = set[str]().union(*(_stems(evidence) for evidence in quoted))
    clauses = [text[start:end] for start, end in themes.sentences(text)]

    def worth(clause: str) -> int:
        return min(len(_stems(clause) - said), 12) + _tone(clause)

    return max((clause for clause in clauses if clause not in quoted), key=worth, default="" if complaints else text)


def _tone(clause: str) -> int:
    return 4 * bool(_COMPLAINS.search(clause)) - 8 * bool(_PRAISES.search(clause))


def _quote(complaint: _Complaint, limit: int) -> str:
    """The customer's words in quotation marks, in one line, at most `limit` characters cut between words."""
    said = _one_line(complaint.evidence)
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


def _name(business: Any) -> str | None:
    """A name that can stand in a sentence; identifiers of a data set cannot."""
    name = _one_line(str(business or ""))
    if not any(map(str.isalpha, name)) or len(name) > 60 or re.fullmatch(r"(?=.*\d)[\w-]{16,}", name):
        return None
    return name


def _within(label: str) -> str:
    """A label inside a sentence: "waiting time", but "WiFi and internet"."""
    return label[0].lower() + label[1:] if label.split()[0][1:].islower() else label


def _one_line(text: str) -> str:
    return " ".join(_INVISIBLE.sub("", " ".join(text.split())).split())


def _fill(template: str, **values: str) -> str:
    """Slots replaced in one pass, so that braces in a quote stay what they are."""
    return _SLOT.sub(lambda slot: values[slot[1]], template)
