"""What themes are called: the labels of the taxonomy in use, kept in the warehouse for readers who do not have its file."""

from __future__ import annotations

from pipeline.core import queries
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.themes.taxonomy import load_aspects, taxonomy_file


def record_labels(context: Context) -> None:
    """Writes `store.taxonomy`. A label may be reworded without a new fingerprint: no theme is found anew for it."""
    recorded = "SELECT theme, label FROM store.taxonomy WHERE fingerprint = ?"
    known = {row["theme"]: row["label"] for row in context.warehouse.query(recorded, [context.fingerprint])}
    for aspect in load_aspects(taxonomy_file(context.profile)):
        if known.get(aspect.id) != aspect.label:
            context.warehouse.execute(
                "INSERT OR REPLACE INTO store.taxonomy (theme, fingerprint, run_id, label) VALUES (?, ?, ?, ?)",
                [aspect.id, context.fingerprint, context.run_id, aspect.label],
            )


def theme_labels(warehouse: Warehouse) -> dict[str, str]:
    """theme -> label. The shipped taxonomy's where the warehouse holds none: it is empty, or older than the table."""
    exists = warehouse.value("SELECT count(*) FROM information_schema.tables WHERE table_name = 'taxonomy'")
    rows = warehouse.query(queries.load("taxonomy").sql) if exists else []
    return {row["theme"]: row["label"] for row in rows} or {aspect.id: aspect.label for aspect in load_aspects()}
