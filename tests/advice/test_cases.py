"""Complaints and the problems that they are cases of; some are told by their problem alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.advice import cases, matching
from pipeline.advice.matching import Matcher, Weights
from pipeline.advice.problems import load_problems
from pipeline.core.rows import Sentence
from pipeline.reader.decide import Mention

COLD, SLOW = (next(p for p in load_problems() if p.id == name) for name in ("food_cold", "kitchen_slow"))
MATCHER = Matcher((COLD, SLOW), Weights(30 * np.eye(2, dtype=np.float32), np.zeros(2, np.float32)))
THEMES = {COLD.theme, SLOW.theme, "noise", "general"}
TOLD, NOTHING = (1.0, 0.0), (0.1, 0.1)


def said(start: int, vector: tuple[float, float] | None, negative: float = 0.9) -> Sentence:
    found: dict[str, Any] = {
        "start": start,
        "end": start + 10,
        "negative": negative,
        "neutral": 0.0,
        "wish": 0.0,
        "themes": [],
    }
    found |= {"positive": 1 - negative, "vector": np.array(vector or (), np.float16).tobytes()}
    return found  # type: ignore[return-value]


def mention(theme: str, start: int, sentiment: str = "negative") -> Mention:
    return Mention(theme, start, start + 5, sentiment, -0.8 if sentiment == "negative" else 0.8, 0.7)


def found(mentions: list[Mention], sentences: list[Sentence], themes: set[str] = THEMES) -> dict[str, str | None]:
    found = cases.of_review(mentions, sentences, {"restaurant": 1.0}, MATCHER, themes)
    return {one.theme: match.problem if match else None for one, match in found}


def test_a_complaint_is_a_case_of_what_its_sentence_says() -> None:
    assert found([mention(COLD.theme, 2)], [said(0, TOLD)]) == {COLD.theme: COLD.id}
    assert found([mention(COLD.theme, 2)], [said(0, NOTHING)]) == {COLD.theme: None}
    assert found([mention(COLD.theme, 2)], [said(0, None)]) == {COLD.theme: None}, "no vector"
    assert found([mention(COLD.theme, 2, "positive")], [said(0, TOLD, 0.1)]) == {COLD.theme: None}, "praise is no case"


def test_a_problem_alone_tells_a_complaint() -> None:
    sentences = [said(0, TOLD), said(10, NOTHING)]
    assert found([], sentences) == {COLD.theme: COLD.id}
    assert found([mention("noise", 12)], sentences) == {"noise": None, COLD.theme: COLD.id}
    ((one, match),) = cases.of_review([], sentences, {"restaurant": 1.0}, MATCHER, THEMES)
    assert (one.start, one.end, one.sentiment, one.score) == (0, 10, "negative", pytest.approx(-0.8))
    assert match is not None and one.probability == match.probability >= matching.SURE_ALONE


def test_silence_where_the_sentence_is_not_negative_or_holds_another_complaint() -> None:
    assert found([], [said(0, TOLD, 0.4)]) == {}
    assert found([mention("noise", 3)], [said(0, TOLD)]) == {"noise": COLD.id}, "one complaint, of another theme"
    assert found([mention(COLD.theme, 12)], [said(0, TOLD), said(10, NOTHING)]) == {COLD.theme: None}, "once is enough"
    assert found([], [said(0, TOLD)], {"noise"}) == {}, "a theme that the taxonomy lacks"


def test_an_overall_verdict_says_nothing_beside_what_a_problem_tells() -> None:
    verdict = mention("general", 12)
    assert found([verdict], [said(0, TOLD), said(10, NOTHING)]) == {COLD.theme: COLD.id}
    assert found([verdict], [said(0, NOTHING), said(10, NOTHING)]) == {"general": None}
    praise = mention("general", 12, "positive")
    assert found([praise], [said(0, TOLD), said(10, NOTHING)]) == {"general": None, COLD.theme: COLD.id}
