"""A generator whose suspicious texts (`backends.suspicion`) are withheld: they are kept as raw output, with an error and faults."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from pipeline.backends.base import Generator, Request, Written
from pipeline.backends.suspicion import PREFIX, suspicions
from pipeline.core.errors import ReviewInsightsError


class Screened:
    """Like `inner`. `withhold`: whether a suspicious text is taken away, or only has its faults."""

    def __init__(self, inner: Generator, withhold: bool = True) -> None:
        self.inner, self.model, self.withhold = inner, inner.model, withhold

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """As the inner one's, screened; raises what it raises, with screened answers."""
        watched = [dataclasses.replace(one, on_text=_watched(one, one.on_text)) for one in requests]
        try:
            answers = self.inner.write(watched)
        except ReviewInsightsError as error:
            error.answers = [
                one and self._screened(request, one) for request, one in zip(requests, error.answers, strict=False)
            ]
            raise
        return [self._screened(request, one) for request, one in zip(requests, answers, strict=True)]

    def _screened(self, request: Request, one: Written) -> Written:
        faults = tuple(_suspicions(request, one.text)) if one.text and not one.error else ()
        if not faults:
            return one
        if not self.withhold:
            return dataclasses.replace(one, faults=(*one.faults, *faults))
        why = faults[0].removeprefix(PREFIX).partition(', "')[0]  # without words of the text: errors are shown
        return dataclasses.replace(one, text="", error=f"the text was withheld: {why}", faults=(*one.faults, *faults))


def _suspicions(request: Request, text: str) -> list[str]:
    return suspicions(text, request.prompt, str(request.review["text"]))


def _watched(request: Request, on_text: Callable[[str], None] | None) -> Callable[[str], None] | None:
    """`on_text`, which hears no more of a text once it is suspicious."""
    if on_text is None:
        return None
    return lambda text: None if _suspicions(request, text) else on_text(text)
