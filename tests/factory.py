"""Rows for tests, with every column that must be there."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import datetime
from typing import Any

NOW = datetime(2026, 11, 1, 3, 0)
_PLACES = itertools.count(1)


def review(text: str, **columns: Any) -> dict[str, Any]:
    """A row of `store.reviews`, shown in the view `reviews`; its id is a hash of the text unless given."""
    row = {
        "review_id": hashlib.sha256(text.encode()).hexdigest()[:16],
        "source": "test.csv",
        "source_row": 1,
        "text": text,
        "language": "en",
        "stars": None,
        "rating_only": False,
        "ingested_at": NOW,
        "run_id": "test",
        "place": next(_PLACES),
        "current": True,
    }
    return row | columns


def problem(**columns: Any) -> dict[str, Any]:
    """A row of `store.problems`: of the library that complaints were compared with."""
    row = {
        "problem": "kitchen_slow",
        "name": "Long wait for the food",
        "theme": "waiting_time",
        "severity": 3,
        "cause": "All tables are seated at once.",
        "customer": "Write to the guest which evening it was.",
        "fix": ["Seat two tables every ten minutes.", "Put a timer on the pass."],
        "measure": "Minutes from order to plate.",
        "who": "kitchen lead",
        "effort": "talk",
        "reply_say": "Say which evening it was.",
        "reply_avoid": "Do not mention the other tables.",
        "fingerprint": "f",
        "run_id": "run-1",
    }
    return row | columns


def source(**columns: Any) -> dict[str, Any]:
    """A row of `store.sources`: three records of a CSV file, whose dates are ambiguous and one rating of which is no rating."""

    def field(name: str, column: str | None, samples: list[str], understood: int = 3, how: str = "") -> dict[str, Any]:
        filled = 3 if column else 0
        counts = {"filled": filled, "understood": min(understood, filled), "samples": samples, "misunderstood": []}
        return {"name": name, "column": column, "how": how, **counts}

    fields = [
        field("text", "Review", ["Fine <b>bread</b> | butter", "The soup was cold."]),
        field("stars", "Score", ["2", "5"], understood=2, how="1-5"),
        field("reviewed_at", "When", ["2026-01-03"], how="month first, assumed; say --dates dmy if not"),
        field("business", None, []),
        field("author", "By", ["0123456789abcdef"]),
    ]
    row = {
        "source": "reviews.csv",
        "run_id": "run-1",
        "read_at": NOW,
        "content_hash": "c",
        "spec_hash": "s",
        "rows": 3,
        "added": 3,
        "withdrawn": 0,
        "layouts": json.dumps([{"encoding": "cp1252", "delimiter": ";", "header_line": 2, "part": None}]),
        "fields": json.dumps(fields),
        "attributes": ["Country"],
        "unused": ["Row id"],
        "decisions": "{}",
        "notes": ["stars: 1 of 3 values of Score are not understood, such as 'good'"],
    }
    return row | columns
