"""What the report says beside shares that compare languages: whether the model's own shift per language is taken off."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.report.scope import Row

_UNMEASURED = (
    "The shares are as judged. How this model's own leaning differs between languages was not measured here, so a few points "
    "of difference may be the model's alone; stars are not its work."
)


def note(rows: Sequence[Row]) -> str:
    """In words, what the shares of @languages were corrected for; empty if there are no two languages to compare."""
    judged = [row for row in rows if row["judged"] and row["name"] != "unknown"]
    if len(judged) < 2:
        return ""
    measured = [row["name"] for row in judged if row["shift"] is not None]
    if not measured:
        return _UNMEASURED
    left = [row["name"] for row in judged if row["shift"] is None]
    said = (
        "The negative shares are corrected for the model's own shift per language, which was measured on the same texts in "
        "several languages; beside them stands what was judged. The intervals do not hold how uncertain the correction is."
    )
    return said + (f" Not measured, and so not corrected: {', '.join(left)}." if left else "")
