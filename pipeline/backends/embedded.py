"""The classifiers that travel with the package: MiniLM heads for English, hashed n-grams for further languages."""

from __future__ import annotations

import functools

from pipeline.backends.base import ClassifierBackend
from pipeline.core.profile import Emotions, Sentiment, model_identity
from pipeline.reader import heads, ngrams
from pipeline.reader.base import Classifier, LanguageClassifier


class EmbeddedClassifier(ClassifierBackend):
    """Sentiment in seven languages, each with a model of its own; emotions in English."""

    @classmethod
    def from_section(cls, section: Sentiment | Emotions) -> Classifier:
        return heads.SentimentHead() if isinstance(section, Sentiment) else heads.EmotionsHead()

    @classmethod
    def by_language(cls, section: Sentiment) -> tuple[LanguageClassifier, ...]:
        """English first; of all, those whose language the section names, if it names any. A row of probabilities is nan
        where an n-gram model is not sure enough.
        """
        english = LanguageClassifier(functools.cache(heads.SentimentHead), ("en",), heads.SENTIMENT)
        others = [
            LanguageClassifier(functools.cache(functools.partial(ngrams.NgramSentiment, code)), (code,), ngrams.FOLDER)
            for code in ngrams.languages()
        ]
        wanted = section.languages
        return tuple(each for each in (english, *others) if not wanted or each.languages[0] in wanted)

    @classmethod
    def identity(cls, section: Sentiment | Emotions) -> str:
        folders = (heads.SENTIMENT, ngrams.FOLDER) if isinstance(section, Sentiment) else (heads.EMOTION,)
        return "+".join(model_identity(str(folder), "") for folder in folders)

    @classmethod
    def tuned_thresholds(cls, section: Emotions) -> dict[str, float]:
        return heads.emotion_thresholds()
