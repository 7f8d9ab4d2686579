"""A complaint is a case of the problem whose sentences are closest to it, those of its theme before others, or of none."""

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
    return dataclasses.replace(COLD, id=id, theme=theme, trades=trades, say=(("en", said),), unlike=("mild",))


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


SAID = {"cold": unit(1, 0, 0, 0), "chilly": unit(1, 1, 0, 0), "salty": unit(0, 0, 1, 0), "mild": unit(0, 0, 0, 1)}


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


def match(matcher: matching.Matcher, vector: np.ndarray, theme: str) -> matching.Match | None:
    return matcher.match(vector, theme)


def trained(problems: Sequence[Problem]) -> matching.Weights:
    vectors = matching.vectors_of(problems, Reads())
    return matching.Weights(matching.SCALE * vectors, np.linspace(0, 1, len(problems), dtype=np.float32), none=5.0)


def test_the_closest_of_its_theme(matcher: matching.Matcher) -> None:
    found = match(matcher, unit(2, 1, 0, 0), THEME)
    assert found is not None and found.problem == "a" and found.probability > 0.9
    assert matcher.ranked(unit(0, 0, 1, 0), THEME)[0].problem == "b"


def test_a_problem_of_another_theme_must_be_closer(matcher: matching.Matcher) -> None:
    ours, theirs = (matcher.ranked(unit(1, 0, 0, 0), theme)[0] for theme in (THEME, "service"))
    assert (ours.problem, theirs.problem) == ("a", "c")
    elsewhere = match(matcher, unit(0, 0, 1, 0), "noise")
    assert elsewhere is not None and elsewhere.problem == "b", "it is not about the theme, but nothing else comes close"
    odds = [
        match.probability / (1 - match.probability)
        for match in (matcher.ranked(unit(0, 0, 1, 2), t)[0] for t in (THEME, "noise"))
    ]
    assert odds[0] / odds[1] == pytest.approx(np.exp(matching.THEME), rel=0.05)


def test_silence_where_none_is_close_or_two_are(matcher: matching.Matcher) -> None:
    assert match(matcher, unit(0, 0, 0, 1), THEME) is None
    between = matcher.weights.vectors[0] + matcher.weights.vectors[1]
    assert match(matcher, between / np.linalg.norm(between), THEME) is None


def test_all_problems_and_none_of_them_share_the_probability(matcher: matching.Matcher) -> None:
    ranked = matcher.ranked(unit(1, 1, 1, 0), THEME)
    assert len(ranked) == 3 and 0.5 < sum(match.probability for match in ranked) < 1
    nothing = matcher.ranked(unit(0, 0, 0, 1), THEME)
    assert sum(match.probability for match in nothing) < 1e-3


def test_a_problem_of_another_trade_must_be_closer(matcher: matching.Matcher) -> None:
    vector = unit(0, 0, 1, 2)
    known, wrong = (matcher.ranked(vector, THEME, {trade: 1.0})[0] for trade in ("airline", "restaurant"))
    assert known.problem == wrong.problem == "b" and known.probability > wrong.probability
    odds = [match.probability / (1 - match.probability) for match in (known, wrong)]
    assert odds[0] / odds[1] == pytest.approx(np.exp(matching.TRADE), rel=0.05)
    unknown = matcher.ranked(vector, THEME)[0].probability
    assert unknown == pytest.approx(known.probability, rel=1e-3), "nothing is known of the trade"
    even = dict.fromkeys(load_taxonomy().trades, 1 / 21)
    assert matcher.ranked(vector, THEME, even)[0].probability == pytest.approx(unknown), (
        "as little as if all are as likely"
    )


def test_stored_weights_are_used_and_changed_sentences_are_read(tmp_path: Path) -> None:
    weights = trained(PROBLEMS)
    matching.save(PROBLEMS, weights, tmp_path)
    reads = Reads()
    stored = matching.load(PROBLEMS, tmp_path, reads).weights
    assert reads.texts == [] and stored.none == 5.0 and np.allclose(stored.bias, weights.bias)
    assert np.allclose(stored.vectors, weights.vectors, atol=1e-1)
    assert stored.centre is None
    centred = dataclasses.replace(weights, centre=np.full(WIDTH, 0.1, np.float32))
    matching.save(PROBLEMS, centred, tmp_path)
    again = matching.load(PROBLEMS, tmp_path, reads).weights
    assert np.array_equal(again.centre, centred.centre) and again.scores(unit(1, 0, 0, 0)) != pytest.approx(
        stored.scores(unit(1, 0, 0, 0))
    )
    changed = (problem("a", "salty"), *PROBLEMS[1:])
    again = matching.load(changed, tmp_path, reads).weights
    assert reads.texts == ["salty", "mild"]
    turned = unit(0, 0, 1, -matching.UNLIKE)
    assert np.allclose(again.vectors[0], matching.SCALE * turned, atol=1e-1), "away from what is no case of it"
    assert again.bias[0] == 0 and np.array_equal(again.vectors[1:], stored.vectors[1:])
    (tmp_path / matching.FILE).write_bytes(b"broken")
    assert matching.load(PROBLEMS, tmp_path, reads).weights.none == matching.NONE


def test_an_untrained_problem_is_turned_away_from_its_nearest() -> None:
    near = {f"n{at} x": (matching.SCALE * SAID["chilly"], 0.0) for at in range(matching._NEIGHBOURS)}
    far = {
        "f x": (matching.SCALE * SAID["salty"], 0.0),
        "a x": (matching.SCALE * SAID["cold"], 0.0),
    }  # a: itself, as shipped
    alone, apart = (matching.vectors_of(PROBLEMS[:1], Reads(), trained)[0] for trained in (far, {**far, **near}))
    assert apart[0] / apart[1] > alone[0] / alone[1] and abs(apart[2]) < 1e-6
    assert np.allclose(alone, matching.vectors_of(PROBLEMS[:1], Reads())[0]), "too few to tell"


def test_the_identity_is_of_what_is_compared_not_of_the_remedies() -> None:
    reworded = dataclasses.replace(PROBLEMS[0], fix=("Something else.",), cause="Another.")
    assert matching.identity([reworded]) == matching.identity([PROBLEMS[0]])
    assert matching.identity([problem("a", "cold")]) != matching.identity([PROBLEMS[0]])
    unlike = dataclasses.replace(PROBLEMS[0], unlike=("warm",))
    assert matching.identity([unlike]) != matching.identity([PROBLEMS[0]]), "of one that was not trained"
    shipped = load_problems()[0]
    assert matching.identity([shipped]) == matching.identity([dataclasses.replace(shipped, fix=("Something else.",))])


def test_what_customers_speak_of_tells_the_trade() -> None:
    taxonomy = load_taxonomy()
    usual = {aspect.id: 0.05 for aspect in taxonomy.aspects}
    trades = matching.trades_of(usual | {"flight_delay": 0.4, "luggage": 0.3, "boarding": 0.2}, usual, taxonomy)
    assert max(trades, key=trades.__getitem__) == "airline" and sum(trades.values()) == pytest.approx(1)
    even = matching.trades_of(usual, usual, taxonomy)
    assert max(even.values()) == pytest.approx(min(even.values()))


def test_the_shipped_weights_are_of_the_shipped_library() -> None:
    """Renew with: make problems"""

    def read(texts: Sequence[str]) -> list[Reading]:
        raise AssertionError(f"the weights of {len(texts)} sentences are missing or old")

    weights = matching.load(load_problems(), READER, read).weights
    assert weights.vectors.shape == (len(load_problems()), 384) and np.isfinite(weights.vectors).all()
