"""The embedded teacher: feedback composed from the library of problems, without a language model.

It quotes what the customer complains of, names the problem and its usual cause, and proposes the steps that put it right: the
gravest first. What is no case of a known problem is quoted and asked about; nothing is said about the business that is not in
the review or in the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pipeline.advice.complaints import Complaint, find_complaints
from pipeline.advice.problems import load_problems
from pipeline.advice.wording import fill, in_sentence, quote, stems
from pipeline.backends.base import Request, Written
from pipeline.core.profile import Feedback, Judge, Profile
from pipeline.core.rows import UnhappyReview
from pipeline.themes.taxonomy import load_aspects, taxonomy_file

MOST_WORDS = 200
# Characters of a quote, remedies of the first problem, and problems told with their cause: tried in order until the text fits.
_LIMITS = ((120, 2, 3), (90, 1, 3), (60, 1, 3), (60, 1, 2), (40, 1, 1), (25, 1, 1), (25, 1, 0))
_LEAST_SHARED = 2  # words that a step of the playbook shares with a complaint that is no known problem
_LIKED = 0.6  # the least score of praise that is worth keeping

_COMPLAINT = "{label}: {quote}."
_CAUSE = " Usual cause: {cause}"
_MENTION = "On {label}, the customer writes: {quote}."  # of what is not known to be negative
_PRAISE = "Keep what this customer liked: {quote}."
_STEPS = "What to do:"
_CUSTOMER = "For this customer: {step}"
_ASK = "Ask the customer what happened, and when: {quote} does not say enough to name a cause."
_WATCH = "To see whether it helps, watch: {measure}"


class Playbook:
    """A Generator. `taxonomy` is a playbook file; None: the shipped one. Raises InputError if it is not valid."""

    model = "playbook"

    def __init__(self, taxonomy: Path | None = None) -> None:
        self.aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}
        self.problems = {problem.id: problem for problem in load_problems()}

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Self:
        """With the taxonomy of the profile."""
        return cls(taxonomy_file(profile))

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; the prompt is not read."""
        texts = [self.compose(request.review)[0] for request in requests]
        return [Written(text, text) for text in texts]

    def compose(self, review: UnhappyReview) -> tuple[str, list[str]]:
        """(text of at most MOST_WORDS words, its steps). Any key of the review but `text` may be missing, None or empty."""
        complaints = find_complaints(review, self.aspects, self.problems)
        text, steps = "", list[str]()
        for limit, remedies, causes in _LIMITS:
            steps = _steps(complaints, limit, remedies)
            listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
            parts = [" ".join(_said(review, complaints, limit, causes)), f"{_STEPS}\n\n{listed}", _watch(complaints)]
            text = "\n\n".join(filter(None, parts))
            if len(text.split()) <= MOST_WORDS:
                break
        return text, steps


def _said(review: UnhappyReview, complaints: Sequence[Complaint], limit: int, causes: int) -> list[str]:
    """What the customer complains of and why it may be so, and what they liked, a sentence or two each."""
    sentences = []
    for number, complaint in enumerate(complaints):
        if not complaint.evidence.strip():
            continue
        words = _quote(complaint, limit)
        if complaint.problem:
            sentence = fill(_COMPLAINT, label=complaint.problem.name, quote=words)
            if number < causes:
                sentence += fill(_CAUSE, cause=complaint.problem.cause)
        elif not complaint.is_negative:
            sentence = fill(_MENTION, label=in_sentence(complaint.label), quote=words)
        else:
            sentence = fill(_COMPLAINT, label=complaint.label, quote=words)
        sentences.append(sentence)
    return sentences + [fill(_PRAISE, quote=quote(praise, limit)) for praise in _praise(review, complaints)]


def _praise(review: UnhappyReview, complaints: Sequence[Complaint]) -> list[str]:
    """The clearest praise, if it has words of its own."""
    liked = [
        (-(theme["score"] or 0.0), theme["evidence"])
        for theme in review.get("themes") or []
        if theme.get("sentiment") == "positive" and (theme.get("score") or 0.0) >= _LIKED and theme["evidence"]
    ]
    complained = [complaint.evidence for complaint in complaints]
    own = [
        words for _, words in sorted(liked) if all(words not in other and other not in words for other in complained)
    ]
    return own[:1]


def _steps(complaints: Sequence[Complaint], limit: int, remedies: int) -> list[str]:
    """For this customer first, then one step per problem; where there is none, a fitting step of the playbook or a question."""
    steps = []
    known = [complaint.problem for complaint in complaints if complaint.problem]
    if known:
        steps.append(fill(_CUSTOMER, step=known[0].customer[0].lower() + known[0].customer[1:]))
    for problem in known:
        who = problem.who[0].upper() + problem.who[1:]
        steps.append(f"{who}: {' '.join(problem.fix[: remedies if problem is known[0] else 1])}")
    for complaint in complaints:
        if not complaint.problem:
            words = stems(complaint.evidence)
            best = max(complaint.aspect.steps, key=lambda step: len(stems(step) & words))
            if len(stems(best) & words) >= _LEAST_SHARED:
                steps.append(f"{complaint.label}: {best}")
    return [" ".join(step.split()) for step in steps] or [
        fill(_ASK, quote=_quote(complaints[0], limit) or "the review")
    ]


def _watch(complaints: Sequence[Complaint]) -> str:
    measures = [complaint.problem.measure for complaint in complaints if complaint.problem]
    return fill(_WATCH, measure=measures[0][0].lower() + measures[0][1:]) if measures else ""


def _quote(complaint: Complaint, limit: int) -> str:
    return quote(complaint.evidence, limit, complaint.term) if complaint.evidence.strip() else ""
