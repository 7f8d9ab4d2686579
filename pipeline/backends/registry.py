"""From a profile to its loaded backends. Each is loaded once per process, and only when a row needs it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from pathlib import Path

from pipeline.backends.base import ClassifierBackend, Generator, ReaderBackend, Writer
from pipeline.backends.masking import MaskingGenerator
from pipeline.backends.metered import Metered
from pipeline.core.labels import EMOTIONS
from pipeline.core.profile import (
    Distill,
    Emotions,
    Feedback,
    Generate,
    Judge,
    Profile,
    Reader,
    Sentiment,
)
from pipeline.core.registry import CLASSIFIERS, READERS, WRITERS, implementation
from pipeline.reader.base import Classifier


def _classifier(section: Sentiment | Emotions) -> type[ClassifierBackend]:
    backend: type[ClassifierBackend] = implementation(CLASSIFIERS, section.backend)
    return backend


@functools.lru_cache(maxsize=4)
def reader(section: Reader) -> ReaderBackend:
    """What reads every review. Loads nothing yet."""
    backend: type[ReaderBackend] = implementation(READERS, section.backend)
    return backend.from_section(section)


def reader_identity(section: Reader) -> str:
    """Identifies the reader's weights, for fingerprints."""
    backend: type[ReaderBackend] = implementation(READERS, section.backend)
    return backend.identity(section)


def rules_identity(section: Reader) -> str:
    """Identifies how readings become decisions, for fingerprints of the stages that decide."""
    content = json.dumps(dataclasses.asdict(reader(section).rules()), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=4)
def sentiment(section: Sentiment) -> Classifier:
    """The classifier of sentiment, loaded. Columns: negative, neutral, positive; a row sums to 1. Raises InputError as it
    loads.
    """
    return _classifier(section).from_section(section)


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


@functools.lru_cache(maxsize=4)
def _writer(section: Feedback | Judge, profile: Profile) -> Generator:
    writer: type[Writer] = implementation(WRITERS, section.backend)
    generator = Metered(writer.from_section(section, profile), (section.input_price, section.output_price))
    return MaskingGenerator(generator) if section.masks else generator


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

    generator = TransformersGenerator(
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
    return Metered(generator)
