"""From a profile to its loaded backends. Each is loaded once per process, and only when a row needs it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.backends.base import ClassifierBackend, Generator, Writer
from pipeline.core.labels import EMOTIONS
from pipeline.core.profile import (
    Distill,
    Emotions,
    Feedback,
    Generate,
    Judge,
    Profile,
    Sentiment,
    model_identity,
)
from pipeline.core.registry import CLASSIFIERS, WRITERS, implementation
from pipeline.reader.base import Classifier, LanguageClassifier

if TYPE_CHECKING:
    from pipeline.reader.heads import AspectHead


def _classifier(section: Sentiment | Emotions) -> type[ClassifierBackend]:
    backend: type[ClassifierBackend] = implementation(CLASSIFIERS, section.backend)
    return backend


@functools.lru_cache(maxsize=4)
def sentiment(section: Sentiment) -> tuple[LanguageClassifier, ...]:
    """Who classifies a review: the first that reads its language. Columns: negative, neutral, positive; each row sums to
    1, or is nan where the classifier is not sure enough. Loads nothing yet.
    """
    return _classifier(section).by_language(section)


@functools.lru_cache(maxsize=4)
def emotions(section: Emotions) -> Classifier:
    """Columns: EMOTIONS, each with a sigmoid of its own."""
    return _classifier(section).from_section(section)


def classifier_identity(section: Sentiment | Emotions) -> str:
    """What pins the weights of the section's classifier, for fingerprints."""
    return _classifier(section).identity(section)


def emotion_thresholds(section: Emotions) -> dict[str, float]:
    """One per label: the profile's own, else the one that the model was tuned with, else the section's common one."""
    return (
        dict.fromkeys(EMOTIONS, section.threshold) | _classifier(section).tuned_thresholds(section) | section.thresholds
    )


def aspects(profile: Profile) -> AspectHead | None:
    """The classifier of aspects in English sentences; None where the sentiment of the clause stands. Loads nothing yet."""
    wanted = profile.themes.sentiment
    if wanted == "aspects" or (wanted == "auto" and profile.sentiment.backend == "embedded"):
        from pipeline.reader.heads import AspectHead

        return AspectHead()
    return None


def aspects_identity() -> str:
    """What pins the weights of the classifier of aspects, for fingerprints."""
    from pipeline.reader.heads import ASPECTS

    return model_identity(str(ASPECTS), "")


@functools.lru_cache(maxsize=4)
def _writer(section: Feedback | Judge, profile: Profile) -> Generator:
    writer: type[Writer] = implementation(WRITERS, section.backend)
    return writer.from_section(section, profile)


def teacher(profile: Profile) -> Generator:
    """The model that writes feedback."""
    return _writer(profile.feedback, profile)


def judge(profile: Profile) -> Generator | None:
    """The model that compares two texts, or None where the profile asks for none."""
    return None if profile.judge.backend == "none" else _writer(profile.judge, profile)


@functools.lru_cache(maxsize=2)
def student(config: Distill, options: Generate, quantize: str, adapter: Path | None) -> Generator:
    """The base student, or the tuned one when an adapter is given."""
    from pipeline.backends.transformers import TransformersGenerator

    return TransformersGenerator(
        config.weights,
        config.revision,
        quantize=quantize,
        adapter=adapter,
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        top_p=options.top_p,
        no_repeat_ngram_size=options.no_repeat_ngram_size,
        repetition_penalty=options.repetition_penalty,
        seed=options.seed,
    )
