"""What the documentation says about the metrics and the warehouse is what they are.

Renew what is made from `pipeline.metrics.table`: python -m tests.test_docs
"""

from __future__ import annotations

import re

import pytest

from pipeline.core.assets import WAREHOUSE
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import METRICS, Metric
from tests import reader_figures
from tests.conftest import ROOT

DOCS = ROOT / "docs" / "metrics.md"
VIEW = WAREHOUSE / "views" / "05_text_metrics.sql"
BEGIN, END = "<!-- begin: made from pipeline/metrics/table.py by python -m tests.test_docs -->\n", "<!-- end -->\n"
BETTER = {True: "higher", False: "lower", None: ""}


@pytest.mark.parametrize("name", ["reader", "themes"])
def test_the_readers_figures_are_those_of_its_weights(name: str) -> None:
    is_now, should_be = reader_figures.renewed(name)
    assert is_now == should_be, "renew them: python -m tests.reader_figures"


def metrics_table() -> str:
    """The metrics that are columns of `scores`, as Markdown, and below them those that are derived."""
    lines = ["| column | meaning | better |", "|---|---|---|"]
    for metric in METRICS:
        if metric.value is None:
            lines.append(f"| `{metric.name}` | {metric.meaning} | {BETTER[metric.higher_is_better]} |")
        lines += [f"| `{name}` | {meaning} | |" for name, meaning in (metric.also or {}).items()]
    derived = ", ".join(f"`{metric.name}` ({metric.meaning})" for metric in METRICS if metric.value)
    return "\n".join([*lines, "", f"Not columns, but rows of `metrics` too: {derived}."]) + "\n"


def text_metrics() -> str:
    """The views by which SQL knows the metrics."""
    rows = ",\n    ".join(f"({', '.join(map(_literal, _row(metric)))})" for metric in METRICS)
    means = "".join(
        f"       max(mean) FILTER (metric = {_literal(metric.name)}) AS {metric.name},\n"
        for metric in METRICS
        if metric.signal
    )
    return f"""\
-- Made from pipeline/metrics/table.py by python -m tests.test_docs: do not edit.

-- What the metrics of texts are called, what they compare a text with, and whether they are signals. Grain: metric.
CREATE OR REPLACE VIEW text_metrics AS
FROM (VALUES
    {rows}
) known(metric, title, against, signal, higher_is_better);

-- Means of the signals, which show that a text is broken or games the other metrics. Grain: run_id, role.
CREATE OR REPLACE VIEW quality_signals AS
SELECT run_id, role,
{means}       max(n) FILTER (metric = 'repetition') AS n
FROM metrics WHERE role NOT IN ('reviews', 'classifier') GROUP BY run_id, role;
"""


def _row(metric: Metric) -> tuple[str | bool | None, ...]:
    return metric.name, metric.title, metric.against, metric.signal, metric.higher_is_better


def _literal(value: str | bool | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value).lower()


def renewed(text: str) -> str:
    """docs/metrics.md with the table as it is now between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{DOCS.name} has lost its markers"
    return before + BEGIN + metrics_table() + END + after


def test_what_is_made_from_the_table_of_metrics_is_current() -> None:
    """Renew with: python -m tests.test_docs"""
    assert renewed(DOCS.read_text(encoding="utf-8")) == DOCS.read_text(encoding="utf-8")
    assert text_metrics() == VIEW.read_text(encoding="utf-8")


@pytest.mark.parametrize("table", ["scores", "metrics", "comparisons"])
def test_every_column_is_explained_and_no_other(warehouse: Warehouse, table: str) -> None:
    section = DOCS.read_text(encoding="utf-8").partition(f"## `{table}`")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, flags=re.MULTILINE)
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert explained == set(warehouse.columns(f"SELECT * FROM {table}"))


if __name__ == "__main__":
    DOCS.write_text(renewed(DOCS.read_text(encoding="utf-8")), encoding="utf-8")
    VIEW.write_text(text_metrics(), encoding="utf-8")
