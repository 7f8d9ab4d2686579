"""What the documentation says about the warehouse is what the warehouse holds."""

from __future__ import annotations

import re

import pytest

from pipeline.core.warehouse import Warehouse
from pipeline.quality import summary
from tests.conftest import ROOT


@pytest.mark.parametrize("table", ["scores", "metrics", "comparisons"])
def test_every_column_is_explained_and_no_other(warehouse: Warehouse, table: str) -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    section = text.partition(f"## `{table}`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, flags=re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert explained == set(warehouse.columns(f"SELECT * FROM {table}"))


def test_every_metric_has_a_column_or_a_word() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    for name in (*summary.TEXT_METRICS, *summary.SIGNALS, "grounding_r1", "macro_f1", "truncated", "failed"):
        assert f"`{name}`" in text
