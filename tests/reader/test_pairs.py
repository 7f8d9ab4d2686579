"""A sentence is read together with a statement: what is encoded, and that what ships is what was trained."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.core.assets import PAIRS
from pipeline.core.errors import InputError
from pipeline.reader import pairs as reading_pairs
from pipeline.reader.base import Pair, around
from pipeline.training import pairs as training
from tests.checkpoints import Checkpoints

TWO = [
    Pair("Food arrives cold.", "The soup was cold.", "We waited. … Never again."),
    Pair("Rude staff.", "The soup was cold."),
]


@pytest.fixture
def trained(tiny: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, np.ndarray]:
    """A reader's folder with a reader of pairs, and what that said before it was saved."""
    folder = tmp_path / "reader"
    shutil.copytree(tiny.reader, folder)
    monkeypatch.setattr(training.reader_fit, "FROZEN", 1)
    encoder, head, parameters = training._model(folder)
    torch.manual_seed(3)
    for parameter in parameters:
        torch.nn.init.normal_(parameter, std=0.05)
    encoder.network.eval()
    said = reading_pairs.PairReader(encoder, head).probabilities(TWO)
    training._ship(encoder, head, folder / PAIRS)
    return folder, said


def test_what_ships_says_what_was_trained(trained: tuple[Path, np.ndarray]) -> None:
    folder, said = trained
    shipped = reading_pairs.load(folder).probabilities(TWO)
    assert shipped == pytest.approx(said, abs=0.02), "bfloat16"
    assert shipped[0] != pytest.approx(shipped[1], abs=1e-6) and ((shipped > 0) & (shipped < 1)).all()
    again = reading_pairs.load(folder).probabilities(TWO[::-1])
    assert again[::-1] == pytest.approx(shipped, abs=1e-5), "whatever the order"
    assert len(reading_pairs.load(folder).probabilities([])) == 0


def test_the_parts_stand_where_they_are_said_to(tiny: Checkpoints) -> None:
    long = Pair("a " * 200, "b " * 200, "c " * 200)
    for ids, (first, second), (third, fourth) in reading_pairs.encode(tiny.encoder, [*TWO, long, Pair("", "", "")]):
        assert first == len(tiny.encoder.prefix) < second < third < fourth < len(ids) <= 512
        assert ids[second] == tiny.encoder.suffix[0] == ids[fourth] == ids[-1]


def test_the_context_is_what_stands_around() -> None:
    assert around("We waited. Cold soup. Never again.", 11, 21) == "We waited.  …  Never again."


def test_a_damaged_one_is_refused(trained: tuple[Path, np.ndarray]) -> None:
    folder, _ = trained
    (folder / PAIRS / "head.safetensors").write_bytes(b"damaged")
    reading_pairs.load.cache_clear()
    with pytest.raises(InputError, match="cannot be loaded"):
        reading_pairs.load(folder)


def test_a_training_goes_on_from_its_checkpoint(
    tiny: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(tiny.reader, folder)
    monkeypatch.setattr(training.reader_fit, "FROZEN", 1)
    rows = [(pair, n == 0, f"review {k}") for k in range(40) for n, pair in enumerate(TWO)]
    monkeypatch.setattr(training, "labelled", lambda data, reader: rows)
    stopped = training.train(tmp_path, folder, tokens=6_000, minutes=0.0)
    assert stopped["tokens"] < 6_000 and not (folder / PAIRS).exists()
    done = training.train(tmp_path, folder, tokens=6_000)
    assert done["tokens"] >= 6_000 and len(reading_pairs.load(folder).probabilities(TWO)) == 2
