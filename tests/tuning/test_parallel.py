"""Parallel rows: a planted shift is found and taken away, and none is invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.core.errors import InputError
from pipeline.reader import calibration
from pipeline.tuning import parallel

BIAS = {"de": np.array([0.6, 0.0, -0.6]), "en": np.zeros(3), "fr": np.zeros(3), "it": np.array([-0.4, 0.1, 0.3])}


def softmax(logits: np.ndarray) -> np.ndarray:
    exponent = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(exponent / exponent.sum(1, keepdims=True))


def drawn(
    texts: int, biases: dict[str, np.ndarray], seed: int = 0, missing: float = 0.3
) -> tuple[np.ndarray, list[str], list[str]]:
    """(probabilities, texts, languages) of a model that leans as `biases` say; some texts lack some languages, and the
    languages that are there depend on what the text says, as they do in life.
    """
    rng = np.random.default_rng(seed)
    truth = rng.normal(scale=2, size=(texts, 3))
    rows = [
        (softmax(truth[text] + bias + rng.normal(scale=0.3, size=(1, 3)))[0], f"t{text}", name)
        for text in range(texts)
        for place, (name, bias) in enumerate(biases.items())
        if rng.random() > missing * (1 if truth[text, 0] > 0 or place % 2 else 0.2)
    ]
    return np.array([row[0] for row in rows]), [row[1] for row in rows], [row[2] for row in rows]


def true_shift(biases: dict[str, np.ndarray]) -> dict[str, float]:
    """Of the score, with every text in every language."""
    probabilities, _, languages = drawn(20_000, biases, seed=9, missing=0)
    score, names = probabilities[:, 2] - probabilities[:, 0], np.array(languages)
    means = {name: float(score[names == name].mean()) for name in biases}
    return {name: mean - float(np.mean(list(means.values()))) for name, mean in means.items()}


def test_a_planted_shift_is_found_and_its_interval_covers_it() -> None:
    expected = true_shift(BIAS)
    covered = []
    for seed in range(20):
        probabilities, texts, languages = drawn(400, BIAS, seed)
        found = parallel.shifts(parallel.measured(probabilities), texts, languages)
        low, high = found.interval(0)
        covered += [low[at] <= expected[name] <= high[at] for at, name in enumerate(found.languages)]
        np.testing.assert_allclose(found.mean.sum(0), 0, atol=1e-9)
    assert np.mean(covered) >= 0.9, "95 % in the long run"
    assert found.mean[0, 0] == pytest.approx(expected["de"], abs=0.03) and expected["de"] < -0.1
    assert found.mean[0, 1] > 0.03, "more German texts are judged negative"


@pytest.mark.parametrize("texts", [60, 500, 1500])
def test_where_every_text_is_in_every_language_the_shifts_are_plain_differences(texts: int) -> None:
    """Rounding once decided what the equations leave open, and all languages came out too low."""
    biases = {name: BIAS[name] for name in ("de", "en", "it")}
    probabilities, names, languages = drawn(texts, biases, seed=texts, missing=0)
    values = parallel.measured(probabilities)
    found = parallel.shifts(values, names, languages)
    means = np.array([values[np.array(languages) == name].mean(0) for name in biases])
    np.testing.assert_allclose(found.mean, means - means.mean(0), atol=1e-9)
    low, high = found.interval(0)
    assert (low < found.mean[:, 0]).all() and (found.mean[:, 0] < high).all()


def test_the_correction_takes_it_away_from_other_texts() -> None:
    fitted = parallel.fit(*drawn(1500, BIAS, 1))
    assert set(fitted["languages"]) == {"*", *BIAS}
    raw, texts, languages = drawn(1500, BIAS, 2)
    before = parallel.shifts(parallel.measured(raw), texts, languages)
    evened = calibration.apply(fitted, raw, languages).astype(float)
    after = parallel.shifts(parallel.measured(evened), texts, languages)
    assert np.abs(before.mean[:, 0]).max() > 0.1 and np.abs(after.mean[:, 0]).max() < 0.015
    assert np.abs(after.mean[:, 1]).max() < 0.02 < np.abs(before.mean[:, 1]).max()


def test_two_languages_meet_in_the_middle() -> None:
    biases = {"de": BIAS["de"], "en": BIAS["en"]}
    raw, texts, languages = drawn(2000, biases, 3)
    fitted = parallel.fit(raw, texts, languages)["languages"]
    assert fitted["de"]["shift"] == pytest.approx(-fitted["en"]["shift"], abs=1e-4)
    gap = np.array(fitted["en"]["bias"]) - np.array(fitted["de"]["bias"])
    np.testing.assert_allclose(gap, BIAS["de"], atol=0.1)


def test_where_there_is_no_shift_there_is_hardly_a_correction() -> None:
    even = {name: np.zeros(3) for name in BIAS}
    entries: list[dict[str, Any]] = []
    for seed in range(25):
        fitted = parallel.fit(*drawn(300, even, seed))["languages"]
        entries += [fitted[name] for name in even]
    corrected = [entry for entry in entries if any(entry["bias"])]
    assert len(corrected) <= 0.1 * len(entries), "5 % in the long run"
    for entry in entries:
        assert bool(any(entry["bias"])) == (entry["low"] * entry["high"] > 0)
    assert max((abs(value) for entry in corrected for value in entry["bias"]), default=0) < 0.2


def test_what_cannot_be_compared_is_left_out() -> None:
    _, texts, languages = drawn(400, BIAS, 5)
    few = parallel.comparable([*texts, "t1", "alone"], [*languages, "sw", "en"])
    assert few.sum() == few[:-2].sum() and not few[-2:].any(), "a rare language, and a text in a single one"
    with pytest.raises(InputError, match="100 texts in common"):
        parallel.comparable(texts[:40], languages[:40])
    apart = [f"{text}{name in ('de', 'en')}" for text, name in zip(texts, languages, strict=True)]
    with pytest.raises(InputError, match="share no text"):
        parallel.shifts(np.zeros((len(texts), 1)), apart, languages)


def write(path: Path, texts: int = 260, labelled: bool = False) -> Path:
    """A folder with a file of JSON lines per language, as parallel sets come."""
    path.mkdir()
    for name, good in (("en", "Great staff"), ("de", "Tolles Team"), ("fr", "Équipe géniale")):
        rows = [
            {"text": f"{good} {n}" if n % 3 else f"Bad {n} {name}", "lang": name, "pid": f"p{n}"} for n in range(texts)
        ]
        label = {"label": "positive"} if labelled else {}
        (path / f"{name}.jsonl").write_text("".join(json.dumps(row | label) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("labelled", [False, True])
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], labelled: bool) -> None:
    (tmp_path / "fake.toml").write_text('extends = "embedded"\n[sentiment]\nbackend = "fake"\nlanguages = []\n')
    out = tmp_path / "c.json"
    command = [
        "calibrate",
        "--profile",
        str(tmp_path / "fake.toml"),
        "--data",
        str(write(tmp_path / "d", labelled=labelled)),
    ]
    command += ["--language", "lang", "--out", str(out)]
    assert main([*command, "--parallel", "id"]) == 2
    assert "no column 'id'" in capsys.readouterr().err
    assert main([*command, "--parallel", "pid"]) == 0
    said = capsys.readouterr().out
    assert "other texts" in said and "de, " in said and f'language_shift = "{out}"' in said
    assert ("with a label" in said) == labelled
    assert set(calibration.load(str(out))["languages"]) == {"*", "de", "en", "fr"}
