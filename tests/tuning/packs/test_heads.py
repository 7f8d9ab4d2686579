from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.core import pack
from pipeline.core.profile import Sentiment
from pipeline.core.warehouse import Warehouse
from pipeline.reader import calibration
from pipeline.tuning.packs import heads
from tests.factory import review

FAKE = Sentiment(backend="fake")


def quiet(name: str, done: int, total: int) -> None:
    """Tells nobody."""


def filled(warehouse: Warehouse, rows: int = 300) -> None:
    """Reviews of which the fake reads all but those with "bad" as surely positive; a fifth of the stars say otherwise."""
    texts = [(f"A {'bad' if n % 3 == 0 else 'fine'} soup, number {n} of them.", n) for n in range(rows)]
    stars = [3.0 if n % 5 == 0 else 1.0 if n % 3 == 0 else 5.0 for _, n in texts]
    warehouse.append(
        "store.reviews", [review(text, stars=rated) for (text, _), rated in zip(texts, stars, strict=True)]
    )


def test_a_calibration_is_kept_if_other_rows_say_that_it_betters_the_reader(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    filled(warehouse)
    head, told = heads.tune(warehouse, tmp_path, FAKE, "", tmp_path, quiet)
    assert head == {"calibration": pack.CALIBRATION, "measured": told}
    assert told.startswith("the reader's, calibrated (ECE 0.")
    assert set(json.loads((tmp_path / pack.CALIBRATION).read_text())["languages"]) == {"*", "en"}


def test_a_calibration_that_loses_what_it_should_gain_is_left(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(warehouse)
    figures: dict[str, Any] = {
        "before": {"ece": 0.05, "macro_f1": 0.8},
        "after": {"ece": 0.02, "macro_f1": 0.7, "n": 30},
    }
    monkeypatch.setattr(heads, "calibrate", lambda data, reader: SimpleNamespace(fitted={}, **figures))
    head, told = heads.tune(warehouse, tmp_path, FAKE, "", tmp_path, quiet)
    assert head == {} and "does not better it" in told and not (tmp_path / pack.CALIBRATION).exists()


def test_few_stars_tune_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    filled(warehouse, 90)
    head, told = heads.tune(warehouse, tmp_path, FAKE, "minilm", tmp_path, quiet)
    assert head == {} and "too few stars" in told


def test_a_language_that_the_reader_does_not_read_leaves_it_as_it_stands(warehouse: Warehouse, tmp_path: Path) -> None:
    filled(warehouse)
    warehouse.execute("UPDATE store.reviews SET language = 'is'")
    head, told = heads.tune(warehouse, tmp_path, Sentiment(backend="fake", languages=("en",)), "", tmp_path, quiet)
    assert head == {} and told.startswith(heads.AS_IT_STANDS) and "cannot be calibrated" in told


@pytest.mark.parametrize("is_better", [True, False])
@pytest.mark.parametrize("is_calibrated", [True, False])
def test_a_classifier_is_kept_only_if_it_is_surely_better_than_the_reader_at_its_best(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_better: bool, is_calibrated: bool
) -> None:
    filled(warehouse)
    model = tmp_path / "tuned" / "model"
    model.mkdir(parents=True)
    common = {"*": {"n": 9, "temperature": 1.0, "bias": [0.0] * 3}}
    neutral = {"classes": ["negative", "neutral", "positive"], "languages": common}
    calibration.save(neutral, model / pack.CALIBRATION)
    asked: list[Any] = []

    def tuned(data: Any, settings: Any, *rest: Any) -> SimpleNamespace:
        asked.append(settings)
        return SimpleNamespace(model=model, facts={"learned": ["en"]})

    def classify(rows: Any, section: Sentiment) -> np.ndarray:
        values = np.full((len(rows), 3), 0.01, np.float32)
        for row, values_of_row in zip(rows, values, strict=True):
            number = int(row["text"].split()[-3])
            truth = 1 if number % 5 == 0 else 0 if number % 3 == 0 else 2
            values_of_row[truth if is_better and section.model else 2] = 0.98
            if not section.model:
                compared.append(section.calibration)
        return values

    def calibrated(data: Any, folder: Path, reader: Sentiment) -> tuple[dict[str, Any], str]:
        if is_calibrated:
            calibration.save(neutral, folder / pack.CALIBRATION)
        return ({"calibration": pack.CALIBRATION} if is_calibrated else {}), "the reader's"

    compared: list[str] = []
    monkeypatch.setattr(heads.finetune, "run", tuned)
    monkeypatch.setattr(heads, "classify_sentiment", classify)
    monkeypatch.setattr(heads, "_calibration", calibrated)
    folder = tmp_path / "pack"
    folder.mkdir()
    head, told = heads.tune(warehouse, folder, FAKE, "minilm", tmp_path, quiet)
    assert asked[0].method == "lora" and asked[0].balance == "weights"
    assert set(compared) == {str(folder / pack.CALIBRATION) if is_calibrated else ""}
    if is_better:
        kept = {"model": "model", "calibration": "model/calibration.json", "languages": ["en"], "measured": told}
        assert head == kept and "tuned from minilm (0 MB). It is more right than the reader: +" in told
        assert "95 % interval" in told and "Macro-F1: 1.00, the reader's 0." in told
        assert (folder / "model" / pack.CALIBRATION).is_file() and not (folder / pack.CALIBRATION).exists()
    else:
        assert (
            not (folder / "model").exists()
            and "A classifier tuned from minilm is not kept: It is not clearly different" in told
        )
        assert head == ({"calibration": pack.CALIBRATION, "measured": told} if is_calibrated else {})
