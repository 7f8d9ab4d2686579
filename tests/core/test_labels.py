from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, emotion_columns, from_stars, sentiment_projection


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["negative", "neutral", "positive"], [0, 1, 2]),
        (["POS", "NEU", "NEG"], [2, 1, 0]),
        (["POSITIVE", "NEGATIVE"], [2, 0]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [0, 0, 1, 2, 2]),
        (["Bearish", "Bullish"], [0, 2]),
    ],
)
def test_common_label_spaces_are_known(labels: list[str], expected: list[int]) -> None:
    matrix = sentiment_projection(labels, {}, "m")
    assert matrix.argmax(axis=1).tolist() == expected
    np.testing.assert_array_equal(matrix.sum(axis=1), 1)


def test_labels_that_mean_nothing_must_be_named() -> None:
    with pytest.raises(InputError, match=r'\[sentiment.labels\] LABEL_0 = "negative"'):
        sentiment_projection(["LABEL_0", "LABEL_1", "LABEL_2"], {}, "m")
    named = {"LABEL_0": "positive", "LABEL_1": "negative", "LABEL_2": "neutral"}
    assert sentiment_projection(["LABEL_0", "LABEL_1", "LABEL_2"], named, "m").argmax(axis=1).tolist() == [2, 0, 1]


def test_a_missing_class_or_a_wrong_target_is_an_error() -> None:
    with pytest.raises(InputError, match="no label for negative"):
        sentiment_projection(["neutral", "positive"], {}, "m")
    with pytest.raises(InputError, match="say nothing"):
        sentiment_projection(["a", "negative"], {"a": "great"}, "m")


def test_emotion_columns_follow_names_not_positions() -> None:
    shuffled = [label.upper() for label in reversed(EMOTIONS)]
    assert emotion_columns(shuffled, "m") == list(range(27, -1, -1))
    with pytest.raises(InputError, match="28 GoEmotions labels: grief missing"):
        emotion_columns([label for label in EMOTIONS if label != "grief"], "m")


def test_stars_to_classes() -> None:
    assert [from_stars(stars) for stars in (1, 2, 2.5, 3, 3.5, 4, 5)] == ["negative"] * 3 + ["neutral"] * 2 + [
        "positive"
    ] * 2
