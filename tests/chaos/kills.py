"""`kill -9` at any moment of whatever writes; the same command again must end as if nothing had happened.

Half of the kills come at a step (the n-th commit, replacement, removal or file that is opened to be written: before it or
after it), which is the same each time; half at a random moment of a measured duration.
"""

from __future__ import annotations

import builtins
import io
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos import canonical, world
from tests.chaos.world import WAREHOUSE, Survey, command, copied, run_command


@dataclass(frozen=True)
class Scene:
    """A command on a folder that was prepared. `share`: of the kills. `next`: what comes after it on any other day, and writes
    the report that a `forget` whose warehouse was published already does not write again.
    """

    name: str
    prepared: Sequence[Sequence[str]]  # commands that run before
    arguments: Sequence[str]
    share: int
    next: Sequence[str] = ()


_ALL = ("a.csv", "b.jsonl", "c.csv")
_SOME = run_command(_ALL[:2])
_REPORT = ["report", "--warehouse", WAREHOUSE, "--out", "out"]
SCENES = (
    Scene("first run", (), run_command(_ALL), 8),
    Scene("next run", (_SOME,), run_command(_ALL), 4),
    Scene("nightly", (_SOME,), run_command(_ALL, name="nightly"), 3),
    Scene("report", (_SOME,), _REPORT, 2),
    Scene(
        "forget",
        (_SOME,),
        ["forget", "--source", "a.csv", "--yes", "--warehouse", WAREHOUSE, "--out", "out"],
        3,
        _REPORT,
    ),
)


def survey(
    folder: Path, kills: int = 200, seed: int = 0, scenes: Sequence[Scene] = SCENES, student: bool = True
) -> Survey:
    """Kills the commands of the scenes in proportion to their shares."""
    result = Survey()
    base = world.build(folder / "base", student=student)
    world.warm(base)
    total = sum(scene.share for scene in scenes)
    for scene in scenes:
        _of_scene(scene, base, folder, max(2, kills * scene.share // total), seed, result)
    return result


def _of_scene(scene: Scene, base: Path, folder: Path, kills: int, seed: int, result: Survey) -> None:
    start = folder / "start"
    with copied(base, start):
        for arguments in scene.prepared:
            _must_end(start, arguments)
        before = canonical.export(start / WAREHOUSE) if (start / WAREHOUSE).exists() else None
        with copied(start, folder / "whole") as whole:
            began = time.monotonic()
            steps, code = _steps(whole, scene.arguments)
            duration = time.monotonic() - began
            if scene.next:
                _must_end(whole, scene.next)
            wanted, files = canonical.export(whole / WAREHOUSE), world.files(whole)
        chance = random.Random(f"{seed} {scene.name}")
        moments = [
            chance.uniform(0, duration) if number % 2 else chance.randrange(2 * steps) for number in range(kills)
        ]

        def one(number: int) -> list[str]:
            at = moments[number]
            with copied(start, folder / f"killed-{number}") as killed:
                if isinstance(at, int):
                    ended = command(killed, scene.arguments, lambda: _kill_at(at))
                else:
                    ended = world.Process(killed, scene.arguments).kill_after(at)
                return _faults(killed, scene, ended, code, before, wanted, files)

        for number, faults in enumerate(world.spread(one, kills)):
            at = moments[number]
            when = (
                f"{at:.3f} s"
                if isinstance(at, float)
                else f"{'after' if at % 2 else 'before'} step {at // 2} of {steps}"
            )
            result.add(f"{scene.name}, kill {number} of {kills}, seed {seed}: {when}", faults)


def _faults(
    killed: Path, scene: Scene, ended: world.Ended, code: int, before: str | None, wanted: str, files: list[str]
) -> list[str]:
    """What is not as it should be after the kill, and after the same command again."""
    if ended.code not in (code, -signal.SIGKILL):
        return [f"it ended with {ended.code} before it was killed: {ended.err[-300:]}"]
    published = canonical.export(killed / WAREHOUSE) if (killed / WAREHOUSE).exists() else None
    if published not in (before, wanted):
        return [
            f"the published file is neither as before nor as after: {canonical.first_difference(wanted, published or '')}"
        ]
    again = command(killed, scene.arguments)
    is_done = scene.name == "forget" and published == wanted  # then there is nothing left to forget
    if again.code not in (0, code) and not (is_done and again.is_clear):
        return [f"again: it ended with {again.code}: {again.err[-300:]}"]
    if scene.next:
        _must_end(killed, scene.next)
    faults = []
    if difference := canonical.first_difference(wanted, canonical.export(killed / WAREHOUSE)):
        faults.append(difference)
    if left := set(world.files(killed)) ^ set(files):
        faults.append(f"files: {', '.join(sorted(left)[:4])}")
    return faults


def _must_end(folder: Path, arguments: Sequence[str]) -> None:
    ended = command(folder, arguments)
    if ended.code not in (0, 1):
        raise AssertionError(f"{' '.join(arguments)} ended with {ended.code}: {ended.err}")


# --- Steps ---


def _steps(folder: Path, arguments: Sequence[str]) -> tuple[int, int]:
    """How many steps a whole run takes, and the code with which it ends: 1 where the tiny student wrote nothing of use."""
    counted = folder.with_name("steps")

    def hook() -> None:
        numbers = _on_each_step(lambda number, is_done: None)
        exit = os._exit

        def leave(code: int) -> None:
            counted.write_text(str(numbers[0]))
            exit(code)

        os._exit = leave  # type: ignore[assignment]

    ended = command(folder, arguments, hook)
    if ended.code not in (0, 1):
        raise AssertionError(f"{' '.join(arguments)} ended with {ended.code}: {ended.err}")
    steps = int(counted.read_text())
    counted.unlink()
    return steps, ended.code


def _kill_at(at: int) -> None:
    """Makes this process kill itself before (even) or after (odd) the step at // 2."""

    def kill(number: int, is_done: bool) -> None:
        if 2 * number + is_done == at:
            os.kill(os.getpid(), signal.SIGKILL)

    _on_each_step(kill)


def _on_each_step(call: Callable[[int, bool], None]) -> list[int]:
    """Calls `call(number, is_done)` before and after each step of this process; returns a list with their number so far."""
    from pipeline.core.warehouse import Warehouse

    numbers = [0]

    def watched(function: Callable[..., Any], counts: Callable[..., bool] = lambda *values, **more: True) -> Any:
        def step(*values: Any, **more: Any) -> Any:
            if not counts(*values, **more):
                return function(*values, **more)
            number, numbers[0] = numbers[0], numbers[0] + 1
            call(number, False)
            result = function(*values, **more)
            call(number, True)
            return result

        return step

    def writes(file: Any, mode: str = "r", *values: Any, **more: Any) -> bool:
        return any(letter in mode for letter in "wax+")

    for module, name in (
        (os, "replace"),
        (os, "unlink"),
        (os, "mkdir"),
        (os, "fsync"),
        (shutil, "copyfile"),
        (shutil, "rmtree"),
    ):
        setattr(module, name, watched(getattr(module, name)))
    for module in (builtins, io):
        module.open = watched(io.open if module is io else builtins.open, writes)
    for name in ("execute", "append", "close"):
        setattr(Warehouse, name, watched(getattr(Warehouse, name)))
    return numbers
