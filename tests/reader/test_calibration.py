from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backends import registry
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Profile, Sentiment
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.reader import calibration
from pipeline.stages import sentiment


def softmax(logits: np.ndarray) -> np.ndarray:
    exponent = np.exp(logits - logits.max(1, keepdims=True))
    return exponent / exponent.sum(1, keepdims=True)


def drawn(
    rows: int, temperature: float, bias: tuple[float, float, float], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(raw probabilities, true classes) of a model with this calibration."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(rows, 3))
    true = softmax(logits / temperature + np.array(bias))
    truth = np.array([rng.choice(3, p=row) for row in true])
    return softmax(logits), truth


def test_it_finds_the_temperature_and_bias_of_each_language() -> None:
    first, second = drawn(3000, 2.0, (0.8, 0.0, -0.8)), drawn(3000, 1.0, (-0.5, 0.0, 0.5), seed=1)
    chances, truth = np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])
    languages = ["de"] * 3000 + ["fr"] * 3000
    fitted = calibration.fit(chances, truth, languages)
    german, french = fitted["languages"]["de"], fitted["languages"]["fr"]
    assert german["temperature"] == pytest.approx(2.0, rel=0.1) and german["bias"] == pytest.approx(
        [0.8, 0, -0.8], abs=0.15
    )
    assert french["temperature"] == pytest.approx(1.0, rel=0.1) and french["bias"] == pytest.approx(
        [-0.5, 0, 0.5], abs=0.15
    )
    after = calibration.apply(fitted, chances, languages)
    before_loss, after_loss = (-np.log(p[range(6000), truth]).mean() for p in (chances, after))
    assert after_loss < before_loss - 0.05


def test_a_language_with_few_rows_takes_the_common_one() -> None:
    chances, truth = drawn(200, 2.0, (0.5, 0.0, -0.5))
    languages = ["de"] * 190 + ["fr"] * 10
    fitted = calibration.fit(chances, truth, languages)
    assert set(fitted["languages"]) == {"*", "de"}
    common = dict(fitted, languages={"*": fitted["languages"]["*"]})
    np.testing.assert_array_equal(
        calibration.apply(fitted, chances[190:], ["fr", None] * 5),
        calibration.apply(common, chances[190:], ["xx"] * 10),
    )


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda row: sum(row) > 0.1), min_size=1, max_size=5
    )
)
def test_probabilities_stay_probabilities_and_nothing_is_invented(rows: list[list[float]]) -> None:
    chances = np.array(rows) / np.array(rows).sum(1, keepdims=True)
    fitted = {"languages": {"*": {"temperature": 0.5, "bias": [0.5, 2.0, -2.5]}}}
    after = calibration.apply(fitted, chances, ["en"] * len(rows))
    np.testing.assert_allclose(after.sum(1), 1, atol=1e-5)
    assert (after[chances == 0] == 0).all() and np.isfinite(after).all()


def test_identity_changes_nothing() -> None:
    chances, _ = drawn(20, 1.0, (0, 0, 0))
    fitted = {"languages": {"*": {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]}}}
    np.testing.assert_allclose(calibration.apply(fitted, chances, ["en"] * 20), chances, atol=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"classes": ["a"], "languages": {}}',
        '{"classes": ["negative", "neutral", "positive"], "languages": {"*": {"temperature": 0, "bias": [0, 0, 0]}}}',
        '{"classes": ["negative", "neutral", "positive"], "languages": {"*": {"temperature": 1, "bias": [0, 0]}}}',
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(content)
    with pytest.raises(InputError, match="review-insights calibrate") as caught:
        calibration.load(str(file))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no calibration at"):
        calibration.load(str(tmp_path / "none.json"))


def test_the_stage_applies_it_and_keeps_the_raw_scores(
    tmp_path: Path, fake_profile: Profile, warehouse: Warehouse
) -> None:
    file = tmp_path / "c.json"
    turned = {"n": 60, "temperature": 1.0, "bias": [9.0, 0.0, -9.0]}
    even = {"n": 60, "temperature": 1.0, "bias": [0.0, 0.0, 0.0]}
    calibration.save({"classes": list(SENTIMENTS), "languages": {"*": even, "de": turned}}, file)
    section = dataclasses.replace(fake_profile.sentiment, calibration=str(file), languages=())
    profile = dataclasses.replace(fake_profile, sentiment=section)
    rows = [
        sentiment.ReadReview(review_id=n, text="Good soup", language=n, stars=None, words=None) for n in ("de", "en")
    ]
    german, english = sentiment.transform(rows, Context(profile, warehouse, "r", "f", tmp_path))
    raw = registry.sentiment(section).probabilities(["Good soup"])[0]
    assert german["label"] == "negative" and english["label"] == "positive"
    for row in (german, english):
        np.testing.assert_allclose([row[f"raw_{name}"] for name in SENTIMENTS], raw, atol=6e-5)
    plain = sentiment.transform(rows, Context(fake_profile, warehouse, "r", "f", tmp_path))
    assert "raw_negative" not in plain[0] and "calibration" not in sentiment.spec(fake_profile)
    first = sentiment.spec(profile)["calibration"]
    calibration.save({"classes": list(SENTIMENTS), "languages": {"*": even}}, file)
    assert sentiment.spec(profile)["calibration"] != first, "another calibration makes other rows"


def test_a_profile_names_it() -> None:
    assert Sentiment(calibration="c.json").calibration == "c.json"
