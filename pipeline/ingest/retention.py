"""The texts of old reviews are removed, and what was found in them stays: `--keep-days`, at the end of a run.

A review whose text is gone is never read again: the source may still hold its text, and ingest leaves it out (replace.sql).
"""

from __future__ import annotations

import json
from datetime import datetime

from pipeline.core.warehouse import Warehouse, sql_file
from pipeline.ingest import forgotten


def blank(warehouse: Warehouse, before: datetime) -> int:
    """Removes the texts of the reviews older than `before` (UTC) and everything that quotes them; returns how many reviews.

    Their bytes leave the file once it is published afresh (`warehouse.publish_afresh`).
    """
    with warehouse.transaction():
        warehouse.execute(sql_file("retention", "expired.sql"), {"before": before})
        count = int(warehouse.value("SELECT count(*) FROM expired"))
        if count:
            _remove_samples(warehouse)
            warehouse.execute(sql_file("retention", "blank.sql"))
        for name in ("rejects", "errors"):
            warehouse.execute(sql_file("retention", f"{name}.sql"), {"before": before})
    return count


def last(warehouse: Warehouse) -> datetime | None:
    """When texts were last removed; None: never, or the warehouse is of a version that removes none."""
    known = warehouse.value(
        "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'rejects' AND column_name = 'blanked_at'"
    )
    at: datetime | None = warehouse.value(sql_file("retention", "last.sql")) if known else None
    return at


def _remove_samples(warehouse: Warehouse) -> None:
    """Takes their words out of what the warehouse shows of how sources were understood."""
    sources = warehouse.query("SELECT DISTINCT source FROM store.reviews WHERE review_id IN (FROM expired)")
    for source in (row["source"] for row in sources):
        reviews = warehouse.query("FROM store.reviews WHERE source = ? AND review_id IN (FROM expired)", [source])
        for row in warehouse.query("SELECT run_id, fields FROM store.sources WHERE source = ?", [source]):
            fields = json.loads(row["fields"])
            if forgotten.remove_samples(fields, reviews):
                warehouse.execute(
                    "UPDATE store.sources SET fields = ? WHERE source = ? AND run_id = ?",
                    [json.dumps(fields), source, row["run_id"]],
                )
