"""Themes of a user's own: by words, by examples, by a description."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.core.rows import Reading, Sentence
from pipeline.themes.own import texts_of, vectors_of, with_own_themes
from pipeline.themes.taxonomy import Aspect

TEXT = "The parrot sang. We waited."


def vector(*values: float) -> bytes:
    padded = np.zeros(384)
    padded[: len(values)] = values
    return (padded / np.linalg.norm(padded)).astype(np.float16).tobytes()


def sentence(start: int, end: int, of: bytes) -> Sentence:
    return Sentence(start=start, end=end, negative=0.7, neutral=0.1, positive=0.2, wish=0.0, vector=of, themes=[])


def aspect(name: str, **given: Any) -> Aspect:
    return Aspect(id=name, label=name, **{"terms": (), "steps": ("a", "b", "c"), **given})


def read(texts: Any) -> list[Reading]:
    of = {"The bird was loud.": vector(1, 0.2), "Birds!": vector(0, 0, 1)}
    return [
        Reading(stars=[0.2] * 5, sentiment=[0.3, 0.3, 0.4], emotions=[0.0] * 28, vector=of[text], sentences=[])
        for text in texts
    ]


SENTENCES = [sentence(0, 16, vector(1)), sentence(17, 27, vector(0, 1))]


def test_by_words() -> None:
    mine = [aspect("bird", terms=(("en", ("parrot*",)),))]
    first, second = with_own_themes(TEXT, "en", SENTENCES, mine, vectors_of(texts_of(mine), read))
    (found,) = first["themes"]
    assert (found["theme"], found["negative"], TEXT[found["start"] : found["end"]]) == ("bird", 0.7, "The parrot sang.")
    assert not second["themes"] and not SENTENCES[0]["themes"], "what was read stays as it is"


def test_by_examples_and_by_a_description() -> None:
    mine = [aspect("bird", examples=("The bird was loud.",)), aspect("flock", description="Birds!")]
    vectors = vectors_of(texts_of(mine), read)
    assert {name: of.shape for name, of in vectors.items()} == {"bird": (1, 384), "flock": (1, 384)}
    found = [[theme["theme"] for theme in s["themes"]] for s in with_own_themes(TEXT, "en", SENTENCES, mine, vectors)]
    assert found == [["bird"], []]


def test_nothing_is_read_where_there_is_nothing_to_read() -> None:
    def never(texts: Any) -> list[Reading]:
        raise AssertionError("no model is needed")

    assert vectors_of(texts_of([aspect("bird", terms=(("en", ("parrot",)),))]), never) == {}
