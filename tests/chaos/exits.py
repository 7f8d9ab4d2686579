"""Every command that ends by itself, many times in a new interpreter each: its exit code is the same each time, and nothing
aborts while the interpreter shuts down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos import world
from tests.chaos.world import WAREHOUSE, Survey, command, fresh, run_command

_HERE = ("--warehouse", WAREHOUSE)
COMMANDS: Mapping[str, tuple[Sequence[str], int]] = {
    "sql": (["sql", "SELECT * FROM insights", *_HERE], 0),
    "sql, named": (["sql", "@top_pain_points", *_HERE], 0),
    "sql, refused": (["sql", "SELECT nonsense", *_HERE], 2),
    "sql, too slow": (["sql", "SELECT count(*) FROM range(100000000) a, range(1000) b", "--seconds", "0.2", *_HERE], 2),
    "sources": (["sources", *_HERE], 0),
    "report": (["report", "--out", "out", *_HERE], 0),
    "check, without a baseline": (["check", "--profile", "fake.toml", "--baselines", "none", *_HERE], 2),
    "forget, unknown": (["forget", "--source", "nothing", "--yes", *_HERE], 2),
    "run, of nothing new": (run_command(["a.csv"], "--until", "feedback", "--no-report"), 0),
    "run, of what is not there": (run_command(["nothing.csv"]), 2),
    "bad usage": (["run", "--nonsense"], 2),
}


def survey(folder: Path, times: int = 20, commands: Mapping[str, tuple[Sequence[str], int]] = COMMANDS) -> Survey:
    """Runs each of the commands `times` times."""
    base = world.build(folder / "base", count=6, student=False)
    world.warm(base)
    command(base, run_command(["a.csv"], "--until", "feedback", "--no-report"))
    result = Survey()
    for name, (arguments, code) in commands.items():
        for number in range(times):
            ended = fresh(base, arguments)
            fault = f"it ended with {ended.code}, not {code}: {ended.err[-300:]}"
            result.add(f"{name}, {number}", [] if ended.code == code and "Traceback" not in ended.err else [fault])
    return result
