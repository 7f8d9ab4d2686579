"""The labels of themes, stored in the warehouse for readers who do not have the taxonomy's file."""

from __future__ import annotations

from pipeline.core import queries
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.themes.taxonomy import load_aspects, taxonomy_file


def record_labels(context: Context) -> None:
    """Writes changed labels to `store.taxonomy`. Labels are not in the fingerprint: rewording one recomputes no theme."""
    sql = "SELECT theme, label FROM store.taxonomy WHERE fingerprint = ?"
    recorded = {row["theme"]: row["label"] for row in context.warehouse.query(sql, [context.fingerprint])}
    aspects = load_aspects(taxonomy_file(context.profile))
    changed = {aspect.id: aspect.label for aspect in aspects if recorded.get(aspect.id) != aspect.label}
    if changed:
        context.warehouse.execute(
            "INSERT OR REPLACE INTO store.taxonomy (theme, label, fingerprint, run_id) "
            "SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), ?, ?",
            [list(changed), list(changed.values()), context.fingerprint, context.run_id],
        )


def theme_labels(warehouse: Warehouse) -> dict[str, str]:
    """theme -> label; the shipped taxonomy's if the warehouse holds none, because it is empty or older than the table."""
    exists = warehouse.value("SELECT count(*) FROM information_schema.tables WHERE table_name = 'taxonomy'")
    rows = warehouse.query(queries.load("taxonomy").sql) if exists else []
    return {row["theme"]: row["label"] for row in rows} or {aspect.id: aspect.label for aspect in load_aspects()}
