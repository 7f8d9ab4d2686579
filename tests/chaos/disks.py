"""A disk that is full after so many bytes: a small tmpfs, which needs the right to mount one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.chaos import canonical, world
from tests.chaos.world import WAREHOUSE, Survey, command, copied, run_command

_ROOM = "512m"
_PAGE = 4096


class CannotMount(Exception):
    """This process may not mount a tmpfs; a limit on file sizes would be another error than a full disk, and is no substitute."""


def survey(folder: Path, points: int = 20, student: bool = True) -> Survey:
    """Runs on a published warehouse, the disk full after 0 to as many bytes as an undisturbed run adds, in equal steps."""
    base = world.build(folder / "base", student=student)
    world.warm(base)
    command(base, run_command(["a.csv", "b.jsonl"]))
    before = canonical.export(base / WAREHOUSE)
    arguments = run_command(["a.csv", "b.jsonl", "c.csv"])
    with _disk(folder / "disk") as disk, copied(base, disk / "w") as place:
        used = _used(disk)
        highest = _peak(disk, place, arguments)
        wanted = canonical.export(place / WAREHOUSE)
    result = Survey()
    for number in range(points):
        room = used + (highest - used) * number // points // _PAGE * _PAGE
        with _disk(folder / "disk") as disk, copied(base, disk / "w") as place:
            _resize(disk, str(room))
            full = command(place, arguments)
            faults = []
            if full.code == 2 and not full.is_clear:
                faults.append(f"more than one line: {full.err[-400:]}")
            elif full.code not in (0, 1, 2) or "Traceback" in full.err:
                faults.append(f"it ended with {full.code}: {full.err[-400:]}")
            if canonical.export(place / WAREHOUSE) not in (before, wanted):
                faults.append("the published file is neither as before nor as after")
            _resize(disk, _ROOM)
            again = command(place, arguments)
            if again.code not in (0, 1):
                faults.append(f"with room again it ended with {again.code}: {again.err[-300:]}")
            elif difference := canonical.first_difference(wanted, canonical.export(place / WAREHOUSE)):
                faults.append(f"with room again: {difference}")
        result.add(f"disk full after {room - used} of {highest - used} bytes", faults)
    return result


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[Path]:
    """A tmpfs. Raises CannotMount."""
    path.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(path))
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def _resize(disk: Path, size: str) -> None:
    _mount("-o", f"remount,size={size}", str(disk))


def _mount(*arguments: str) -> None:
    if not shutil.which("mount"):
        raise CannotMount("there is no mount here")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise CannotMount(done.stderr.strip())


def _used(disk: Path) -> int:
    stats = os.statvfs(disk)
    return (stats.f_blocks - stats.f_bfree) * stats.f_frsize


def _peak(disk: Path, place: Path, arguments: list[str]) -> int:
    """The most bytes that are in use during a run."""
    process = world.Process(place, arguments)
    most = 0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        most = max(most, _used(disk))
        os.sched_yield()
    ended = process.wait()
    if ended.code not in (0, 1):
        raise AssertionError(f"the undisturbed run ended with {ended.code}: {ended.err}")
    return most
