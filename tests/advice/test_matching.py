"""A complaint is a case of the problem whose sentences are closest to it, within its theme, or of none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.advice import matching
from pipeline.advice.problems import Problem, load_problems
from pipeline.core.assets import READER
from pipeline.core.rows import Reading
from pipeline.themes.taxonomy import load_taxonomy

THEME = "food_temperature"
COLD = next(problem for problem in load_problems() if problem.id == "food_cold")
WIDTH = 4


def problem(id: str, *said: str, theme: str = THEME, trades: tuple[str, ...] = ("restaurant",)) -> Problem:
    return dataclasses.replace(COLD, id=id, theme=theme, trades=trades, say=(("en", said),))


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


SAID = {"cold": unit(1, 0, 0, 0), "chilly": unit(1, 1, 0, 0), "salty": unit(0, 0, 1, 0)}


class Reads:
    """A reader of SAID that counts what it reads."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[Reading]:
        self.texts += texts
        return [{"vector": SAID[text].astype(np.float16).tobytes()} for text in texts]  # type: ignore[typeddict-item]


PROBLEMS = (
    problem("a", "cold", "chilly"),
    problem("b", "salty", trades=("airline",)),
    problem("c", "cold", theme="service"),
)


@pytest.fixture
def matcher() -> matching.Matcher:
    return matching.load(PROBLEMS, None, Reads())


def test_the_closest_of_its_theme(matcher: matching.Matcher) -> None:
    found = matcher.match(unit(2, 1, 0, 0), THEME)
    assert found is not None and found.problem == "a" and found.closeness > 0.95
    assert [match.problem for match in matcher.ranked(unit(0, 0, 1, 0), THEME)] == ["b", "a"]
    assert matcher.match(unit(1, 0, 0, 0), "noise") is None, "no problem has this theme"


def test_silence_where_none_is_close_or_two_are(matcher: matching.Matcher) -> None:
    assert matcher.match(unit(0, 0, 0, 1), THEME) is None
    between = matcher.vectors[0] + matcher.vectors[1]
    assert matcher.match(between / np.linalg.norm(between), THEME) is None


def test_a_problem_of_another_trade_must_be_closer(matcher: matching.Matcher) -> None:
    vector = unit(0, 0, 1, 0)
    (known, *_), (wrong, *_) = (matcher.ranked(vector, THEME, {trade: 1.0}) for trade in ("airline", "restaurant"))
    assert known.closeness - wrong.closeness == pytest.approx(matching.TRADE)
    assert matcher.ranked(vector, THEME)[0].closeness == pytest.approx(known.closeness), "nothing is known of the trade"


def test_stored_vectors_are_not_read_again_unless_sentences_change(tmp_path: Path) -> None:
    matching.save(PROBLEMS, Reads(), tmp_path)
    reads = Reads()
    stored = matching.load(PROBLEMS, tmp_path, reads)
    assert reads.texts == [] and np.allclose(stored.vectors, matching.vectors_of(PROBLEMS, Reads()), atol=1e-3)
    changed = (problem("a", "salty"), *PROBLEMS[1:])
    again = matching.load(changed, tmp_path, reads)
    assert reads.texts == ["salty"] and np.allclose(again.vectors[0], SAID["salty"], atol=1e-3)
    (tmp_path / matching.FILE).write_bytes(b"broken")
    assert len(matching.load(PROBLEMS, tmp_path, reads).vectors) == 3


def test_the_identity_is_of_what_is_compared_not_of_the_remedies() -> None:
    reworded = dataclasses.replace(PROBLEMS[0], fix=("Something else.",), cause="Another.")
    assert matching.identity([reworded]) == matching.identity([PROBLEMS[0]])
    assert matching.identity([problem("a", "cold")]) != matching.identity([PROBLEMS[0]])


def test_what_customers_speak_of_tells_the_trade() -> None:
    taxonomy = load_taxonomy()
    usual = {aspect.id: 0.05 for aspect in taxonomy.aspects}
    trades = matching.trades_of(usual | {"flight_delay": 0.4, "luggage": 0.3, "boarding": 0.2}, usual, taxonomy)
    assert max(trades, key=trades.__getitem__) == "airline" and sum(trades.values()) == pytest.approx(1)
    even = matching.trades_of(usual, usual, taxonomy)
    assert max(even.values()) == pytest.approx(min(even.values()))


def test_the_shipped_vectors_are_of_the_shipped_library() -> None:
    """Renew with: make problems"""

    def read(texts: Sequence[str]) -> list[Reading]:
        raise AssertionError(f"the vectors of {len(texts)} sentences are missing or old")

    matcher = matching.load(load_problems(), READER, read)
    assert np.allclose(np.linalg.norm(matcher.vectors, axis=1), 1, atol=1e-2)
