"""Two writers of one warehouse at once, while readers look on; in some of the races one of the writers is killed."""

from __future__ import annotations

import contextlib
import random
import re
import time
from pathlib import Path

from pipeline.core.warehouse import open_read_only
from tests.chaos import world
from tests.chaos.world import WAREHOUSE, Process, Survey, command, copied, run_command

_HOLDER = re.compile(r"Another run is writing \S+: (process \d+ on \S+, since |a process that has just begun)")
_KILLED = 5  # in each of how many races one writer is killed
_QUICK = ("--until", "sentiment", "--no-report")


def survey(folder: Path, races: int = 50, seed: int = 0) -> Survey:
    """Each race starts from a published warehouse that holds one source, and each writer brings another."""
    base = world.build(folder / "base", count=6, student=False)
    world.warm(base)
    world.command(base, run_command(["b.jsonl"], *_QUICK))
    chance = random.Random(f"{seed} races")
    plans = [(chance.uniform(0, 0.6), chance.uniform(0, 1.5)) for _ in range(races)]
    result = Survey()
    for number, faults in enumerate(world.spread(lambda number: _race(base, folder, number, *plans[number]), races)):
        result.add(f"race {number} of seed {seed}", faults)
    return result


def _race(base: Path, folder: Path, number: int, later: float, kill: float) -> list[str]:
    faults = []
    with copied(base, folder / f"race-{number}") as place:
        writers = {"a.csv": Process(place, run_command(["a.csv"], *_QUICK))}
        faults += _look(place, later)
        writers["c.csv"] = Process(place, run_command(["c.csv"], *_QUICK))
        if number % _KILLED == 0:
            ended = {"a.csv": writers["a.csv"].kill_after(kill)}
        else:
            faults += _look(place, 0.5)
            ended = {"a.csv": writers["a.csv"].wait()}
        ended["c.csv"] = writers["c.csv"].wait()
        for source, end in ended.items():
            if end.code == 2 and not (end.is_clear and _HOLDER.search(" ".join(end.err.split()))):
                faults.append(f"{source} was refused, but not as a second writer: {end.err[-300:]}")
            elif end.code not in (0, 2, -9):
                faults.append(f"{source} ended with {end.code}: {end.err[-300:]}")
        done = {source for source, end in ended.items() if end.code == 0}
        if not done and all(end.code == 2 for end in ended.values()):
            faults.append("neither of them won")
        if lost := done - _sources(place):
            faults.append(f"a run ended with 0, but its rows are missing: {', '.join(sorted(lost))}")
        last = command(place, run_command(["a.csv", "c.csv"], *_QUICK))
        if last.code or _sources(place) != {"a.csv", "b.jsonl", "c.csv"}:
            faults.append(f"a third run ended with {last.code}: {last.err[-300:]}")
        if left := [
            name for name in world.files(place) if name.startswith(f"{WAREHOUSE}.") and not name.endswith(".salt")
        ]:
            faults.append(f"left behind: {', '.join(left)}")
    return faults


def _look(place: Path, seconds: float) -> list[str]:
    """Reads the published warehouse again and again: every reading must see whole runs."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            with contextlib.closing(open_read_only(place / WAREHOUSE)) as warehouse:
                half = warehouse.value("SELECT count(*) FROM reviews ANTI JOIN sentiment USING (review_id)")
        except Exception as error:
            return [f"a reader failed: {error}"]
        if half:
            return [f"a reader saw {half} reviews of a run that had not ended"]
    return []


def _sources(place: Path) -> set[str]:
    with contextlib.closing(open_read_only(place / WAREHOUSE)) as warehouse:
        return {row["source"] for row in warehouse.query("SELECT DISTINCT source FROM reviews")}
