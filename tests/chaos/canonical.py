"""A warehouse in one canonical form: the rows of every table, sorted, without what tells one run from another."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline.core.warehouse import open_read_only

RUNS = ("main.runs", "main.migrations")  # about runs and versions, not about reviews
MARKS = ("run_id", "ingested_at", "read_at", "created_at", "retired_at", "forgotten_at", "seconds")  # of one run
EACH_RUN = ("main.metrics", "main.comparisons")  # a row of every run: equal runs give equal rows


def export(path: Path, without: Collection[str] = ()) -> str:
    """Text, a line per row: equal warehouses give equal texts. `without`: further columns, TABLE.COLUMN."""
    with contextlib.closing(open_read_only(path)) as warehouse:
        tables = warehouse.query(
            "SELECT schema_name || '.' || table_name AS name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL"
        )
        lines = []
        for name in (row["name"] for row in tables):
            if name in RUNS:
                continue
            columns = [
                column
                for column in warehouse.columns(f"FROM {name}")
                if column not in MARKS and f"{name}.{column}" not in without
            ]
            rows = warehouse.query(f"SELECT {', '.join(columns)} FROM {name}")
            texts = [f"{name} {json.dumps(_plain(row), sort_keys=True, ensure_ascii=False)}" for row in rows]
            lines += sorted(set(texts) if name in EACH_RUN else texts)
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def first_difference(one: str, other: str) -> str:
    """The first line that only one of two texts has, for a message; empty if they are equal."""
    ours, theirs = set(one.splitlines()), set(other.splitlines())
    only = sorted(ours ^ theirs)
    return (
        f"{'missing' if only[0] in ours else 'extra'}: {only[0][:300]}"
        if only
        else ""
        if one == other
        else "repeated rows"
    )
