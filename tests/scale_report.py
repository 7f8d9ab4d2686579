"""Seconds and peak memory of a report on 100,000 synthetic reviews: python -m tests.scale_report [REVIEWS]

Not among the tests, as it measures time. Bars: 20 seconds, 2 GB.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from pipeline.core import ledger
from pipeline.core.warehouse import open_read_only, open_work, publish
from pipeline.report import build
from tests.factory import NOW

ROWS = """
CREATE TEMP TABLE made AS
SELECT i, md5(i::VARCHAR)[:16] AS review_id, hash(i) % 100 < 35 AS unhappy, (1 + hash(i, 1) % 5)::INTEGER AS star,
       'Visit ' || i || ' at number ' || (hash(i, 2) % 500) || '. ' || repeat('The room was large and the view pleasant. ', (2 + hash(i, 3) % 8)::INTEGER) AS opening,
       ['waiting_time', 'food_quality', 'service', 'billing', 'cleanliness', 'noise', 'refund', 'delivery'][(1 + hash(i, 4) % 8)::INTEGER] AS theme,
       ['We waited far too long for table ', 'The soup was cold and bland at table ', 'Nobody came to table ', 'They charged twice for table '][(1 + hash(i, 5) % 4)::INTEGER] || i AS pain
FROM range($n) numbers(i);
"""
TABLES = (
    """INSERT INTO store.reviews BY NAME SELECT i AS place, true AS current, false AS rating_only, review_id, 'synthetic' AS source, i AS source_row, opening || pain || '.' AS text, 'en' AS language,
       CASE WHEN unhappy THEN 1 + star % 2 ELSE 3 + star % 3 END AS stars, TIMESTAMP '2026-10-31' - to_days((hash(i, 6) % 365)::INTEGER) AS reviewed_at,
       'Business ' || (hash(i, 2) % 500) AS business, 'Product ' || (hash(i, 7) % 50) AS product, $now AS ingested_at, 'run-1' AS run_id FROM made""",
    """INSERT INTO store.sentiment BY NAME SELECT review_id, 'f' AS fingerprint, 'run-1' AS run_id, CASE WHEN unhappy THEN 'negative' ELSE 'positive' END AS label,
       CASE WHEN unhappy THEN 0.9 ELSE 0.1 END AS negative, 0.0 AS neutral, CASE WHEN unhappy THEN 0.1 ELSE 0.9 END AS positive, 'm' AS model FROM made""",
    """INSERT INTO store.emotions BY NAME SELECT review_id, 'f' AS fingerprint, 'run-1' AS run_id, CASE WHEN unhappy THEN ['anger', 'annoyance'] ELSE ['joy'] END AS labels,
       MAP {'anger': 0.6::FLOAT, 'joy': 0.1::FLOAT, 'sadness': 0.2::FLOAT} AS probabilities, 'm' AS model FROM made""",
    """INSERT INTO store.themes BY NAME SELECT review_id, 'f' AS fingerprint, 'run-1' AS run_id, theme, pain AS evidence,
       CASE WHEN unhappy THEN 'negative' ELSE 'positive' END AS sentiment, CASE WHEN unhappy THEN -0.8 ELSE 0.8 END AS score FROM made""",
    """INSERT INTO store.feedback BY NAME SELECT review_id, 'f' AS fingerprint, 'run-1' AS run_id, 'm' AS model, 'teacher' AS role,
       repeat('Improve the work of the team with care. ', 20) AS text,
       ['Waiting time (“' || pain || '”): Review step ' || (hash(i, 8) % 40) || ' of ' || theme || ' with the team each week.', 'Train everybody on ' || theme || ' twice a year.'] AS suggestions
       FROM made WHERE unhappy""",
)


def main(reviews: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        opened = open_work(Path(folder) / "w.duckdb")
        opened.execute(ROWS, {"n": reviews})
        for table in TABLES:
            opened.execute(table, {"now": NOW} if "$now" in table else None)
        opened.append("runs", [ledger.row("run-1", "scale", NOW, finished_at=NOW, status="done")])
        opened.append(
            "store.current",
            [{"stage": stage, "fingerprint": "f"} for stage in ("sentiment", "emotions", "themes", "feedback")],
        )
        path = publish(opened)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall, cpu = time.perf_counter(), time.process_time()
        with contextlib.closing(open_read_only(path)) as warehouse:
            written = build.write(warehouse, Path(folder) / "out", date(2026, 11, 1)).folder
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sizes = ", ".join(f"{file.name} {file.stat().st_size / 1e6:.1f} MB" for file in sorted(written.iterdir()))
        print(
            f"{reviews} reviews: {wall:.1f} s ({cpu:.1f} s of CPU), peak {peak / 1e6:.2f} GB ({before / 1e6:.2f} before); {sizes}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
