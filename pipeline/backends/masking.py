"""What stands between a model on somebody else's machine and the customers: it reads placeholders in place of e-mail addresses,
phone numbers, names and the like (`pipeline.text.private`).

Every prompt passes here, whichever backend sends it (`registry`). In the answer the values are put back, so that a quote is
compared with the review, and shown, as the customer wrote it; the raw output stays as the model wrote it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from pipeline.backends.base import Generator, Request, Written
from pipeline.core.errors import ReviewInsightsError
from pipeline.text.private import Mask


class MaskingGenerator:
    """A generator whose model reads masked prompts."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.model = generator.model

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """As that of the generator, with `masked` of what its model did not see; raises what it raises, with the answers."""
        masks = [Mask() for _ in requests]
        hidden = [_hidden(request, mask) for request, mask in zip(requests, masks, strict=True)]
        try:
            answers = self._generator.write(hidden)
        except ReviewInsightsError as error:
            if error.answers:
                error.answers = [one and _restored(one, mask) for one, mask in zip(error.answers, masks, strict=True)]
            raise
        return [_restored(one, mask) for one, mask in zip(answers, masks, strict=True)]


def _hidden(request: Request, mask: Mask) -> Request:
    """The request as it is sent. Of `review`, from which some local backends write, nothing else is sent."""
    prompt = mask.hide(request.prompt)
    return dataclasses.replace(request, prompt=prompt, on_text=_shown(request.on_text, mask))


def _shown(on_text: Callable[[str], None] | None, mask: Mask) -> Callable[[str], None] | None:
    return (lambda text: on_text(mask.restore(text))) if on_text else None


def _restored(written: Written, mask: Mask) -> Written:
    return dataclasses.replace(written, text=mask.restore(written.text), masked=dict(mask.counts))
