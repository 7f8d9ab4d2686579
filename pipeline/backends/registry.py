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
    """The classifiers of sentiment: the first that reads a review's language decides. Columns: negative, neutral, positive;
    a row sums to 1, or is nan where the classifier is not sure enough. Loads nothing yet.
    """
    return _classifier(section).by_language(section)


@functools.lru_cache(maxsize=4)
def emotions(section: Emotions) -> Classifier:
    """The classifier of emotions, loaded. Columns: EMOTIONS, each an independent sigmoid. Raises InputError as it loads."""
    return _classifier(section).from_section(section)


def classifier_identity(section: Sentiment | Emotions) -> str:
    """Identifies the weights of the section's classifier, for fingerprints."""
    return _classifier(section).identity(section)


def emotion_thresholds(section: Emotions) -> dict[str, float]:
    """Label -> threshold: the profile's for that label, else the one tuned with the model, else the section's common one."""
    return (
        dict.fromkeys(EMOTIONS, section.threshold) | _classifier(section).tuned_thresholds(section) | section.thresholds
    )


def aspects(profile: Profile) -> AspectHead | None:
    """What judges an aspect within an English sentence; None where the sentiment of the clause decides. Loads nothing yet."""
    wanted = profile.themes.sentiment
    if wanted == "aspects" or (wanted == "auto" and profile.sentiment.backend == "embedded"):
        from pipeline.reader.heads import AspectHead

        return AspectHead()
    return None


def aspects_identity() -> str:
    """Identifies the weights of the aspect head, for fingerprints."""
    from pipeline.reader.heads import ASPECTS

    return model_identity(str(ASPECTS), "")


@functools.lru_cache(maxsize=4)
def _writer(section: Feedback | Judge, profile: Profile) -> Generator:
    writer: type[Writer] = implementation(WRITERS, section.backend)
    return writer.from_section(section, profile)


def teacher(profile: Profile) -> Generator:
    """The model that writes feedback. Raises InputError if it cannot be loaded."""
    return _writer(profile.feedback, profile)


def judge(profile: Profile) -> Generator | None:
    """The model that compares two texts, None if the profile names none. Raises InputError if it cannot be loaded."""
    return None if profile.judge.backend == "none" else _writer(profile.judge, profile)


@functools.lru_cache(maxsize=2)
def student(config: Distill, options: Generate, quantize: str, adapter: Path | None) -> Generator:
    """The base student, or the tuned one if an adapter is given. Raises InputError if it cannot be loaded."""
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
