"""What a stage need not look at again: it left nothing out, and only reviews in `store.changed` have changed since.

So a night's queries for pending rows cost what is new, not what is there. The queries of the stages read the view `candidates`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.core.connection import Warehouse


def version(fingerprint: str, params: Mapping[str, Any]) -> str:
    """All that decides which rows of a stage are pending, besides the reviews."""
    return json.dumps([fingerprint, dict(params)], sort_keys=True)


@contextlib.contextmanager
def narrowed(warehouse: Warehouse, stage: str, version: str) -> Iterator[None]:
    """Within it, `candidates` and `audited` hold the changed reviews alone, if the stage is settled."""
    if not is_settled(warehouse, stage, version):
        yield
        return
    warehouse.execute(
        "CREATE TEMP TABLE audited AS FROM reviews_of('store.changed');"
        "CREATE TEMP VIEW candidates AS FROM temp.audited WHERE NOT rating_only AND blanked_at IS NULL"
    )
    try:
        yield
    finally:
        warehouse.execute("DROP VIEW temp.candidates; DROP TABLE temp.audited")


def is_settled(warehouse: Warehouse, stage: str, version: str) -> bool:
    """Whether only changed reviews can be pending."""
    known = "SELECT count(*) FROM store.settled, store.kept WHERE stage = ? AND version = ?"
    return bool(warehouse.value(known, [stage, version]))


def settle(warehouse: Warehouse, stage: str, version: str, run_id: str) -> None:
    """Records that the stage has left nothing out."""
    warehouse.execute("INSERT OR REPLACE INTO store.settled VALUES (?, ?, ?)", [stage, version, run_id])
