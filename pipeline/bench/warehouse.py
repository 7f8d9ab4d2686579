"""A warehouse of many reviews: every named query, the report, a night with nothing new and one with 1,000 new reviews, and what
publishing costs. The reviews are synthetic, made by SQL; models are the fake ones, so that no model's time is in the figures.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.bench.measure import Measured, Sizes, alone

LAST = "feedback"  # the last stage that a night runs here
NEW = 1000
UNLIMITED = ("insights", "theme_evidence")  # named queries that answer with every review unless told otherwise: exports
FEW = 100
NOW = datetime(2026, 11, 1, 6)
FAKE = (
    'extends = "embedded"\n[reader]\nbackend = "fake"\n[sentiment]\nbackend = "fake"\n[emotions]\nbackend = "fake"\n'
    '[feedback]\nbackend = "fake"\n'
)
_ROWS = """
CREATE TEMP TABLE made AS
SELECT i, md5(i::VARCHAR)[:16] AS review_id, hash(i) % 100 < 35 AS unhappy, (1 + hash(i, 1) % 5)::INTEGER AS star,
       'Visit ' || i || ' at number ' || (hash(i, 2) % 500) || '. ' || repeat('The room was large and the view pleasant. ', (2 + hash(i, 3) % 8)::INTEGER) AS opening,
       ['waiting_time', 'food_quality', 'staff_attitude', 'billing', 'cleanliness', 'noise', 'refunds', 'delivery'][(1 + hash(i, 4) % 8)::INTEGER] AS theme,
       ['We waited far too long for table ', 'The soup was cold and bland at table ', 'Nobody came to table ', 'They charged twice for table '][(1 + hash(i, 5) % 4)::INTEGER] || i AS pain,
       repeat(md5(i::VARCHAR), 24)::BLOB AS vector
FROM range($n) numbers(i);
"""
_TABLES = {
    "reviews": """SELECT i AS place, true AS current, false AS rating_only, review_id, 'synthetic' AS source, i AS source_row, opening || pain || '.' AS text, 'en' AS language,
       CASE WHEN unhappy THEN 1 + star % 2 ELSE 4 + star % 2 END AS stars, TIMESTAMP '2026-10-31' - to_days((hash(i, 6) % 365)::INTEGER) AS reviewed_at,
       'Business ' || (hash(i, 2) % 500) AS business, 'Product ' || (hash(i, 7) % 50) AS product, $now AS ingested_at, 'run-1' AS run_id FROM made""",
    "read": """SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, 'm' AS model, [0.1, 0.1, 0.2, 0.3, 0.3]::FLOAT[] AS stars, [0.2, 0.1, 0.7]::FLOAT[] AS sentiment,
       list_transform(range(28), x -> ((hash(i, x) % 100) / 100)::FLOAT) AS emotions, vector,
       [{'start': 0, 'end': 20, 'negative': 0.1::FLOAT, 'neutral': 0.2::FLOAT, 'positive': 0.7::FLOAT, 'wish': 0.0::FLOAT, 'vector': vector,
         'themes': [{'theme': theme, 'probability': 0.8::FLOAT, 'negative': 0.7::FLOAT, 'neutral': 0.2::FLOAT, 'positive': 0.1::FLOAT, 'start': 0, 'end': 10}]}] AS sentences FROM made""",
    "sentiment": """SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, CASE WHEN unhappy THEN 'negative' ELSE 'positive' END AS label,
       CASE WHEN unhappy THEN 0.9 ELSE 0.1 END AS negative, 0.0 AS neutral, CASE WHEN unhappy THEN 0.1 ELSE 0.9 END AS positive, 'm' AS model FROM made""",
    "emotions": """SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, CASE WHEN unhappy THEN ['anger', 'annoyance'] ELSE ['joy'] END AS labels,
       MAP {'anger': 0.6::FLOAT, 'joy': 0.1::FLOAT, 'sadness': 0.2::FLOAT} AS probabilities, 'm' AS model FROM made""",
    "themes": """SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, theme, pain AS evidence,
       CASE WHEN unhappy THEN 'negative' ELSE 'positive' END AS sentiment, CASE WHEN unhappy THEN -0.8 ELSE 0.8 END AS score FROM made""",
    "feedback": """SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, 'm' AS model, 'teacher' AS role,
       repeat('Improve the work of the team with care. ', 20) AS text,
       ['Waiting time (“' || pain || '”): Review step ' || (hash(i, 8) % 40) || ' of ' || theme || ' with the team each week.', 'Train everybody on ' || theme || ' twice a year.'] AS suggestions
       FROM made WHERE unhappy""",
    "discover": "SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, -1 AS place FROM made WHERE unhappy",
    "score": """SELECT review_id, $f AS fingerprint, 'run-1' AS run_id, role, -0.5 AS bleurt, 0.7 AS bertscore_f1, (hash(i, 9) % 100) / 100 AS meteor, 0.6 AS grounding
       FROM made, (VALUES ('student'), ('control_constant')) roles(role) WHERE unhappy AND i % 20 = 0 AND i < 60000""",
}


def run(sizes: Sizes) -> list[Measured]:
    """All of these for a warehouse of `sizes.rows` reviews."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.duckdb"
        fill(path, sizes.rows)
        gigabytes = path.stat().st_size / 1e9
        asked = queries(path)
        seconds, memory = alone(_report, path)
        nights = list(_nights(path))
        copied = _seconds(lambda: shutil.copyfile(path, path.with_name("copy.duckdb")))
    size = f"{sizes.rows:,} reviews"
    slowest = max(asked, key=lambda name: asked[name])
    at_most: dict[str, Any] = {"unit": "s", "at_least": False}
    return [
        Measured(
            "warehouse",
            f"{size}, the slowest named query ({slowest}), warm",
            asked[slowest],
            bar=1,
            details=asked,
            **at_most,
        ),
        Measured("warehouse", f"{size}, the report", seconds, bar=20, **at_most),
        Measured("warehouse", f"{size}, the report's memory", memory, "MB", bar=2000, at_least=False),
        Measured("warehouse", f"{size}, a night with {NEW:,} new ones", nights[0], bar=10, **at_most),
        Measured("warehouse", f"{size}, a night with nothing new", nights[1], bar=5, **at_most),
        Measured("warehouse", f"{size}, copying its {gigabytes:.2f} GB", copied, "s"),
    ]


