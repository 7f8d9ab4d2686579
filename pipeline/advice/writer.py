"""The embedded teacher: feedback written from the playbook, without a language model.

It names the review's complaints, quotes the customer, and proposes steps that share words with each complaint.
Every variant is chosen by a hash of the review, so the same review always gets the same text. It says nothing about
the business that is not in the review or in the playbook.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pipeline.advice.complaints import Complaint, find_complaints, further_complaint
from pipeline.advice.wording import fill, in_sentence, name, quote, seed, stems
from pipeline.backends.base import Request, Written
from pipeline.core.profile import Feedback, Judge, Profile
from pipeline.core.rows import UnhappyReview
from pipeline.themes.taxonomy import load_aspects, taxonomy_file

MOST_WORDS = 160
# Maximum characters of a complaint's quote, and of one from the rest of the review: tried in order until the text fits.
LIMITS = ((120, 120), (120, 90), (120, 60), (90, 60), (120, 0), (90, 0), (60, 0), (40, 0), (25, 0))

_FEELINGS = {
    "anger": "angry",
    "annoyance": "annoyed",
    "confusion": "confused",
    "disappointment": "disappointed",
    "disapproval": "dissatisfied",
    "disgust": "disgusted",
    "embarrassment": "embarrassed",
    "fear": "worried",
    "grief": "hurt",
    "nervousness": "uneasy",
    "remorse": "regretful",
    "sadness": "saddened",
}
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
# For evidence that is not known to be negative: the text must not call it a complaint.
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


class Playbook:
    """A Generator. `taxonomy` is a playbook file; None: the shipped one. Raises InputError if it is not valid."""

    model = "playbook"

    def __init__(self, taxonomy: Path | None = None) -> None:
        self.aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Self:
        """With the taxonomy of the profile."""
        return cls(taxonomy_file(profile))

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; the prompt is not read."""
        texts = [self.compose(request.review)[0] for request in requests]
        return [Written(text, text) for text in texts]

    def compose(self, review: UnhappyReview) -> tuple[str, list[str]]:
        """(text of 90 to 160 words, its steps). Any key of the review but `text` may be missing, None or empty."""
        complaints = find_complaints(review, self.aspects)
        lead, closing = _variant(_LEAD, review), _variant(_CLOSING, review)
        text, steps = "", list[str]()
        for limit, more in LIMITS:
            head = self._head(review, complaints, limit, more)
            for count in (4, 3):  # a fourth step only if the text would be short without it
                steps = _steps(complaints, count, limit, review)
                listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
                text = f"{head} {lead}\n\n{listed}\n\n{closing}"
                if len(text.split()) <= (MOST_WORDS if count == 3 else 120):
                    return text, steps
        return text, steps

    def _head(self, review: UnhappyReview, complaints: Sequence[Complaint], limit: int, more: int) -> str:
        """The part before the steps: how the customer feels, the worst complaint, and what else the review says, quoted in
        at most `limit` and `more` characters.
        """
        worst, further = complaints[0], further_complaint(review, complaints, self.aspects)
        sentences = [_opening(review)]
        if worst.evidence.strip():
            acknowledge = _variant(worst.aspect.acknowledge if worst.is_negative else _MENTION, review)
            business = name(review.get("business")) or "the business"
            sentences += [
                fill(acknowledge, quote=_quote(worst, limit), subject=in_sentence(worst.label), business=business)
            ]
        if more and further.evidence:
            sentences += [fill(_variant(_CONTEXT, review), quote=_quote(further, more))]
        return " ".join(sentences)


def _rotated(variants: Sequence[str], review: UnhappyReview) -> list[str]:
    """The variants in an order that depends on them and on the text of the review alone."""
    first = seed(f"{variants[0]}\0{review['text']}") % len(variants)
    return [*variants[first:], *variants[:first]]


def _variant(variants: Sequence[str], review: UnhappyReview) -> str:
    return _rotated(variants, review)[0]


def _opening(review: UnhappyReview) -> str:
    emotions = review.get("emotions") or []
    feelings = [_FEELINGS[emotion] for emotion in emotions if emotion in _FEELINGS][:2]
    liked = any(emotion in _LIKED for emotion in emotions)
    stars = review.get("stars")
    business = name(review.get("business"))
    mixed = (stars is not None and stars >= 3) and (liked or not feelings)
    return fill(
        _variant(_MIXED if mixed else _UNHAPPY, review),
        feeling=" and ".join(feelings) or "disappointed",
        with_business=f" with {business}" if business else "",
    )


def _steps(complaints: Sequence[Complaint], count: int, limit: int, review: UnhappyReview) -> list[str]:
    """One step per complaint first, then further ones, from the worst on; all complaints but the first are quoted."""
    shares = [0] * len(complaints)
    for number in range(count):
        shares[number % len(complaints)] += 1
    steps = []
    for complaint, share in zip(complaints, shares, strict=True):
        title = complaint.label if complaint is complaints[0] else f"{complaint.label} ({_quote(complaint, limit)})"
        chosen = _fitting(complaint, share, review)
        steps += [f"{title}: {chosen[0]}", *chosen[1:]]
    return [" ".join(step.split()) for step in steps]


def _fitting(complaint: Complaint, number: int, review: UnhappyReview) -> list[str]:
    """The steps that share most words with the complaint; the hash breaks ties."""
    words = stems(complaint.evidence)
    steps = _rotated(complaint.aspect.steps, review)
    return sorted(steps, key=lambda step: -len(stems(step) & words))[:number]


def _quote(complaint: Complaint, limit: int) -> str:
    return quote(complaint.evidence, limit, complaint.term)
