"""What a backend is: a few batch methods, and how it is made from a section of a profile.

`embedded`, `playbook`: no download. `transformers`: any checkpoint. `openai`: any compatible server. `fake`: tests.
Implementations import their libraries lazily; `pipeline.core.registry` names them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.core.profile import Emotions, Feedback, Judge, Profile, Reader, Sentiment, model_identity
from pipeline.core.rows import Reading, UnhappyReview
from pipeline.reader.base import Classifier
from pipeline.reader.decide import Rules


@dataclass(frozen=True)
class Request:
    """One text to write: the prompt for a language model, and the facts it was rendered from. A model behind a server is sent the
    prompt alone, which may be masked.
    """

    prompt: str
    review: UnhappyReview
    # Marker in the answer -> what it may stand for: see `pipeline.advice.markers`.
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Called repeatedly with the text so far while it is being written, by backends that support it.
    on_text: Callable[[str], None] | None = None
    language: str = "en"  # to write in, ISO 639-1
    # JSON schema that the answer must follow; None: plain text. Backends that cannot hold a model to it ignore it.
    schema: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Written:
    """A model's answer. `text` is what it wrote itself (never the prompt), trimmed; `raw` is the untouched output."""

    text: str
    raw: str
    truncated: bool = False  # stopped by the token limit rather than by itself
    error: str | None = None
    faults: tuple[str, ...] = ()  # of answers that were not accepted, in order: see `pipeline.advice.checked`
    usage: tuple[int, int] = (0, 0)  # tokens of prompts and of answers, as far as the backend counts them
    model: str | None = None  # which wrote it, where it is not the one that was asked
    # Kind -> values that the model did not see: see `pipeline.backends.masking`.
    masked: Mapping[str, int] = field(default_factory=dict, hash=False)


class Generator(Protocol):
    """A model that writes texts."""

    model: str  # its name in the warehouse

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order. Raises BackendDown when the model cannot be reached at all."""
        ...


class Writer(Generator, Protocol):
    """A generator that a profile can name in `backend`."""

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Generator:
        """Loads the model that the section asks for. Raises InputError if it cannot be loaded."""
        ...


class ReaderBackend(ABC):
    """A reader that a profile can name in `[reader] backend`."""

    model: str  # name in the warehouse

    @classmethod
    @abstractmethod
    def from_section(cls, section: Reader) -> ReaderBackend:
        """Made from the section; nothing is loaded yet."""

    @classmethod
    @abstractmethod
    def identity(cls, section: Reader) -> str:
        """Identifies the weights, for fingerprints."""

    def load(self) -> None:  # noqa: B027 - most have nothing to load
        """Loads the weights without starting a thread, so that processes forked later share them. Raises InputError if it cannot."""

    @abstractmethod
    def read(self, texts: Sequence[str]) -> list[Reading]:
        """One Reading per text, in order. Raises InputError if the model cannot be loaded."""

    @abstractmethod
    def rules(self) -> Rules:
        """How its readings become decisions."""


class ClassifierBackend(ABC):
    """A classifier that a profile can name in `backend`."""

    @classmethod
    @abstractmethod
    def from_section(cls, section: Sentiment | Emotions) -> Classifier:
        """Loads the model that the section asks for; its labels are SENTIMENTS or EMOTIONS, in that order. Raises
        InputError if it cannot be loaded.
        """

    @classmethod
    def identity(cls, section: Sentiment | Emotions) -> str:
        """Identifies the weights, for fingerprints."""
        return model_identity(section.model, section.revision)

    @classmethod
    def tuned_thresholds(cls, section: Emotions) -> dict[str, float]:
        """Label -> the threshold that was tuned with the model; empty if it has none."""
        return {}
