"""Complaints and the problems that they are cases of; some are told by their problem alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pipeline.advice import cases, matching
from pipeline.advice.matching import Matcher, Weights
from pipeline.advice.problems import load_problems
from pipeline.core.rows import Sentence
from pipeline.reader.base import Pair, PairJudge
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


TEXT = "Cold soup. Slow too. "


def found(
    mentions: list[Mention], sentences: list[Sentence], themes: set[str] = THEMES, judge: PairJudge | None = None
) -> dict[str, str | None]:
    (pairs,) = cases.of_reviews([cases.Review(TEXT, mentions, sentences, {"restaurant": 1.0})], MATCHER, judge, themes)
    return {one.theme: match.problem if match else None for one, match in pairs}


def test_a_complaint_is_a_case_of_what_its_sentence_says() -> None:
    assert found([mention(COLD.theme, 2)], [said(0, TOLD)]) == {COLD.theme: COLD.id}
    assert found([mention(COLD.theme, 2)], [said(0, NOTHING)]) == {COLD.theme: None}
    assert found([mention(COLD.theme, 2)], [said(0, None)]) == {COLD.theme: None}, "no vector"
    assert found([mention(COLD.theme, 2, "positive")], [said(0, TOLD, 0.1)]) == {COLD.theme: None}, "praise is no case"


def test_a_problem_alone_tells_a_complaint() -> None:
    sentences = [said(0, TOLD), said(10, NOTHING)]
    assert found([], sentences) == {COLD.theme: COLD.id}
    assert found([mention("noise", 12)], sentences) == {"noise": None, COLD.theme: COLD.id}
    (((one, match),),) = cases.of_reviews(
        [cases.Review(TEXT, [], sentences, {"restaurant": 1.0})], MATCHER, None, THEMES
    )
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


def test_the_reader_of_pairs_decides_among_what_the_matching_proposes() -> None:
    read: list[Pair] = []

    def judge(pairs: Sequence[Pair]) -> np.ndarray:
        read.extend(pairs)
        return np.array([0.95 if pair.statement.startswith(SLOW.name) else 0.1 for pair in pairs])

    between = (0.5, 0.55)
    assert found([mention(COLD.theme, 2)], [said(0, between)], judge=judge) == {COLD.theme: SLOW.id}
    assert {pair.statement for pair in read} == {cases.statement(COLD), cases.statement(SLOW)}
    assert all((pair.sentence, pair.context) == (TEXT[:10], f" … {TEXT[10:]}") for pair in read)
    nothing = found([mention(COLD.theme, 2)], [said(0, TOLD)], judge=lambda pairs: np.full(len(pairs), 0.05))
    assert nothing == {COLD.theme: None}, "however sure the matching is"
    assert found([], [said(0, TOLD)], judge=lambda pairs: np.full(len(pairs), 0.9)) == {COLD.theme: COLD.id}


def test_reviews_are_judged_together_and_answered_in_order() -> None:
    asked: list[int] = []

    def judge(pairs: Sequence[Pair]) -> np.ndarray:
        asked.append(len(pairs))
        return np.array([0.9 if COLD.name in pair.statement and "Cold" in pair.sentence else 0.0 for pair in pairs])

    texts = ("Cold soup. ", "Warm soup.. ", "Cold again. ", "")
    sentences = [said(0, TOLD)]
    reviews = [
        cases.Review(text, [mention(COLD.theme, 2)] if text else [], sentences if text else [], {"restaurant": 1.0})
        for text in texts
    ]
    answers = cases.of_reviews(reviews, MATCHER, judge, THEMES)
    assert [[match and match.problem for _, match in one] for one in answers] == [[COLD.id], [None], [COLD.id], []]
    assert len(asked) == 1, "in one go"
    assert cases.of_reviews([], MATCHER, judge, THEMES) == []
