"""What a backend is: a few batch methods. Implementations import their libraries lazily.

`embedded`, `playbook`: no download. `transformers`: any checkpoint. `openai`: any compatible server. `fake`: tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One text to write: the prompt for a language model, and the facts it was rendered from."""

    prompt: str
    review: Mapping[str, Any]  # text, stars, emotions, language, business, themes
    slots: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # markers in the answer, see pipeline.advice.markers
    hear: Callable[[str], None] | None = None  # told the text so far again and again, by backends that can


@dataclass(frozen=True)
class Written:
    """What came back. `text` is what the model itself wrote (never the prompt), trimmed; `raw` is untouched."""

    text: str
    raw: str
    truncated: bool = False  # stopped by the token limit rather than by itself
    error: str | None = None


class Generator(Protocol):
    model: str

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order. Raises BackendDown when the model cannot be reached at all."""
        ...
