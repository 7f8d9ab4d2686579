"""make chaos: tries to lose something, and prints a table of what was tried, what survived and what was lost.

    python -m tests.chaos [--only PART] [--small]

Each loss is printed with its seed. Exit 1 if anything was lost or a part is not there.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.world import Survey

_LINE = "{:<16} {:>8} {:>9} {:>6} {:>7}  {}"


class NotThere(Exception):
    """A part whose module or function is missing: it counts as lost."""


@dataclass(frozen=True)
class Part:
    """A part of the table. `bar`: what must survive; `survey`: small or not, in an empty folder."""

    name: str
    bar: str
    survey: Callable[[Path, bool], Survey]


def _kills(folder: Path, small: bool) -> Survey:
    from tests.chaos import kills

    return kills.survey(folder, 10 if small else 200)


def _races(folder: Path, small: bool) -> Survey:
    from tests.chaos import races

    return races.survey(folder, 5 if small else 50)


def _disks(folder: Path, small: bool) -> Survey:
    from tests.chaos import disks

    return disks.survey(folder, 3 if small else 20)


def _damage(folder: Path, small: bool) -> Survey:
    from tests.chaos import damage

    return damage.survey(folder, 1 if small else 8)


def _exits(folder: Path, small: bool) -> Survey:
    from tests.chaos import exits

    return exits.survey(folder, 1 if small else 20)


def _of(
    module: str, function: str, full: tuple[int, ...] = (), small: tuple[int, ...] = ()
) -> Callable[[Path, bool], Survey]:
    """A survey of another room's tests, which returns (tried, survived, lost): their number or one line for each."""

    def survey(folder: Path, is_small: bool) -> Survey:
        try:
            run = getattr(importlib.import_module(module), function)
        except (ModuleNotFoundError, AttributeError) as error:
            raise NotThere(f"{module}.{function}: {error}") from error
        tried, survived, lost = run(*(small if is_small else full))
        lines = [str(one) for one in lost] if isinstance(lost, list | tuple) else [f"{lost} of {module}"] * bool(lost)
        if tried - survived and not lines:
            lines = [f"{tried - survived} of {module}"]
        return Survey(tried, lines, tried - survived)

    return survey


PARTS = (
    Part("kills", "kill -9 anywhere, then the same command: equal tables, no leftovers", _kills),
    Part("races", "two writers at once: one wins or they follow each other, readers see whole runs", _races),
    Part("full disks", "one clear line, the published file unharmed; with room again, equal tables", _disks),
    Part("damaged files", "cut off or flipped: one clear line, or a result", _damage),
    Part("exits", "each command, again and again: the same exit code", _exits),
    Part("servers", "each hostile answer of a model server: a row with its error, or one clear line", _of("tests.backends.hostile_server", "survey")),
    Part("inputs", "generated files: rows add up, or one clear line", _of("tests.ingest.hostile_inputs", "survey", (10_000,), (200,))),
    Part("requests", "load and abuse on loopback: answered or refused, and the service lives", _of("tests.service.abuse", "run", (100_000,), (500,))),
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs the parts and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Tries to lose something.")
    parser.add_argument("--only", metavar="PART", choices=[part.name for part in PARTS], action="append")
    parser.add_argument("--small", action="store_true", help="a few of each, as in the tests")
    args = parser.parse_args(arguments)
    print(_LINE.format("part", "tried", "survived", "lost", "seconds", "what must hold"), flush=True)
    lost = 0
    for part in PARTS:
        if not args.only or part.name in args.only:
            lost += _one(part, args.small)
    print("nothing was lost" if not lost else f"{lost} lost")
    return 1 if lost else 0


def _one(part: Part, small: bool) -> int:
    """Runs a part and prints its line; returns how much was lost: at least 1 if it could not be run."""
    from tests.chaos.disks import CannotMount

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        try:
            found = part.survey(Path(folder), small)
        except CannotMount as error:
            print(_LINE.format(part.name, "skipped", "-", "-", "-", f"no tmpfs can be mounted: {error}"), flush=True)
            return 0
        except NotThere as error:
            print(_LINE.format(part.name, "-", "-", "-", "-", f"not there: {error}"), flush=True)
            return 1
    seconds = f"{time.monotonic() - began:.0f}"
    print(
        _LINE.format(part.name, found.tried, found.survived, found.tried - found.survived, seconds, part.bar),
        flush=True,
    )
    for one in found.lost:
        print(f"    lost: {one}", flush=True)
    return found.tried - found.survived


if __name__ == "__main__":
    sys.exit(main())
