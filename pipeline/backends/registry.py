"""From a profile's section to a loaded backend. Each is loaded once per process, and only when a row needs it."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.backends.base import Generator
from pipeline.core.assets import BLEURT, STUDENT
from pipeline.core.labels import EMOTIONS, SENTIMENTS, emotion_columns, sentiment_projection
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
from pipeline.core.registry import WRITERS, implementation
from pipeline.reader.base import Classifier, LanguageClassifier

if TYPE_CHECKING:
    from pipeline.reader.heads import AspectHead


class Projected:
    """A classifier whose columns were mapped onto our labels."""

    def __init__(self, inner: Classifier, labels: tuple[str, ...], matrix: np.ndarray) -> None:
        self.inner, self.labels, self.matrix, self.model = inner, labels, matrix, inner.model

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        return self.inner.probabilities(texts) @ self.matrix


_cached = functools.lru_cache(maxsize=4)


def sentiment(config: Sentiment) -> tuple[LanguageClassifier, ...]:
    """Who judges a review: the first that reads its language. Columns: negative, neutral, positive; each row sums to 1,
    or is nan where the classifier is not sure enough to speak.
    """
    if config.backend == "embedded":
        from pipeline.reader import heads, ngrams

        first = LanguageClassifier(heads.SentimentHead, ("en",), heads.SENTIMENT)
        others = [
            LanguageClassifier(functools.partial(ngrams.NgramSentiment, language), (language,), ngrams.FOLDER)
            for language in ngrams.languages()
        ]
        readers = (first, *others)
        return tuple(r for r in readers if not config.languages or r.languages[0] in config.languages)
    load = functools.partial(_sentiment, config.backend, config.model, config.revision, tuple(sorted(config.labels.items())))  # fmt: skip
    return (LanguageClassifier(load, config.languages),)


@_cached
def _sentiment(backend: str, model: str, revision: str, labels: tuple[tuple[str, str], ...]) -> Classifier:
    if backend == "fake":
        from pipeline.backends.fake import FakeClassifier

        return FakeClassifier(SENTIMENTS, exclusive=True)
    from pipeline.backends.transformers import TransformersClassifier

    classifier = TransformersClassifier(model, revision, "softmax")
    return Projected(classifier, SENTIMENTS, sentiment_projection(classifier.labels, dict(labels), model))


def aspects(profile: Profile) -> AspectHead | None:
    """Who judges the aspects of English sentences; None where the sentiment of the clause stands. Loads nothing yet."""
    wanted = profile.themes.sentiment
    if wanted == "aspects" or (wanted == "auto" and profile.sentiment.backend == "embedded"):
        from pipeline.reader.heads import AspectHead

        return AspectHead()
    return None


def emotions(config: Emotions) -> Classifier:
    """Columns: EMOTIONS, each its own sigmoid."""
    return _emotions(config.backend, config.model, config.revision)


@_cached
def _emotions(backend: str, model: str, revision: str) -> Classifier:
    if backend == "embedded":
        from pipeline.reader.heads import EmotionsHead

        return EmotionsHead()
    if backend == "fake":
        from pipeline.backends.fake import FakeClassifier

        return FakeClassifier(EMOTIONS, exclusive=False)
    from pipeline.backends.transformers import TransformersClassifier

    classifier = TransformersClassifier(model, revision, "sigmoid")
    matrix = np.zeros((len(classifier.labels), len(EMOTIONS)), dtype=np.float32)
    matrix[emotion_columns(classifier.labels, model), range(len(EMOTIONS))] = 1
    return Projected(classifier, EMOTIONS, matrix)


def emotion_thresholds(config: Emotions) -> dict[str, float]:
    """One per label: the profile's own, else those the model was tuned with, else the common one."""
    chosen = dict.fromkeys(EMOTIONS, config.threshold)
    if config.backend == "embedded":
        from pipeline.reader import heads

        chosen |= heads.emotion_thresholds()
    elif (own := Path(config.model) / "config.json").is_file():  # a folder that `finetune` wrote
        chosen |= (json.loads(own.read_text(encoding="utf-8")).get("review_insights") or {}).get("thresholds", {})
    return chosen | config.thresholds


@_cached
def teacher(config: Feedback, taxonomy: Path) -> Generator:
    """The model that writes feedback; the playbook writes from a taxonomy file."""
    if config.backend == "playbook":
        generator: Generator = implementation(WRITERS, "playbook")(taxonomy)
        return generator
    if config.backend == "fake":
        from pipeline.backends.fake import FakeGenerator

        return FakeGenerator()
    if config.backend == "openai":
        from pipeline.backends.openai import OpenAIGenerator

        return OpenAIGenerator(
            config.model,
            config.base_url,
            config.api_key_env,
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
            timeout=config.timeout,
        )
    from pipeline.backends.transformers import TransformersGenerator

    return TransformersGenerator(
        config.model,
        config.revision,
        quantize=config.quantize,
        max_new_tokens=config.max_new_tokens,
        temperature=config.temperature,
    )


def student_home(config: Distill) -> Path | None:
    """The folder that says what the base student was trained on; None: nobody knows."""
    return STUDENT if config.model == "embedded" else None


def student_model(config: Distill) -> str:
    """Hub id or folder of the base student."""
    if config.model != "embedded":
        return config.model
    return str(STUDENT)


@functools.lru_cache(maxsize=2)
def student(config: Distill, options: Generate, quantize: str, adapter: Path | None) -> Generator:
    """The base student, or the tuned one when an adapter is given."""
    from pipeline.backends.transformers import TransformersGenerator

    return TransformersGenerator(
        student_model(config),
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


def judge(config: Judge) -> Generator | None:
    """The model that judges, or None where the profile asks for none."""
    if config.backend == "none":
        return None
    from pipeline.backends.openai import OpenAIGenerator

    return OpenAIGenerator(
        config.model,
        config.base_url,
        config.api_key_env,
        max_new_tokens=config.max_new_tokens,
        temperature=0.0,
        timeout=config.timeout,
    )


def identities(profile: Profile) -> dict[str, str]:
    """What pins the weights behind each part of a profile: enters the fingerprints."""
    from pipeline.reader import heads, ngrams

    def pinned(is_shipped: bool, shipped: Path, model: str, revision: str) -> str:
        return model_identity(str(shipped), "") if is_shipped else model_identity(model, revision)

    sentiment, emotions, distill, score = profile.sentiment, profile.emotions, profile.distill, profile.score
    return {
        "sentiment": "+".join(model_identity(str(folder), "") for folder in (heads.SENTIMENT, ngrams.FOLDER))
        if sentiment.backend == "embedded"
        else model_identity(sentiment.model, sentiment.revision),
        "aspects": model_identity(str(heads.ASPECTS), ""),
        "emotions": pinned(emotions.backend == "embedded", heads.EMOTION, emotions.model, emotions.revision),
        "feedback": model_identity(profile.feedback.model, profile.feedback.revision),
        "student": pinned(distill.model == "embedded", STUDENT, distill.model, distill.revision),
        "bleurt": pinned(score.bleurt == "embedded", BLEURT, score.bleurt, score.bleurt_revision),
        "bertscore": model_identity(score.bertscore, score.bertscore_revision),
    }
