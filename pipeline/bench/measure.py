"""What a part of the benchmark measures, and how: methods take turns, and their medians are compared."""

from __future__ import annotations

import csv
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core.assets import SAMPLE
from pipeline.tuning.memory import kibibytes


@dataclass(frozen=True)
class Sizes:
    """How much is measured. `limit`: texts or pairs, 0 for all; `rounds`: of each method; `rows`: of the file to ingest, and of
    the warehouse; `data`: a CSV file of text pairs, None for the sample; `requests`: to each way to serve, in a round.
    """

    limit: int = 200
    rounds: int = 3
    rows: int = 5000
    data: Path | None = None
    requests: int = 40


@dataclass(frozen=True)
class Measured:
    """One figure beside its bar. `unit`: "times" for a ratio measured side by side in this run, else seconds, MB, ...

    `at_least`: whether more is better. `bar` is None where nothing is asked. `why`: what limits it and what would lift it,
    where it falls short. `details`: the numbers behind it, of JSON's types.
    """

    part: str
    name: str
    value: float
    unit: str = "times"
    bar: float | None = None
    at_least: bool = True
    why: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether the bar is; None without one."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def sample() -> list[dict[str, str]]:
    """The rows of the bundled sample that have a text (`review`)."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["review"].strip()]


def take_turns(
    methods: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each round per method. They take turns, since a shared machine slows down at times."""
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, method in methods.items():
            start = clock()
            method()
            seconds[name].append(clock() - start)
    return seconds


def medians(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median round of each method."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def speedup(slow: Sequence[float], fast: Sequence[float]) -> float:
    """The median over the rounds of how many times as fast the second method is."""
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))


def alone(work: Callable[[Path], object], path: Path) -> tuple[float, float]:
    """Seconds of work in a process of its own, and that process's peak of memory in megabytes (0 where the system does not tell).
    `work` is a function of a module.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured, work, path).result()


def _measured(work: Callable[[Path], object], path: Path) -> tuple[float, float]:
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start, _peak()


def _peak() -> float:
    """Megabytes. Linux's getrusage would tell that of the process that started this one, if it was larger."""
    if sys.platform == "linux":
        return kibibytes("VmHWM") * 1024 / 1e6
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def as_table(measured: Sequence[Measured]) -> str:
    """A line per figure, with its bar; below, why those that fall short do."""
    rows = [("part", "what", "figure", "bar", "")]
    for one in measured:
        bar = "" if one.bar is None else f"{'≥' if one.at_least else '≤'} {one.bar:g}"
        said = {None: "", True: "reached", False: "falls short"}[one.reached]
        rows.append((one.part, one.name, f"{one.value:,.3g} {one.unit}", bar, said))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    short = [one for one in measured if one.reached is False and one.why]
    return "\n".join([*lines, *(f"{one.part}, {one.name}: {one.why}" for one in short)])
