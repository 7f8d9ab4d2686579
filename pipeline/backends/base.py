"""What a backend is: a few batch methods, and how it is made from a section of a profile.

`embedded`, `playbook`: no download. `transformers`: any checkpoint. `openai`: any compatible server. `fake`: tests.
Implementations import their libraries lazily; `pipeline.core.registry` names them.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.core.profile import Emotions, Feedback, Judge, Profile, Sentiment, model_identity
from pipeline.core.rows import UnhappyReview
from pipeline.reader.base import Classifier, LanguageClassifier


@dataclass(frozen=True)
class Request:
    """One text to write: the prompt for a language model, and the facts it was rendered from."""

    prompt: str
    review: UnhappyReview
    # Markers in the answer, each with what it may stand for: see `pipeline.advice.markers`.
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Called with the text so far, again and again while it is written, by backends that can.
    on_text: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Written:
    """What came back. `text` is what the model itself wrote (never the prompt), trimmed; `raw` is untouched."""

    text: str
    raw: str
    truncated: bool = False  # stopped by the token limit rather than by itself
    error: str | None = None


class Generator(Protocol):
    """What writes texts."""

    model: str  # its name in the warehouse

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order. Raises BackendDown when the model cannot be reached at all."""
        ...


class Writer(Generator, Protocol):
    """A generator that a profile can name in `backend`."""

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Generator:
        """Loads the model that the section asks for. Raises InputError where it cannot be had."""
        ...


class ClassifierBackend(ABC):
    """What a profile can name in `backend` to classify reviews. The defaults suit one model for all its languages."""

    @classmethod
    @abstractmethod
    def from_section(cls, section: Sentiment | Emotions) -> Classifier:
        """Loads the model that the section asks for; its labels are SENTIMENTS or EMOTIONS, in this order. Raises
        InputError where it cannot be had.
        """

    @classmethod
    def by_language(cls, section: Sentiment) -> tuple[LanguageClassifier, ...]:
        """The section's classifiers in the order in which they are asked. Loads nothing yet."""
        load = functools.cache(functools.partial(cls.from_section, section))
        return (LanguageClassifier(load, section.languages),)

    @classmethod
    def identity(cls, section: Sentiment | Emotions) -> str:
        """What pins the weights, for fingerprints."""
        return model_identity(section.model, section.revision)

    @classmethod
    def tuned_thresholds(cls, section: Emotions) -> dict[str, float]:
        """Per label the threshold that the model was tuned with; empty where there are none."""
        return {}
