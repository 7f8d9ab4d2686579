"""From readings to decisions: the evidence is weighed, and where it does not suffice nothing is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS
from pipeline.core.rows import Sentence, SentenceTheme
from pipeline.reader import decide
from pipeline.reader.decide import Mention

RULES = decide.rules(
    {
        "temperature": 1.5,
        "bias": [0.2, 0.0, -0.2],
        "stars": {
            "1": [2.0, 0.0, -2.0],
            "2": [1.0, 0.0, -1.0],
            "3": [0.0, 0.0, 0.0],
            "4": [-1.0, 0.0, 1.0],
            "5": [-2.0, 0.0, 2.0],
        },
        "sure": {"de": 0.5, "*": 0.8},
        "emotions": {},
        "complaint": {"bias": 0.0, "strength": 1.0, "stars": 0.5},
        "least": {"de": 0.3, "*": 0.6},
        "themes": {"trust": -4.0},
        "praise": 0.5,
        "mention": 0.6,
        "shares": {"noise": 0.1, "waiting_time": 0.1},
        "prior": 0.5,
    }
)

rows = arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.just(3)), elements=st.floats(0, 1)).map(
    lambda values: (values + 1e-6) / (values + 1e-6).sum(1, keepdims=True)
)
probability = st.floats(0, 1)


def theme(name: str, probability: float, negative: float, positive: float, start: int = 0) -> SentenceTheme:
    return SentenceTheme(
        theme=name,
        probability=probability,
        negative=negative,
        neutral=1 - negative - positive,
        positive=positive,
        start=start,
        end=start + 9,
    )


def sentence(*themes: SentenceTheme) -> Sentence:
    return Sentence(start=0, end=99, negative=0.3, neutral=0.4, positive=0.3, wish=0.0, vector=b"", themes=list(themes))


def mentions(*sentences: Sentence, stars: float | None = None, language: str | None = "en") -> list[Mention]:
    return decide.mentions(sentences, stars=stars, language=language, shares={}, of=RULES)


# --- sentiment ---


@given(rows, st.sampled_from([None, 1.0, 1.5, 2.5, 3.0, 4.5, 5.0]))
def test_posteriors_are_probabilities(probabilities: np.ndarray, stars: float | None) -> None:
    words = decide.words(probabilities, RULES)
    both = decide.with_stars(words, [stars] * len(words), RULES)
    for values in (words, both):
        assert values.shape == probabilities.shape and (values >= 0).all()
        assert values.sum(1) == pytest.approx(np.ones(len(values)))
    if stars is None:
        assert both == pytest.approx(words, abs=1e-3), "no stars, no change"


@given(rows)
def test_more_stars_are_never_more_negative(probabilities: np.ndarray) -> None:
    ladder = np.stack([decide.with_stars(probabilities, [n / 2] * len(probabilities), RULES) for n in range(2, 11)])
    assert (np.diff(ladder[..., 0], axis=0) <= 1e-9).all() and (np.diff(ladder[..., 2], axis=0) >= -1e-9).all()


def test_half_stars_add_what_lies_between() -> None:
    even = np.full((3, 3), 1 / 3)
    two, half, three = np.log(decide.with_stars(even, [2.0, 2.5, 3.0], RULES))
    odds = [row[2] - row[0] for row in (two, half, three)]
    assert odds[1] == pytest.approx((odds[0] + odds[2]) / 2)


@given(rows)
def test_calibration_keeps_the_order_of_rows(probabilities: np.ndarray) -> None:
    ratio = np.log(np.maximum(probabilities, 1e-4))
    found = np.log(decide.words(probabilities, RULES))
    expected = (ratio[:, 2] - ratio[:, 0]) / RULES.temperature - 0.4
    assert found[:, 2] - found[:, 0] == pytest.approx(expected)


def test_no_rows_no_posteriors() -> None:
    assert decide.with_stars(np.zeros((0, 3)), [], RULES).shape == (0, 3)


@pytest.mark.parametrize(
    ("language", "highest", "expected"),
    [("de", 0.5, True), ("de", 0.46, False), ("en", 0.7, False), ("en", 0.8, True), (None, 0.7, False)],
)
def test_words_are_sure_by_their_language(language: str | None, highest: float, expected: bool) -> None:
    assert decide.is_sure(np.array([highest, 1 - highest - 0.1, 0.1]), language, RULES) is expected


def test_labels() -> None:
    assert [decide.label(row) for row in np.eye(3)] == ["negative", "neutral", "positive"]


# --- emotions ---

EVEN = dict.fromkeys(EMOTIONS, 0.5)


def emotions(**felt: float) -> list[str]:
    return decide.emotions(dict.fromkeys(EMOTIONS, 0.0) | felt, EVEN)


def test_emotions_come_by_their_thresholds_the_most_probable_first() -> None:
    assert emotions(joy=0.6, gratitude=0.9, anger=0.4) == ["gratitude", "joy"]
    assert decide.emotions(dict.fromkeys(EMOTIONS, 0.0) | {"joy": 0.6, "anger": 0.2}, EVEN | {"anger": 0.2}) == [
        "joy",
        "anger",
    ]


def test_neutral_vanishes_beside_another() -> None:
    assert emotions(neutral=0.9, annoyance=0.5) == ["annoyance"]
    assert emotions(neutral=0.9, annoyance=0.49) == ["neutral"]


def test_the_clearest_emotion_stands_for_a_faint_text_but_nothing_for_none() -> None:
    assert emotions(anger=0.31, sadness=0.3) == ["anger"]
    assert emotions(anger=0.29) == [] == emotions()


@given(st.fixed_dictionaries(dict.fromkeys(EMOTIONS, probability)))
def test_emotions_are_labels_each_once(values: dict[str, float]) -> None:
    found = decide.emotions(values, EVEN)
    assert len(found) == len(set(found)) and set(found) <= set(EMOTIONS)
    assert "neutral" not in found or found == ["neutral"]
    assert [values[label] for label in found] == sorted((values[label] for label in found), reverse=True)


# --- themes ---


def test_a_complaint_outweighs_praise() -> None:
    praise = sentence(theme("noise", 0.99, 0.0, 0.99))
    complaint = sentence(theme("noise", 0.8, 0.8, 0.1, start=40))
    for order in ((praise, complaint), (complaint, praise)):
        (found,) = mentions(*order)
        assert (found.sentiment, found.start, found.end) == ("negative", 40, 49)


def test_praise_outweighs_a_neutral_mention_and_the_clearer_of_two_counts() -> None:
    neutral = sentence(theme("noise", 0.99, 0.0, 0.01))
    faint, clear = (sentence(theme("noise", 0.9, 0.0, value, start=50)) for value in (0.7, 0.95))
    (found,) = mentions(neutral, faint, clear)
    assert (found.sentiment, found.probability) == ("positive", pytest.approx(0.9 * 0.95))


def test_general_vanishes_beside_a_subject_of_its_polarity() -> None:
    verdict, noise = theme("general", 0.9, 0.9, 0.0), theme("noise", 0.9, 0.9, 0.0, start=20)
    assert [m.theme for m in mentions(sentence(verdict, noise))] == ["noise"]
    assert [m.theme for m in mentions(sentence(verdict))] == ["general"]
    praise = theme("noise", 0.9, 0.0, 0.9, start=20)
    assert [m.theme for m in mentions(sentence(verdict, praise))] == ["general", "noise"]


def test_mentions_come_in_the_order_of_the_text_each_theme_once() -> None:
    late, early = theme("noise", 0.9, 0.9, 0.0, start=60), theme("waiting_time", 0.9, 0.0, 0.9, start=5)
    again = theme("noise", 0.9, 0.8, 0.0, start=0)
    assert [(m.theme, m.start) for m in mentions(sentence(again), sentence(late, early))] == [
        ("waiting_time", 5),
        ("noise", 60),
    ]


def test_what_is_faint_is_not_said() -> None:
    assert mentions(sentence(theme("noise", 0.4, 0.4, 0.3))) == []
    assert mentions(sentence(theme("noise", 0.5, 0.05, 0.9))) == [], "praise that is not likely enough"
    assert mentions(sentence(theme("noise", 0.6, 0.1, 0.1))) == [], "nor a neutral mention"
    assert [m.sentiment for m in mentions(sentence(theme("noise", 0.9, 0.1, 0.1)))] == ["neutral"]


def test_a_language_has_its_own_threshold_and_an_unknown_one_the_common() -> None:
    doubtful = sentence(theme("noise", 0.8, 0.5, 0.3))  # a complaint with probability 0.4
    assert [m.sentiment for m in mentions(doubtful, language="de")] == ["negative"]
    assert mentions(doubtful, language="en") == mentions(doubtful, language=None) == []


def test_a_theme_has_its_own_bias() -> None:
    assert mentions(sentence(theme("trust", 0.8, 0.8, 0.1))) == []


@given(probability, probability, probability)
def test_fewer_stars_make_a_complaint_likelier(present: float, negative: float, positive: float) -> None:
    said = theme("noise", present, negative, min(positive, 1 - negative))
    ladder = [decide.complaint(said, stars, None, RULES) for stars in (5, 4, 3, 2, 1)]
    assert all(0 < value < 1 for value in ladder) and ladder == sorted(ladder)
    assert decide.complaint(said, None, None, RULES) == ladder[2], "none is as three"


@given(probability, probability)
def test_a_usual_theme_is_believed_sooner(present: float, share: float) -> None:
    said = theme("noise", present, 0.5, 0.2)
    plain, here = (decide.complaint(said, None, value, RULES) for value in (None, share))
    assert (here >= plain) if share >= 0.1 else (here <= plain)
    unknown = theme("parking", present, 0.5, 0.2)
    assert decide.complaint(unknown, None, share, RULES) == decide.complaint(unknown, None, None, RULES)


@given(
    st.lists(
        st.builds(
            theme,
            st.sampled_from(["general", "noise", "trust", "waiting_time"]),
            probability,
            st.floats(0, 0.5),
            st.floats(0, 0.5),
            st.integers(0, 90),
        ),
        max_size=6,
    ),
    st.sampled_from([None, 1.0, 2.5, 5.0]),
)
def test_mentions_are_well_formed(themes: list[SentenceTheme], stars: float | None) -> None:
    found = mentions(*(sentence(one) for one in themes), stars=stars)
    assert len({m.theme for m in found}) == len(found) and found == sorted(found, key=lambda m: m.start)
    for m in found:
        assert -1 <= m.score <= 1 and 0 <= m.probability <= 1
        assert {"negative": m.score < 0, "positive": m.score > 0, "neutral": True}[m.sentiment]
        assert (m.theme, m.start) in {(one["theme"], one["start"]) for one in themes}


# --- shares ---


@given(st.floats(0, 1), st.integers(0, 10_000), st.floats(0, 1))
def test_shares_of_few_reviews_are_drawn_to_the_usual(own: float, reviews: int, usual: float) -> None:
    share = decide.shrunk(own * reviews, reviews, usual)
    assert min(own, usual) - 1e-9 <= share <= max(own, usual) + 1e-9
    more = decide.shrunk(own * 10 * reviews, 10 * reviews, usual)
    assert abs(more - own) <= abs(share - own) + 1e-9
    assert decide.shrunk(0, 0, usual) == pytest.approx(usual)


# --- the shipped rules ---


def test_the_shipped_rules_are_whole() -> None:
    of = decide.load()
    assert set(of.emotions) == set(EMOTIONS) and set(of.stars) == set("12345")
    assert "*" in of.sure and "*" in of.least
    assert all(0 < value < 1 for value in (*of.emotions.values(), *of.sure.values(), *of.least.values()))
    assert all(0 < value < 1 for value in (*of.shares.values(), of.praise, of.mention))
    assert of.temperature > 0 and of.complaint["strength"] > 0 and of.complaint["stars"] > 0
    even = decide.with_stars(np.full((3, 3), 1 / 3), [1.0, 3.0, 5.0], of)
    assert [decide.label(row) for row in even[[0, 2]]] == ["negative", "positive"]
    assert (np.diff(even[:, 2] / even[:, 0]) > 0).all()


@pytest.mark.parametrize("content", [None, "{", "{}", '{"rules": {"temperature": 1.0}}', '{"rules": null}'])
def test_rules_that_cannot_be_read_are_one_clear_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "reader.json").write_text(content)
    with pytest.raises(InputError, match=r"rules .*cannot be read.*Reinstall"):
        decide.load(tmp_path)


def test_rules_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RULES.praise = 0.1  # type: ignore[misc]
