"""The embedded teacher: feedback composed from the library of problems, without a language model.

It quotes what the customer complains of, names the problem and its usual cause, and proposes the steps that put it right: the
gravest first. What is no case of a known problem is quoted, and to be looked into; nothing is said about the business that is not in
the review or in the library.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pipeline.advice.complaints import Complaint, find_complaints
from pipeline.advice.phrases import ENGLISH, laid_out, phrases
from pipeline.advice.problems import in_language, load_problems
from pipeline.advice.wording import fill, in_sentence, quote, stems
from pipeline.backends.base import Request, Written
from pipeline.core.profile import Feedback, Judge, Profile
from pipeline.core.rows import UnhappyReview
from pipeline.text.language import languages
from pipeline.themes.taxonomy import GENERAL, OVERALL, load_aspects, taxonomy_file

MOST_WORDS = 200
# Characters of a quote, remedies of the first problem, and problems told with their cause: tried in order until the text fits.
_LIMITS = ((120, 2, 3), (90, 1, 3), (60, 1, 3), (60, 1, 2), (40, 1, 1), (25, 1, 1), (25, 1, 0))
# Themes that are looked into in another way than their group.
_LOOKS = {
    **dict.fromkeys(("claims", "refund", "payments", "subscription", "billing"), "case"),
    **dict.fromkeys(("selection", "availability"), "choice"),
    "pests": "health",
}
_NAMED = 60  # characters of a quote in a step
_LIKED = 0.6  # the least score of praise that is worth keeping


class Playbook:
    """A Generator. `taxonomy` is a playbook file; None: the shipped one. Raises InputError if it is not valid."""

    model = "playbook"

    def __init__(self, taxonomy: Path | None = None) -> None:
        self.taxonomy = taxonomy
        self.aspects = {aspect.id: aspect for aspect in load_aspects(taxonomy)}

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Self:
        """With the taxonomy of the profile."""
        return cls(taxonomy_file(profile))

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; the prompt is not read."""
        texts = [self.compose(request.review, request.language)[0] for request in requests]
        return [Written(text, text) for text in texts]

    def compose(self, review: UnhappyReview, language: str = ENGLISH) -> tuple[str, list[str]]:
        """(text of at most MOST_WORDS words, its steps). Any key of the review but `text` may be missing, None or empty."""
        complaints = find_complaints(review, self.aspects, in_language(language, self.taxonomy))
        writer = _Writer(language)
        text, steps = "", list[str]()
        for limit, remedies, causes in _LIMITS:
            steps = writer.steps(complaints, remedies)
            said = writer.said(complaints, _praise(review, complaints), limit, causes)
            text = laid_out(language, said, steps, writer.watch(complaints))
            if len(text.split()) <= MOST_WORDS:
                break
        return text, steps


class _Writer:
    """The sentences of a language, filled in."""

    def __init__(self, language: str) -> None:
        self.phrases = phrases()[language]
        self._blank = " " if languages()[language].spaced else ""

    def said(self, complaints: Sequence[Complaint], praise: Sequence[str], limit: int, causes: int) -> list[str]:
        """What the customer complains of and why it may be so, and what they liked, a sentence or two each."""
        sentences, others = list[str](), list[str]()
        for number, complaint in enumerate(complaints):
            if not complaint.evidence.strip():
                continue
            words, problem = _quote(complaint, limit), complaint.problem
            if problem:
                sentences.append(fill(self.phrases.problem, name=problem.name, quote=words))
                sentences += [fill(self.phrases.cause, cause=problem.cause)] if number < causes else []
            elif complaint.is_negative:
                others.append(words)
            else:
                sentences.append(fill(self.phrases.mention, label=in_sentence(complaint.label), quote=words))
        if others:  # without the themes, which are less sure than the words
            sentences.append(fill(self.phrases.complaint, quote=self._comma.join(others)))
        return sentences + [fill(self.phrases.praise, quote=quote(words, limit)) for words in praise]

    def steps(self, complaints: Sequence[Complaint], remedies: int) -> list[str]:
        """For this customer first, then one step per problem; one of a theme of one's own; a look into what is no known
        problem. Where nothing is complained of, a question.
        """
        known = [complaint.problem for complaint in complaints if complaint.problem]
        steps = [fill(self.phrases.customer, step=known[0].customer)] if known else []
        for problem in known:
            who = problem.who[0].upper() + problem.who[1:]
            remedy = self._blank.join(problem.fix[: remedies if problem is known[0] else 1])
            steps.append(f"{who}{self._colon}{remedy}")
        others = [complaint for complaint in complaints if not complaint.problem]
        for complaint in others:
            if complaint.aspect.id not in _themes_of_the_library():
                words = stems(complaint.evidence)
                best = max(complaint.aspect.steps, key=lambda step: len(stems(step) & words))
                steps.append(f"{complaint.label}{self._colon}{best}")
        steps += self._looks([one for one in others if one.aspect.id in _themes_of_the_library() and one.is_negative])
        return [" ".join(step.split()) for step in steps] or [self.phrases.ask]

    def _looks(self, complaints: Sequence[Complaint]) -> Iterator[str]:
        """A step per group of themes, with all that was said about it. Who should act it leaves open: a theme tells that wrongly."""
        quotes = dict[str, list[str]]()
        for complaint in complaints:
            if words := _quote(complaint, _NAMED):
                look = _LOOKS.get(complaint.aspect.id) or complaint.aspect.parent or OVERALL
                quotes.setdefault(look if look in self.phrases.look else OVERALL, []).append(words)
        for look, some in quotes.items():
            yield fill(self.phrases.look[look], quote=self._comma.join(some))

    def watch(self, complaints: Sequence[Complaint]) -> str:
        """The number of the first problem; "": none is known."""
        measures = [complaint.problem.measure for complaint in complaints if complaint.problem]
        return fill(self.phrases.watch, measure=measures[0]) if measures else ""

    @property
    def _colon(self) -> str:
        return ": " if self._blank else "："

    @property
    def _comma(self) -> str:
        return ", " if self._blank else "、"


@functools.cache
def _themes_of_the_library() -> frozenset[str]:
    return frozenset({GENERAL, *(problem.theme for problem in load_problems())})


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


def _quote(complaint: Complaint, limit: int) -> str:
    return quote(complaint.evidence, limit, complaint.term) if complaint.evidence.strip() else ""
