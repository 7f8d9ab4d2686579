"""Themes of a user's own playbook, which the reader was not trained on: by words, by examples or by a description.

A sentence is about such a theme if it says one of its words, or if its vector is close to an example's. What is said about
the theme is then what the sentence says as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline.core.rows import Reading, Sentence, SentenceTheme
from pipeline.reader.base import vector_of
from pipeline.themes.taxonomy import Aspect
from pipeline.themes.terms import find_mentions

CLOSE = 0.6  # least cosine of a sentence with an example
Vectors = Mapping[str, np.ndarray]  # theme -> its examples' vectors, float32, (examples, width), unit length


def texts_of(aspects: Sequence[Aspect]) -> list[tuple[str, str]]:
    """(theme, text) of what the aspects give as examples or as a description."""
    return [(aspect.id, text) for aspect in aspects for text in (*aspect.examples, aspect.description) if text]


def vectors_of(
    texts: Sequence[tuple[str, str]], read: Callable[[Sequence[str]], list[Reading]]
) -> dict[str, np.ndarray]:
    """The vectors of these (theme, text); `read` is called if there is any."""
    found: dict[str, list[np.ndarray]] = {}
    for (theme, _), reading in zip(texts, read([text for _, text in texts]) if texts else (), strict=True):
        found.setdefault(theme, []).append(vector_of(reading["vector"]))
    return {theme: np.stack(vectors) for theme, vectors in found.items()}


def with_own_themes(
    text: str, language: str | None, sentences: Sequence[Sentence], aspects: Sequence[Aspect], vectors: Vectors
) -> list[Sentence]:
    """The sentences of a text, with the themes among `aspects` that they speak of."""
    clauses: dict[int, dict[str, tuple[int, int]]] = {}
    for mention in find_mentions(text, language, tuple(aspect for aspect in aspects if aspect.terms)):
        at = next((i for i, s in enumerate(sentences) if s["start"] <= mention.start < s["end"]), None)
        if at is not None:
            clauses.setdefault(at, {}).setdefault(mention.aspect_id, (mention.start, mention.end))
    for at, sentence in enumerate(sentences if vectors else ()):
        vector = vector_of(sentence["vector"])
        for theme, examples in vectors.items():
            if float((examples @ vector).max()) >= CLOSE:
                clauses.setdefault(at, {}).setdefault(theme, (sentence["start"], sentence["end"]))
    return [_with(sentence, clauses.get(at, {})) for at, sentence in enumerate(sentences)]


def _with(sentence: Sentence, clauses: Mapping[str, tuple[int, int]]) -> Sentence:
    more = [
        SentenceTheme(
            theme=theme,
            probability=0.99,
            negative=sentence["negative"],
            neutral=sentence["neutral"],
            positive=sentence["positive"],
            start=start,
            end=end,
        )
        for theme, (start, end) in clauses.items()
    ]
    return Sentence(**{**sentence, "themes": [*sentence["themes"], *more]}) if more else sentence
