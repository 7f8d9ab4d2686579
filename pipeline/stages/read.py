"""read: one pass of the reader over every review; what it says is stored raw, and the stages after it decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.backends import registry
from pipeline.core import settled
from pipeline.core.profile import Profile
from pipeline.core.rows import Reading, Review
from pipeline.core.stage import Context, Stage
from pipeline.core.warehouse import sql_file

_SHARES = "theme_share"  # settled when all reviews are counted


class ReadRow(Reading):
    """A Reading of a review."""

    review_id: str
    model: str


def spec(profile: Profile) -> dict[str, Any]:
    """What readings depend on: the weights."""
    return {"version": 3, "reader": registry.reader_identity(profile.reader)}


def transform(rows: Sequence[Review], context: Context) -> list[ReadRow]:
    """One row per review, in order."""
    reader = registry.reader(context.profile.reader)
    readings = reader.read([row["text"] for row in rows])
    return [
        ReadRow(review_id=row["review_id"], model=reader.model, **reading)
        for row, reading in zip(rows, readings, strict=True)
    ]


def finish(context: Context) -> None:
    """Counts what each source and business speaks of: what is usual there is evidence. Only reviews that changed are counted anew."""
    warehouse, only = context.warehouse, {"fingerprint": context.fingerprint}
    if not settled.is_settled(warehouse, _SHARES, context.fingerprint):
        warehouse.execute(
            "DELETE FROM store.counted; DELETE FROM store.theme_share WHERE fingerprint = ?", [context.fingerprint]
        )
        warehouse.execute("CREATE OR REPLACE TEMP TABLE recounted AS SELECT review_id FROM reviews")
    else:
        warehouse.execute("CREATE OR REPLACE TEMP TABLE recounted AS SELECT DISTINCT review_id FROM store.changed")
    if warehouse.value("SELECT count(*) FROM recounted"):
        warehouse.execute(
            "CREATE OR REPLACE TEMP TABLE shares_before AS FROM store.theme_share WHERE fingerprint = $fingerprint",
            only,
        )
        warehouse.execute("DELETE FROM store.theme_share WHERE fingerprint = $fingerprint", only)
        warehouse.execute(sql_file("reading", "said.sql"))
        warehouse.execute(sql_file("reading", "counted.sql"))
        warehouse.execute(sql_file("reading", "count_themes.sql"), {**only, "run_id": context.run_id})
    settled.settle(warehouse, _SHARES, context.fingerprint, context.run_id)


READ = Stage("read", ("review_id",), spec, transform, finish=finish, batch_size=128, outlives_text=True, travels=True)
