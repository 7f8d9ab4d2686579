"""Benchmarks ingest against the least that it could do: DuckDB's own CSV reader, and the detection of languages.

Each runs in a process of its own, one after the other on the same rows, so that its peak of memory is its own too.
"""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path
from typing import Any

from pipeline.bench.measure import Measured, Sizes, alone, sample
from pipeline.core.errors import InputError

_BATCH = 5000
_WORDS = (5, 50)  # in a review


def run(sizes: Sizes) -> list[Measured]:
    """How many times as long it takes as both of these, and its peak of memory. Raises InputError without rows."""
    result = ingest(sizes.rows)
    return [
        Measured("ingest", "beside read_csv and detection", result["ratio"], bar=3, at_least=False, details=result),
        Measured("ingest", f"memory, {sizes.rows:,} rows", result["memory"]["ingest"], "MB", bar=1500, at_least=False),
    ]


def ingest(rows: int) -> dict[str, Any]:
    """Both on a CSV file of `rows` made-up reviews: rows, megabytes of the file, seconds and megabytes (peak memory) of each,
    and their ratio. Raises InputError without rows.
    """
    if rows < 1:
        raise InputError("--rows: give a number of rows, 1 or more")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "reviews.csv"
        write_reviews(file, rows)
        methods = {"ingest": _ingest, "read_csv and detection": _plain}
        measured = {name: alone(method, file) for name, method in methods.items()}
        size = file.stat().st_size
    seconds = {name: value[0] for name, value in measured.items()}
    return {
        "rows": rows,
        "megabytes": size / 1e6,
        "seconds": seconds,
        "memory": {name: value[1] for name, value in measured.items()},
        "ratio": seconds["ingest"] / seconds["read_csv and detection"],
    }


def write_reviews(file: Path, rows: int) -> None:
    """A CSV file as a platform exports it, its texts pieces of the sample's; the same for every call."""
    words = [word for row in sample() for word in row["review"].split()]
    choice = random.Random(0)
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["review_id", "date", "rating", "business", "country", "author", "review"])
        for number in range(rows):
            start, length = choice.randrange(len(words) - _WORDS[1]), choice.randint(*_WORDS)
            moment = f"2026-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:00"
            whose = (f"Shop {number % 50}", ("DE", "US", "FR")[number % 3], f"Person {number % (rows // 5 + 1)}")
            text = " ".join(words[start : start + length])
            writer.writerow([f"review-{number:09}", moment, choice.randint(1, 5), *whose, text])


def _ingest(file: Path) -> None:
    from pipeline.core.provenance import now
    from pipeline.core.warehouse import open_work, publish
    from pipeline.ingest.load import ingest
    from pipeline.ingest.understanding import IngestOptions

    warehouse = open_work(file.with_name("bench.duckdb"))
    ingest(warehouse, [str(file)], IngestOptions(), "bench", now())
    publish(warehouse)


def _plain(file: Path) -> None:
    from pipeline.core.warehouse import open_memory
    from pipeline.text.language import detect_languages

    warehouse = open_memory()
    warehouse.execute("CREATE TEMP TABLE plain AS FROM read_csv(?)", [str(file)])
    count = warehouse.value("SELECT count(*) FROM plain")
    for start in range(0, count, _BATCH):
        batch = warehouse.query("SELECT review FROM plain WHERE rowid >= ? AND rowid < ?", [start, start + _BATCH])
        detect_languages([row["review"] for row in batch])
