"""Small sources written in code, and what the intake makes of them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.core.warehouse import Warehouse
from pipeline.ingest.load import Ingested, ingest
from pipeline.ingest.understanding import IngestOptions

NOW = datetime(2026, 11, 1)


def write(path: Path, content: Any) -> str:
    """A file with this content: text and bytes as they are, anything else as JSON."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8", newline="")
    return str(path)


def read(warehouse: Warehouse, source: str, **options: Any) -> Ingested:
    """Reads a source; every record is accounted for."""
    (result,) = ingest(warehouse, [source], IngestOptions(**options), "run", NOW)
    assert result.rows == result.accepted + result.rejected + result.duplicates + result.rating_only
    return result


def counts(result: Ingested) -> tuple[int, int, int, int]:
    """Accepted, rejected, duplicates, ratings without words."""
    return result.accepted, result.rejected, result.duplicates, result.rating_only


def column(warehouse: Warehouse, name: str) -> list[Any]:
    """A column of `reviews`, ratings without words included, in the source's order."""
    return [row[name] for row in warehouse.query("FROM reviews ORDER BY source_row")]


def days(warehouse: Warehouse, name: str = "reviewed_at") -> list[str | None]:
    """A column of moments, as days."""
    return [value and f"{value:%Y-%m-%d}" for value in column(warehouse, name)]


def how(result: Ingested, field: str) -> str:
    """How a field was read: the order of a date, the scale of a rating."""
    return str(next(item["how"] for item in result.fields if item["name"] == field))
