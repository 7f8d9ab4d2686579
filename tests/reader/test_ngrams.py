"""The model for other languages labels what it is sure of and abstains from the rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reader import ngrams


@given(st.text(max_size=200))
def test_any_text_has_features_and_case_does_not_matter(text: str) -> None:
    found = ngrams.features(text)
    assert found.dtype == np.int64 and ((found >= 0) & (found < ngrams.BUCKETS)).all()
    assert (found == ngrams.features(text.casefold())).all()


def test_chinese_is_read_by_characters_and_marks_stay_with_their_letters() -> None:
    assert len(np.intersect1d(ngrams.features("味道很好"), ngrams.features("很好吃"))) >= 2
    assert len(set(ngrams.features("कि")) & set(ngrams.features("क"))) == 1, "the same opening, another word"


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("zh", "送餐太慢了，菜都凉了，很难吃，再也不会点了", "negative"),
        ("zh", "味道非常好，送餐很快，服务态度也好", "positive"),
        ("id", "makanannya enak sekali dan pelayanannya ramah, pasti kembali lagi", "positive"),
        ("id", "pelayanan buruk sekali, makanan dingin dan mahal, saya kecewa", "negative"),
        ("da", "Dårlig service, aldrig igen, jeg er meget skuffet og ingen svarer", "negative"),
        ("da", "Rigtig godt center med søde medarbejdere og rent og pænt", "positive"),
        ("de", "Sehr freundliches Personal und leckeres Essen, wir kommen gerne wieder", "positive"),
        ("de", "Nie wieder! Unfreundlich, unverschämt und das Essen war kalt", "negative"),
    ],
)
def test_clear_words_in_each_language(language: str, text: str, label: str) -> None:
    classifier = ngrams.NgramSentiment(language)
    (values,) = classifier.probabilities([text])
    assert values.sum() == pytest.approx(1.0, abs=1e-5)
    assert classifier.labels[int(values.argmax())] == label


@pytest.mark.parametrize("language", ngrams.languages())
def test_it_says_nothing_where_it_is_not_sure(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = ngrams.NgramSentiment(language)
    monkeypatch.setitem(classifier.settings, "least", 0.6)
    values = classifier.probabilities(["", "123", "味道很好", "Aldrig igen", "makanan enak", "!"])
    silent = np.isnan(values).all(axis=1)
    assert silent[0] or values[0].max() >= 0.6
    assert ((values.max(axis=1) >= 0.6) | silent).all()


def test_only_languages_that_were_good_enough_are_offered() -> None:
    config = json.loads((ngrams.FOLDER / "config.json").read_text())
    for settings in config["languages"].values():
        assert settings["dev"]["speaks"] >= 0.5 and settings["dev"]["recall_when_it_speaks"] >= 0.75
    assert set(ngrams.languages()).isdisjoint(config["not_offered"])


def test_the_recipe_runs_and_learns(tmp_path: Path) -> None:
    from pipeline.training import ngrams as recipe

    good, bad = ("sehr gut", "wunderbar", "immer gerne"), ("sehr schlecht", "furchtbar", "nie wieder")
    examples = [
        recipe.Example(f"{text} {n}", 2 * (text in good), "de", "x") for text in (*good, *bad) for n in range(10)
    ]
    weights = recipe.fit_weights(examples, epochs=4, rate=0.3, decay=0.0)
    values = ngrams.logits(["wunderbar, sehr gut", "furchtbar, nie wieder"], weights)
    assert values.argmax(axis=1).tolist() == [2, 0]
    settings = recipe.calibrate(np.tile(values, (20, 1)), np.array([2, 0] * 20))
    assert settings["least"] < 0.6, "always right: it may always speak"
    shuffled = recipe.calibrate(np.tile(values, (20, 1)), np.array([0, 1, 2, 0, 2] * 8))
    assert shuffled["least"] > 0.95, "never right often enough: it may never speak"
    assert recipe.figures(settings, values, np.array([2, 0]))["accuracy"] == 1.0
