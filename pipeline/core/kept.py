"""What the views `findings` and `mentions` show, kept as tables: questions about millions of reviews need no join then.

While a run writes, both are put together from the tables of the stages (`warehouse/views/45_*.sql`). Before its figures are
counted, and whenever a file is published, `renew` brings the kept rows up to date, and the views show those. Its cost follows
what is new: whoever changes what is known of a review names it in `store.changed`, and whoever changes all of it empties `store.kept`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.assets import WAREHOUSE
from pipeline.core.connection import Warehouse

MANY = 0.1  # share of the reviews; if more have changed, it is faster to put all together anew


def renew(warehouse: Warehouse, tracked: bool) -> None:
    """Brings store.findings and store.mentions up to date, in one transaction, and lets the views show them. `tracked`: whether
    `store.changed` names all that has changed.
    """
    made_from = warehouse.value(_sql("made_from")) or ""
    with warehouse.transaction():
        if not tracked:
            warehouse.execute("DELETE FROM store.kept")
        if warehouse.value("SELECT made_from FROM store.kept") != made_from or _many(warehouse):
            warehouse.execute(_sql("all"))
        elif warehouse.value("SELECT count(*) FROM store.changed"):
            warehouse.execute(_sql("changed"))
        warehouse.execute(_sql("renewed"))
        warehouse.execute("INSERT INTO store.kept VALUES (?)", [made_from])
        warehouse.execute(_sql("shown"))


def note(warehouse: Warehouse, rows: Sequence[Mapping[str, Any]]) -> None:
    """Names the reviews of `rows`, rows of a stage, as changed."""
    if rows and "review_id" in rows[0] and warehouse.value("SELECT count(*) FROM store.kept"):
        warehouse.append("store.changed", [{"review_id": row["review_id"]} for row in rows])


def _many(warehouse: Warehouse) -> bool:
    changed = warehouse.value("SELECT count(DISTINCT review_id) FROM store.changed")
    return bool(changed > MANY * warehouse.value("SELECT count(*) FROM store.findings"))


def _sql(name: str) -> str:
    return (WAREHOUSE / "kept" / f"{name}.sql").read_text(encoding="utf-8")