def fill(path: Path, reviews: int) -> None:
    """A published warehouse of synthetic reviews, as runs with the fake models leave it: the second finds all stages settled."""
    from pipeline.core import ledger
    from pipeline.core.lock import writing
    from pipeline.core.stage import make_current
    from pipeline.core.warehouse import open_work, publish
    from pipeline.stages import STAGES

    with writing(path):
        opened = open_work(path)
        opened.execute(_ROWS, {"n": reviews})
        current = {stage.name: make_current(stage, _profile(path.parent), opened) for stage in STAGES}
        for table, sql in _TABLES.items():
            values = {"f": current.get(table), "now": NOW}
            used = {name: value for name, value in values.items() if f"${name}" in sql}
            opened.execute(f"INSERT INTO store.{table} BY NAME {sql}", used)
        opened.append("runs", [ledger.row("run-1", "bench", NOW, finished_at=NOW, status="done")])
        publish(opened)
    _night(path, 10)


def queries(path: Path) -> dict[str, float]:
    """Seconds of each named query, the second time it is asked: with no value given, but for a limit of FEW where it would else
    return every review, and words to look for.
    """
    from pipeline.core import queries as named
    from pipeline.core.warehouse import open_read_only

    found = {}
    with contextlib.closing(open_read_only(path)) as warehouse:
        for query in map(named.load, named.names()):
            asked = {"limit": FEW if query.name in UNLIMITED else None, "words": "soup", "id": "00"}
            values = query.bind({name: asked.get(name) for name in query.parameters})
            ask = functools.partial(warehouse.query, query.sql, values or None)
            found[query.name] = min(_seconds(ask) for _ in range(2))
    return found


def _report(path: Path) -> None:
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import build

    with contextlib.closing(open_read_only(path)) as warehouse:
        build.write(warehouse, path.parent / "out", date(2026, 11, 1))


def _nights(path: Path) -> Iterator[float]:
    """Seconds of a run with NEW reviews, and of the same run again."""
    for _ in range(2):
        yield _seconds(lambda: _night(path, NEW))


def _night(path: Path, new: int) -> None:
    from pipeline.ingest.understanding import IngestOptions
    from pipeline.run import run as run_all

    file = path.with_name(f"new-{new}.csv")
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["text", "stars", "date", "business"])
        for number in range(new):
            writer.writerow(
                [f"The soup {number} was cold, and nobody of {new} came.", 1, "2026-10-31", f"Business {number % 9}"]
            )
    run_all([str(file)], path, _profile(path.parent), IngestOptions(), until=LAST)


def _profile(folder: Path) -> Any:
    from pipeline.core import profile

    file = folder / "fake.toml"
    file.write_text(FAKE, encoding="utf-8")
    return profile.load(str(file))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
