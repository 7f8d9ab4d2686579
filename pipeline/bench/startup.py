"""How long a command takes before it does anything, and how long a fresh installation takes to its first insight."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.bench.measure import Measured, Sizes, medians, take_turns

_ROWS = 3  # a warehouse to ask


def run(sizes: Sizes) -> list[Measured]:
    """Seconds of `--help`, of `sql` on a small warehouse, and of a first run on the sample up to the themes. A first run after
    an installation also compiles the sources, once: a few seconds that are not in here.
    """
    with tempfile.TemporaryDirectory() as folder:
        small, first = Path(folder) / "small.duckdb", Path(folder) / "first.duckdb"
        reviews = Path(folder) / "r.csv"
        reviews.write_text("text,stars\n" + "The soup was cold.,1\n" * _ROWS, encoding="utf-8")
        _command("run", "--reviews", str(reviews), "--warehouse", str(small), "--until", "ingest", "--no-report")()
        asked = {
            "--help": _command("--help"),
            "sql": _command("sql", "--warehouse", str(small), "SELECT count(*) FROM reviews"),
        }
        insight = _command("run", "--warehouse", str(first), "--until", "themes", "--no-report")
        seconds = medians(take_turns(asked, 2 * sizes.rounds)) | medians(take_turns({"first": insight}, 1))
    imports = "importing DuckDB, PyArrow and NumPy takes most of it"
    return [
        Measured("startup", "--help", seconds["--help"], "s", 0.15, at_least=False, why=imports),
        Measured("startup", "sql", seconds["sql"], "s", 0.4, at_least=False, why=imports),
        Measured(
            "startup",
            "first insight: the 300 reviews of the sample, read and given themes",
            seconds["first"],
            "s",
            20,
            at_least=False,
            why="the pass of the encoder over 300 reviews",
        ),
    ]


def _command(*arguments: str) -> Callable[[], None]:
    def call() -> None:
        subprocess.run([sys.executable, "-m", "pipeline", *arguments], check=True, capture_output=True)

    return call
