"""What scorers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.metrics.scorer import score_pairs

PAIRS = [("a", "b"), ("x", "yz"), ("a", "b"), ("a", "x")]


def test_a_pair_that_comes_again_is_not_scored_again() -> None:
    asked: list[tuple[str, str]] = []

    def lengths(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        asked.extend(zip(candidates, references, strict=True))
        return [float(len(candidate + reference)) for candidate, reference in asked]

    rows: Any = [{"candidate": text, "reference": other} for text, other in PAIRS]
    assert score_pairs(rows, {"length": lengths}) == {"length": [2.0, 3.0, 2.0, 2.0]}
    assert asked == [("a", "b"), ("x", "yz"), ("a", "x")]
    assert score_pairs([], {"length": lambda candidates, references: []}) == {"length": []}
