"""From a profile's section to a loaded backend. Each is loaded once per process, and only when a row needs it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pipeline.backends.base import Classifier, Generator
from pipeline.labels import EMOTIONS, SENTIMENTS, emotion_columns, sentiment_projection
from pipeline.profile import Distill, Emotions, Feedback, Generate, Profile, Score, Sentiment, model_identity

Scorer = Callable[[Sequence[str], Sequence[str]], list[float]]


class Projected:
    """A classifier whose columns were mapped onto our labels."""

    def __init__(self, inner: Classifier, labels: tuple[str, ...], matrix: np.ndarray) -> None:
        self.inner, self.labels, self.matrix, self.model = inner, labels, matrix, inner.model

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        return self.inner.probabilities(texts) @ self.matrix


_cached = functools.lru_cache(maxsize=4)


def sentiment(config: Sentiment) -> Classifier:
    """Columns: negative, neutral, positive; each row sums to 1."""
    return _sentiment(config.backend, config.model, config.revision, tuple(sorted(config.labels.items())))


@_cached
def _sentiment(backend: str, model: str, revision: str, labels: tuple[tuple[str, str], ...]) -> Classifier:
    if backend == "embedded":
        from pipeline.backends.embedded import SentimentHead

        return SentimentHead()
    if backend == "fake":
        from pipeline.backends.fake import FakeClassifier

        return FakeClassifier(SENTIMENTS, exclusive=True)
    from pipeline.backends.transformers import TransformersClassifier

    classifier = TransformersClassifier(model, revision, "softmax")
    return Projected(classifier, SENTIMENTS, sentiment_projection(classifier.labels, dict(labels), model))


def emotions(config: Emotions) -> Classifier:
    """Columns: EMOTIONS, each its own sigmoid."""
    return _emotions(config.backend, config.model, config.revision)


@_cached
def _emotions(backend: str, model: str, revision: str) -> Classifier:
    if backend == "embedded":
        from pipeline.backends.embedded import EmotionsHead

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
        from pipeline.backends import embedded

        chosen |= embedded.emotion_thresholds()
    elif (own := Path(config.model) / "config.json").is_file():  # a folder that `finetune` wrote
        chosen |= (json.loads(own.read_text(encoding="utf-8")).get("review_insights") or {}).get("thresholds", {})
    return chosen | config.thresholds


@_cached
def teacher(config: Feedback, taxonomy: Path) -> Generator:
    """The model that writes feedback; the playbook writes from a taxonomy file."""
    if config.backend == "playbook":
        from pipeline.backends.playbook import Playbook

        return Playbook(taxonomy)
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


def student_model(config: Distill) -> str:
    """Hub id or folder of the base student."""
    if config.model != "embedded":
        return config.model
    from pipeline.backends import embedded

    return str(embedded.STUDENT)


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
        seed=options.seed,
    )


def bleurt_name(config: Score) -> str:
    """What a reader should know the BLEURT values by: a stand-in is called one."""
    return "stand-in: MiniLM trained on BLEURT-base-128" if config.bleurt == "embedded" else config.bleurt


def bleurt(config: Score) -> Scorer:
    if config.bleurt == "embedded":
        return _embedded_bleurt()
    from pipeline.metrics import bleurt as metric

    return functools.partial(metric.score, model=config.bleurt, revision=config.bleurt_revision)


@functools.cache
def _embedded_bleurt() -> Scorer:
    from pipeline.backends.embedded import BleurtStandIn

    return BleurtStandIn().score


def bertscore(config: Score) -> Scorer:
    from pipeline.metrics import bertscore as metric

    layers = config.bertscore_layers or None
    return functools.partial(
        metric.score, model=config.bertscore, revision=config.bertscore_revision, num_layers=layers
    )


def identities(profile: Profile) -> dict[str, str]:
    """What pins the weights behind each part of a profile: enters the fingerprints."""
    from pipeline.backends import embedded

    def pinned(is_shipped: bool, shipped: Path, model: str, revision: str) -> str:
        return model_identity(str(shipped), "") if is_shipped else model_identity(model, revision)

    sentiment, emotions, distill, score = profile.sentiment, profile.emotions, profile.distill, profile.score
    return {
        "sentiment": pinned(sentiment.backend == "embedded", embedded.CLASSIFIER, sentiment.model, sentiment.revision),
        "emotions": pinned(emotions.backend == "embedded", embedded.CLASSIFIER, emotions.model, emotions.revision),
        "feedback": model_identity(profile.feedback.model, profile.feedback.revision),
        "student": pinned(distill.model == "embedded", embedded.STUDENT, distill.model, distill.revision),
        "bleurt": pinned(score.bleurt == "embedded", embedded.BLEURT, score.bleurt, score.bleurt_revision),
        "bertscore": model_identity(score.bertscore, score.bertscore_revision),
    }
