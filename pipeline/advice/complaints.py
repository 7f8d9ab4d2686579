"""What a review complains about, in its own words: the facts that feedback is written from.

Pure functions on a review and the themes that were found in it. The playbook writes from them, and so does the student,
whose prompt states them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.advice.wording import stems
from pipeline.text.sentences import sentence_spans
from pipeline.themes.taxonomy import GENERAL, Aspect
from pipeline.themes.terms import find_mentions

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


@dataclass(frozen=True)
class Complaint:
    aspect: Aspect
    label: str
    evidence: str
    term: str = ""  # where in the evidence the quote must not be cut
    judged: bool = True  # negative, by the classifier or by the stars


def find(review: Mapping[str, Any], aspects: Mapping[str, Aspect]) -> list[Complaint]:
    """The most negative themes of a review, at most MOST, each with words of its own. What was praised is left out, and
    what was merely mentioned too, once there is a complaint. Without themes: the clause that says most, as `general`.

    Keys of the review: text, and themes (each with theme, evidence, sentiment, score), language; all but text may be
    missing, None or empty. `aspects`: those of the playbook by their id.
    """
    general = aspects[GENERAL]
    found = [theme for theme in review.get("themes") or [] if theme["theme"] and (theme["evidence"] or "").strip()]
    negative = [theme for theme in found if theme.get("sentiment") == "negative"]
    ranked = []
    for theme in negative or [theme for theme in found if theme.get("sentiment") != "positive"]:
        aspect = aspects.get(theme["theme"], general)  # a discovered theme has no entry of its own
        label = aspect.label if aspect.id == theme["theme"] else str(theme["theme"]).replace("_", " ").capitalize()
        mentions = find_mentions(theme["evidence"], review.get("language"), (aspect,))
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
    clauses = [text[start:end] for start, end in sentence_spans(text)]

    def worth(clause: str) -> int:
        return min(len(stems(clause) - said), 12) + _tone(clause)

    return max((clause for clause in clauses if clause not in quoted), key=worth, default="" if complaints else text)


def beyond(review: Mapping[str, Any], found: Sequence[Complaint], aspects: Mapping[str, Aspect]) -> Complaint:
    """The clause that says most beyond the complaints found, as one of its own; its evidence may be empty."""
    return Complaint(aspects[GENERAL], "", telling(str(review["text"]), found))


def _tone(clause: str) -> int:
    return 4 * bool(_COMPLAINS.search(clause)) - 8 * bool(_PRAISES.search(clause))
