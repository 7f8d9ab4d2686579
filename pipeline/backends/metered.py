"""A generator whose tokens are counted (`core.usage`): also of answers that are of no use, and of those before an error."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.backends.base import Generator, Request, Written
from pipeline.core import usage
from pipeline.core.errors import ReviewInsightsError
from pipeline.core.usage import Prices


class Metered:
    """Like `inner`. `prices`: per million tokens of prompts and of answers."""

    def __init__(self, inner: Generator, prices: Prices = (None, None)) -> None:
        self.inner, self.model, self.prices = inner, inner.model, prices

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """As the inner one's; raises what it raises."""
        try:
            answers = self.inner.write(requests)
        except ReviewInsightsError as error:
            self._count(requests, error.answers)
            raise
        self._count(requests, answers)
        return answers

    def _count(self, requests: Sequence[Request], answers: Sequence[Written | None]) -> None:
        for request, answer in zip(requests, answers, strict=False):  # an error may come before there is any
            if answer is not None:
                usage.count(self.model, len(request.prompt), answer.usage, self.prices)
