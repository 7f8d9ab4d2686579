"""The benchmark of writing compares the same texts; how fast a machine is, is no test."""

from __future__ import annotations

import pytest

from pipeline.bench import generate
from pipeline.bench.measure import Sizes
from pipeline.core.errors import InputError


def test_writing_is_measured_beside_batches_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    result = generate.generating(generate._prompts(6), max_new_tokens=3, rounds=1)
    assert result["texts"] == 6 and result["same"] == 100 and 0 < result["tokens"] <= 18
    assert result["ratio"] > 0 and set(result["tokens_per_second"]) == {"ours", generate.PLAIN}
    with pytest.raises(InputError, match="needs a text and a round"):
        generate.generating([])
    monkeypatch.setattr(generate, "generating", lambda prompts, rounds: {"ratio": 2.0, "same": float(len(prompts))})
    found = generate.run(Sizes(limit=4, rounds=1))
    assert [one.value for one in found] == [2.0, 4.0] and found[0].bar == 2.5 and found[0].why
