"""A teacher whose answers are checked before they count: asked once more with what was wrong, then the playbook writes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pipeline.advice import verify
from pipeline.advice.phrases import laid_out, phrases
from pipeline.advice.verify import Advised
from pipeline.advice.wording import fill, in_marks
from pipeline.advice.writer import Playbook
from pipeline.backends.base import Generator, Request, Written

_AGAIN = "{prompt}\n\nYour last answer could not be used: {faults}. Answer again, with JSON only."
_TOLD = 5  # faults that the model is told


def write(teacher: Generator, playbook: Playbook, requests: Sequence[Request]) -> list[Written]:
    """One Written per request, in order: the teacher's first or second answer, composed as text, or the playbook's; `faults` of
    what was not accepted. Raises what the teacher raises.
    """
    first = teacher.write(requests)
    checked = [_checked(request, one) for request, one in zip(requests, first, strict=True)]
    again = [at for at, one in enumerate(checked) if one.faults and not one.error]
    asked = [_again(requests[at], checked[at].faults) for at in again]
    for at, one in zip(again, teacher.write(asked) if asked else [], strict=True):
        second = _checked(requests[at], one)
        faults = (*checked[at].faults, *second.faults)
        if second.faults or second.error:
            (text,) = playbook.write([requests[at]])
            second = dataclasses.replace(text, raw=one.raw, model=playbook.model)
        usage = (checked[at].usage[0] + one.usage[0], checked[at].usage[1] + one.usage[1])
        checked[at] = dataclasses.replace(second, faults=faults, usage=usage)
    return checked


def _again(request: Request, faults: Sequence[str]) -> Request:
    told = fill(_AGAIN, prompt=request.prompt, faults="; ".join(faults[:_TOLD]))
    return dataclasses.replace(request, prompt=told, on_text=None)


def _checked(request: Request, one: Written) -> Written:
    if one.error:
        return one
    review = str(request.review["text"])
    try:
        advice = verify.read(one.text)
    except ValueError as error:
        return dataclasses.replace(one, faults=(str(error),))
    known = [str(request.review.get("business") or "")]
    faults = verify.faults(advice, review, request.language, known)
    if faults:
        return dataclasses.replace(one, faults=tuple(faults))
    proved = [found for each in advice if (found := verify.located(each, review))]
    return dataclasses.replace(one, text=_composed(proved, request.language))


def _composed(advice: Sequence[Advised], language: str) -> str:
    """Advice as text, in the shape of the playbook's."""
    said, sentences = phrases()[language], list[str]()
    for one in advice:
        sentences.append(fill(said.problem, name=one.problem.rstrip("."), quote=in_marks(one.evidence)))
        sentences.append(fill(said.cause, cause=one.cause))
    return laid_out(language, sentences, [step for one in advice for step in one.steps])
