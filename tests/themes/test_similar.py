"""Sentences that say much the same as a text, by the stored vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.backends.fake import FakeReader
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.stage import run_stage
from pipeline.core.warehouse import Warehouse
from pipeline.stages.read import READ
from pipeline.themes import similar as module
from pipeline.themes.similar import similar
from tests.factory import review


@pytest.fixture
def filled(warehouse: Warehouse, fake_profile: Profile) -> Warehouse:
    texts = ("Cold soup. Kind staff.", "Kind staff. Loud music.", "Never again.")
    warehouse.append("store.reviews", [review(text, stars=2.0) for text in texts])
    run_stage(READ, fake_profile, warehouse, "r", Path())
    return warehouse


def vector_of(text: str) -> np.ndarray:
    (reading,) = FakeReader().read([text])
    return np.frombuffer(reading["sentences"][0]["vector"], np.float16).astype(np.float32)


def test_the_closest_sentence_comes_first_and_each_once(filled: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    found = similar(filled, vector_of("Kind staff."), limit=10)
    assert [row["sentence"] for row in found].count("Kind staff.") == 1 and len(found) == 4
    assert found[0]["sentence"] == "Kind staff." and found[0]["closeness"] == pytest.approx(1, abs=0.01)
    closeness = [row["closeness"] for row in found]
    assert found[0]["stars"] == 2 and closeness == sorted(closeness, reverse=True)
    assert len(similar(filled, vector_of("Loud music."), limit=1)) == 1


def test_nothing_read_nothing_similar(warehouse: Warehouse) -> None:
    assert similar(warehouse, vector_of("Cold soup.")) == []


def test_a_reader_with_other_vectors_is_one_clear_error(filled: Warehouse) -> None:
    with pytest.raises(InputError, match="another reader"):
        similar(filled, np.zeros(8, np.float32))
