"""Rows for tests, with every column that must be there."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

NOW = datetime(2026, 11, 1, 3, 0)


def review(text: str, **columns: Any) -> dict[str, Any]:
    """A row of `reviews`; its id is a hash of the text unless given."""
    row = {
        "review_id": hashlib.sha256(text.encode()).hexdigest()[:16],
        "source": "test.csv",
        "source_row": 1,
        "text": text,
        "language": "en",
        "stars": None,
        "ingested_at": NOW,
        "run_id": "test",
    }
    return row | columns
