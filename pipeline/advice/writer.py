"""The embedded teacher: feedback written from the playbook, without a language model.

It names the complaint that `themes` found, quotes the customer, and proposes steps that share words with the complaint.
Every variant is chosen by a hash of the review, so the same review always gets the same text. Nothing is said about the
business that is not in the review or in the playbook.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.advice import complaints, wording
from pipeline.backends.base import Request, Written
from pipeline.themes.taxonomy import load_aspects

FEWEST_WORDS, MOST_WORDS = 90, 160
# Most characters of a complaint's quote, and of one from the rest of the review: tried until the text fits.
LIMITS = ((120, 120), (120, 90), (120, 60), (90, 60), (120, 0), (90, 0), (60, 0), (40, 0), (25, 0))

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
_SLOT = re.compile(r"\{(\w+)\}")


class Playbook:
    """A Generator. `taxonomy` is a playbook file; None: the shipped one. Raises InputError where it is not in order."""

    model = "playbook"

    def __init__(self, taxonomy: Path | None = None) -> None:
        self.aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; the prompt is not read."""
        texts = [self.compose(request.review)[0] for request in requests]
        return [Written(text, text) for text in texts]

    def compose(self, review: Mapping[str, Any]) -> tuple[str, list[str]]:
        """(text of 90 to 160 words, its steps). Keys of the review: text, stars, emotions, business, and themes
        (each with theme, evidence, sentiment, score); all but text may be missing, None or empty.
        """
        said = str(review["text"])
        found = complaints.find(review, self.aspects)
        opening = _opening(review, said)
        worst = found[0]
        context = complaints.beyond(review, found, self.aspects)
        acknowledge, beyond, lead, closing = (
            _turned(variants, said)[0]
            for variants in (worst.aspect.acknowledge if worst.judged else _MENTION, _CONTEXT, _LEAD, _CLOSING)
        )
        text, steps = "", list[str]()
        for limit, more in LIMITS:
            head = [opening]
            if worst.evidence.strip():
                business = wording.name(review.get("business")) or "the business"
                quote, subject = _quote(worst, limit), _within(worst.label)
                head += [_fill(acknowledge, quote=quote, subject=subject, business=business)]
            if more and context.evidence:
                head += [_fill(beyond, quote=_quote(context, more))]
            for count in (4, 3):  # a fourth step only where the text would be short without it
                steps = _steps(found, count, limit, said)
                listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
                text = f"{' '.join(head)} {lead}\n\n{listed}\n\n{closing}"
                if len(text.split()) <= (MOST_WORDS if count == 3 else 120):
                    return text, steps
        return text, steps


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
    business = wording.name(review.get("business"))
    mixed = (stars is not None and stars >= 3) and (liked or not feelings)
    return _fill(
        _turned(_MIXED if mixed else _UNHAPPY, said)[0],
        feeling=" and ".join(feelings) or "disappointed",
        with_business=f" with {business}" if business else "",
    )


def _steps(found: Sequence[complaints.Complaint], count: int, limit: int, review: str) -> list[str]:
    """One step per complaint first, then further ones for the worst; all but the first name the customer's words."""
    wanted = [0] * len(found)
    for number in range(count):
        wanted[number % len(found)] += 1
    steps = []
    for complaint, number in zip(found, wanted, strict=True):
        title = complaint.label if complaint is found[0] else f"{complaint.label} ({_quote(complaint, limit)})"
        chosen = _fitting(complaint, number, review)
        steps += [f"{title}: {chosen[0]}", *chosen[1:]]
    return [" ".join(step.split()) for step in steps]


def _fitting(complaint: complaints.Complaint, number: int, review: str) -> list[str]:
    """The steps that share most words with the complaint; among equals the hash decides."""
    said = wording.stems(complaint.evidence)
    steps = _turned(complaint.aspect.steps, review)
    return sorted(steps, key=lambda step: -len(wording.stems(step) & said))[:number]


def _quote(complaint: complaints.Complaint, limit: int) -> str:
    return wording.quote(complaint.evidence, limit, complaint.term)


def _within(label: str) -> str:
    """A label inside a sentence: "waiting time", but "WiFi and internet"."""
    return label[0].lower() + label[1:] if label.split()[0][1:].islower() else label


def _fill(template: str, **values: str) -> str:
    """Slots replaced in one pass, so that braces in a quote stay what they are."""
    return _SLOT.sub(lambda slot: values[slot[1]], template)
