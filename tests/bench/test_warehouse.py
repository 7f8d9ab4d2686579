"""The benchmark of the warehouse measures what it says; how fast a machine is, is no test."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from pipeline.bench import warehouse
from pipeline.bench.measure import Sizes
from pipeline.core.warehouse import audit, open_read_only


@pytest.mark.slow
def test_a_small_one() -> None:
    found = warehouse.run(Sizes(rows=200))
    assert [one.bar for one in found] == [1, 20, 2000, 10, 5, None] and all(one.value > 0 for one in found)
    assert len(found[0].details) > 20, "every named query"


def test_the_synthetic_warehouse_is_sound(tmp_path: Path) -> None:
    warehouse.fill(tmp_path / "w.duckdb", 100)
    with contextlib.closing(open_read_only(tmp_path / "w.duckdb")) as opened:
        audit(opened)
        assert (
            opened.value("SELECT count(*) FROM insights WHERE sentiment IS NOT NULL AND themes <> []") == 100 + 10
        )  # of the night that finds all stages settled
        unhappy = opened.value("SELECT count(*) FROM insights WHERE stars <= 2")
        assert 10 < unhappy == opened.value("SELECT count(*) FROM feedback"), "nothing is pending"
