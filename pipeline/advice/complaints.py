"""What a review complains about, in its own words: the facts that feedback is written from.

Pure functions of a review and its themes. The playbook writes from complaints, and so does the student, whose prompt states
them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.advice.problems import Problem
from pipeline.advice.wording import stems
from pipeline.core.rows import UnhappyReview
from pipeline.text.script import has_dense
from pipeline.text.sentences import sentence_spans
from pipeline.themes.taxonomy import GENERAL, Aspect
from pipeline.themes.terms import find_mentions

MAX_COMPLAINTS = 5  # of one review
_FEW = 3  # words that may stand alone
_ENDS = ".!?\n"  # of a sentence
_MIXED = 3  # stars from which on a review need not complain of anything
_USUAL = 2  # the severity of a complaint that is no known problem

# Hints of tone, in English, to choose among clauses with the same score or none.
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


@dataclass(frozen=True)
class Complaint:
    """A theme of a review, as feedback names and quotes it."""

    aspect: Aspect
    label: str
    evidence: str
    term: str = ""  # a part of the evidence that a shortened quote must keep
    is_negative: bool = True  # according to the classifier or the stars; False: unknown
    problem: Problem | None = None  # what it is a case of


def find_complaints(
    review: UnhappyReview, aspects: Mapping[str, Aspect], problems: Mapping[str, Problem] | None = None
) -> list[Complaint]:
    """The gravest and most negative themes of a review, at most MAX_COMPLAINTS, each with evidence and a problem of its own.
    Praise is left out, and so are mere mentions if there is any complaint. Without themes: the most informative clause, as
    `general`.

    Any key of the review but `text` may be missing, None or empty. `aspects`: the playbook's, by id; `problems`: the library's.
    """
    general = aspects[GENERAL]
    mentions = [
        (theme, _in_its_sentence(str(review["text"]), evidence))
        for theme in review.get("themes") or []
        if theme["theme"] and (evidence := theme["evidence"] or "").strip()
    ]
    negative = [mention for mention in mentions if mention[0].get("sentiment") == "negative"]
    ranked = []
    for theme, evidence in negative or [mention for mention in mentions if mention[0].get("sentiment") != "positive"]:
        aspect = aspects.get(theme["theme"], general)  # a discovered theme has no entry of its own
        label = aspect.label if aspect.id == theme["theme"] else theme["theme"].replace("_", " ").capitalize()
        matches = find_mentions(evidence, review.get("language"), (aspect,))
        term = matches[0].term if matches else ""
        problem = (problems or {}).get(theme.get("problem") or "")
        complaint = Complaint(aspect, label, evidence, term, theme.get("sentiment") == "negative", problem)
        weight = len(stems(evidence)) + _tone(evidence)
        gravity = -(problem.severity if problem else _USUAL)
        ranked.append((gravity, theme.get("score") or 0.0, -weight, -len(term), complaint))
    complaints: list[Complaint] = []
    for *_, complaint in sorted(ranked, key=lambda entry: entry[:4]):
        if len(complaints) < MAX_COMPLAINTS and not any(_same(complaint, other) for other in complaints):
            complaints.append(complaint)
    is_unhappy = (review.get("stars") or 0.0) < _MIXED
    return complaints or [
        Complaint(general, general.label, most_informative(str(review["text"])), is_negative=is_unhappy)
    ]


def _in_its_sentence(text: str, evidence: str) -> str:
    """A word or two, which alone tell little, with the rest of their sentence."""
    start = text.find(evidence)
    if start < 0 or len(evidence.split()) >= _FEW or has_dense(evidence):
        return evidence
    before = max(text.rfind(mark, 0, start) for mark in _ENDS) + 1
    after = min((end for mark in _ENDS if (end := text.find(mark, start + len(evidence) - 1)) >= 0), default=len(text))
    return text[before : after + 1].strip()


def _same(complaint: Complaint, other: Complaint) -> bool:
    same_problem = complaint.problem is not None and complaint.problem == other.problem
    return complaint.evidence == other.evidence or same_problem


def most_informative(text: str, complaints: Sequence[Complaint] = ()) -> str:
    """The clause that adds most to what the complaints quote, by its words and its tone; "" if there is none. Without
    complaints, a text without clauses is returned whole.
    """
    quoted = {complaint.evidence for complaint in complaints}
    quoted_stems = set[str]().union(*(stems(evidence) for evidence in quoted))
    clauses = [text[start:end] for start, end in sentence_spans(text)]

    def weight(clause: str) -> int:
        return min(len(stems(clause) - quoted_stems), 12) + _tone(clause)

    return max((clause for clause in clauses if clause not in quoted), key=weight, default="" if complaints else text)


def further_complaint(
    review: UnhappyReview, complaints: Sequence[Complaint], aspects: Mapping[str, Aspect]
) -> Complaint:
    """The clause that adds most to the complaints, as a complaint without label; its evidence may be empty."""
    return Complaint(aspects[GENERAL], "", most_informative(str(review["text"]), complaints))


def _tone(clause: str) -> int:
    return 4 * bool(_COMPLAINS.search(clause)) - 8 * bool(_PRAISES.search(clause))
