"""The benchmark of training compares the same texts; how fast a machine is, is no test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.bench import train
from pipeline.bench.measure import Sizes
from pipeline.core.errors import InputError
from tests.checkpoints import Checkpoints

ROWS = [{"prompt": f"{row % 5} stars. Review:", "completion": "cold soup " * (1 + row % 4)} for row in range(20)]


@pytest.mark.slow
def test_training_is_measured_beside_padding(tiny: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "STUDENT", tiny.phi)
    result = train.training(ROWS, rounds=1)
    assert result["texts"] == 17 and set(result["ratios"]) == set(train._PLAIN)
    losses = list(result["validation_loss"].values())
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-3)
    with pytest.raises(InputError, match="needs 20 texts"):
        train.training(ROWS[:10])


def test_each_way_has_its_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(parts: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[float, float]:
        assert len(parts["train"]) == 34
        return (6.0, 2.02) if changes else (2.0, 2.0)

    monkeypatch.setattr(train, "_train", timed)
    found = train.run(Sizes())
    assert [one.value for one in found] == [3.0, 3.0, pytest.approx(1.0)] and found[0].why
