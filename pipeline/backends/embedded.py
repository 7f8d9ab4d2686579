"""The classifiers shipped with the package: MiniLM heads for English, hashed n-grams for other languages."""

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
        """The English head."""
        return heads.SentimentHead() if isinstance(section, Sentiment) else heads.EmotionsHead()

    @classmethod
    def by_language(cls, section: Sentiment) -> tuple[LanguageClassifier, ...]:
        """English first; only the section's languages, if it names any. An n-gram model that is not sure enough gives a
        row of nan.
        """
        english = LanguageClassifier(functools.cache(heads.SentimentHead), ("en",), heads.SENTIMENT)
        others = [
            LanguageClassifier(functools.cache(functools.partial(ngrams.NgramSentiment, code)), (code,), ngrams.FOLDER)
            for code in ngrams.languages()
        ]
        wanted = section.languages
        return tuple(one for one in (english, *others) if not wanted or one.languages[0] in wanted)

    @classmethod
    def identity(cls, section: Sentiment | Emotions) -> str:
        """Hashes of the folders of weights, of all languages."""
        folders = (heads.SENTIMENT, ngrams.FOLDER) if isinstance(section, Sentiment) else (heads.EMOTION,)
        return "+".join(model_identity(str(folder), "") for folder in folders)

    @classmethod
    def tuned_thresholds(cls, section: Emotions) -> dict[str, float]:
        """Those in the folder of the emotion head."""
        return heads.emotion_thresholds()
