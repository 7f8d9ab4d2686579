"""What a model may not say to an owner: words that the review does not hold as its proof, steps that answer nothing, facts,
names, numbers and promises of its own, and the wrong language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.advice.wording import one_line, stems
from pipeline.text.language import detect_languages
from pipeline.text.script import has_dense

MOST = 3  # complaints, and steps for each
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "complaints": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST,
            "items": {
                "type": "object",
                "properties": {
                    "problem": {"type": "string"},
                    "evidence": {"type": "string"},
                    "cause": {"type": "string"},
                    "steps": {"type": "array", "minItems": 1, "maxItems": MOST, "items": {"type": "string"}},
                },
                "required": ["problem", "evidence", "cause", "steps"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["complaints"],
    "additionalProperties": False,
}
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MONEY = re.compile(
    r"(?:[$€£¥]|USD|EUR|CHF)\s*\d|\d\s*(?:[$€£¥%]|USD|EUR|CHF|euros?\b|dollars?\b|kr\b|元|円)", re.IGNORECASE
)
# Gifts and money, as one promises them: by the first letters of words, in the languages that advice is written in.
_PROMISE = re.compile(
    r"\b(?:refund|reimburs|compensat|voucher|discount|free of charge|for free|complimentary|erstatt|entschädig|gutschein|"
    r"rabatt|gratis|kostenlos|rembours|dédommag|bon d’achat|réduction|gratuit|reembols|compensaci|indemniz|descuento|"
    r"rimbors|risarc|sconto|gratuit|compensaç|desconto|terugbeta|vergoed|korting|refusion|refunder|kompensation)|"
    r"退款|赔偿|补偿|代金券|折扣|免费|返金|補償|クーポン|割引|無料",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[\w,;] )[A-ZÀ-Þ][a-zà-þ]{3,}")
_NOUNS_ARE_CAPITAL = ("de", "lb")
_SHORT = 40  # letters below which a language is not told
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True)
class Advised:
    """A complaint as a model put it; `evidence` is a span of the review."""

    problem: str
    evidence: str
    cause: str
    steps: tuple[str, ...]


def read(text: str) -> list[Advised]:
    """The complaints in a model's answer by SCHEMA, whatever stands around the JSON. Raises ValueError with what is wrong."""
    found = _OBJECT.search(text)
    if not found:
        raise ValueError("the answer holds no JSON object")
    try:
        document = json.loads(found[0], strict=False)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the JSON cannot be read: {error}") from error
    complaints = document.get("complaints")
    if not isinstance(complaints, list) or not complaints:
        raise ValueError('"complaints" must be a list with one to three entries')
    return [_advised(entry) for entry in complaints[:MOST]]


def _advised(entry: Any) -> Advised:
    if not isinstance(entry, Mapping):
        raise ValueError('each of "complaints" must be an object')
    values = {
        key: one_line(entry[key]) if isinstance(entry.get(key), str) else "" for key in ("problem", "evidence", "cause")
    }
    steps = entry.get("steps")
    steps = [steps] if isinstance(steps, str) else steps
    if not all(values.values()) or not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        raise ValueError('each complaint needs "problem", "evidence", "cause" and a list "steps" of texts')
    lines = tuple(line for step in steps[:MOST] if (line := one_line(step)))
    if not lines:
        raise ValueError('"steps" must hold at least one text')
    return Advised(steps=lines, **values)


def located(advised: Advised, review: str) -> Advised | None:
    """With its evidence letter for letter as the review has it, whatever its case, blanks and outer marks; None if the review
    does not hold it.
    """
    wanted = one_line(advised.evidence).strip(" \"'“”„«».…")
    if not wanted:
        return None
    pattern = r"\s+".join(re.escape(word) for word in wanted.split())
    found = re.search(pattern, review, re.IGNORECASE)
    return Advised(advised.problem, found[0], advised.cause, advised.steps) if found else None


def faults(advice: Sequence[Advised], review: str, language: str, known: Sequence[str] = ()) -> list[str]:
    """What is wrong with advice about a review, a sentence each; nothing: it can be shown. `known`: further texts that it may
    take words from, such as the business's name and the library's entry.
    """
    found = []
    allowed = " ".join([review, *known])
    for one in advice:
        if not located(one, review):
            found.append(f'the evidence "{one.evidence[:80]}" is not in the review, letter for letter')
        about = _words(f"{one.problem} {one.evidence} {one.cause}")
        for step in one.steps:
            if not _words(step) & about:
                found.append(f'the step "{step[:80]}" answers nothing that is named')
            if _PROMISE.search(step):
                found.append(f'the step "{step[:80]}" promises money or a gift')
        claims = f"{one.problem} {one.cause}"
        numbers = set(_NUMBER.findall(claims)) - set(_NUMBER.findall(allowed))
        money = [step for step in one.steps if _MONEY.search(step)]
        found += [f"the number {number} is not in the review" for number in sorted(numbers)]
        found += [f'the step "{step[:80]}" names a sum' for step in money]
        if language not in _NOUNS_ARE_CAPITAL:
            names = {name for text in (claims, *one.steps) for name in _NAME.findall(text)}
            found += [
                f"the name {name} is not in the review" for name in sorted(names) if name.lower() not in allowed.lower()
            ]
    said = " ".join(text for one in advice for text in (one.problem, one.cause, *one.steps))
    if sum(map(str.isalpha, said)) >= _SHORT and detect_languages([said])[0] not in (language, None):
        found.append(f"it is not written in the language {language}")
    return found


def support(steps: Sequence[str], review: str) -> float:
    """The share of steps that share words with a review; 0 without steps."""
    said = _words(review)
    return sum(bool(_words(step) & said) for step in steps) / len(steps) if steps else 0.0


def length(text: str) -> float:
    """Words; in scripts that do not set them apart, half as many as characters."""
    return len(text) / 2 if has_dense(text) and " " not in text.strip() else float(len(text.split()))


def _words(text: str) -> set[str]:
    """Stems, or pairs of characters in scripts without blanks."""
    if has_dense(text):
        return {text[at : at + 2] for at in range(len(text) - 1) if text[at : at + 2].isalpha()}
    return stems(text)
