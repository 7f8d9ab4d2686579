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
from pipeline.backends.suspicion import suspicions
from pipeline.core import prompts
from pipeline.core.errors import ReviewInsightsError

_AGAIN = "{prompt}\n\nYour last answer could not be used: {faults}. Answer again, with JSON only."
_TOLD = 5  # faults that the model is told


def write(teacher: Generator, playbook: Playbook, requests: Sequence[Request]) -> list[Written]:
    """One Written per request, in order: the teacher's first or second answer, composed as text, or the playbook's; `faults` of
    what was not accepted. Raises what the teacher raises, with the answers that count by then.
    """
    first, stopped = _asked(teacher, requests)
    checked = [one and _checked(request, one) for request, one in zip(requests, first, strict=True)]
    again = [at for at, one in enumerate(checked) if one and one.faults and not one.error]
    seconds: Sequence[Written | None] = [None] * len(again)
    if again and not stopped:
        seconds, stopped = _asked(teacher, [_again(requests[at], checked[at]) for at in again])
    for at, second in zip(again, seconds, strict=True):
        checked[at] = _settled(requests[at], checked[at], second, playbook)
    if stopped:
        stopped.answers = checked
        raise stopped
    return [one for one in checked if one]


def _asked(
    teacher: Generator, requests: Sequence[Request]
) -> tuple[Sequence[Written | None], ReviewInsightsError | None]:
    """The answers, None for a request without one, and what ended them early."""
    try:
        return teacher.write(requests), None
    except ReviewInsightsError as error:
        return error.answers or [None] * len(requests), error


def _settled(request: Request, first: Written | None, second: Written | None, playbook: Playbook) -> Written | None:
    """What counts of a review that was asked about twice; None: nothing yet."""
    if first is None or second is None:
        return None
    again = _checked(request, second)
    faults = (*first.faults, *again.faults)
    if again.faults or again.error:
        (text,) = playbook.write([request])
        again = dataclasses.replace(text, raw=second.raw, model=playbook.model)
    usage = (first.usage[0] + second.usage[0], first.usage[1] + second.usage[1])
    return dataclasses.replace(again, faults=faults, usage=usage, masked=second.masked)


def _again(request: Request, first: Written | None) -> Request:
    faults = prompts.as_data("; ".join(first.faults[:_TOLD] if first else ()))  # they quote what the model wrote
    told = fill(_AGAIN, prompt=request.prompt, faults=faults)
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
    own = "\n".join(text for each in advice for text in (each.problem, each.cause, *each.steps))
    faults += suspicions(own, request.prompt, review)
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
