"""One writer per warehouse: a lock that lasts from the first copy to the publishing.

The system holds it for the process, so that one which is killed leaves none behind. Beside a warehouse, meanwhile:

    insights.duckdb.lock      what is locked
    insights.duckdb.writer    who holds it
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.core.errors import InputError
from pipeline.core.provenance import now


@contextlib.contextmanager
def writing(path: Path, wait: float = 0) -> Iterator[None]:
    """Within it, no other process writes the warehouse at `path`. Raises InputError if one still does after `wait` seconds, naming
    it, or if the folder is missing or cannot be written.
    """
    require_place(path)
    lock = FileLock(path.with_name(path.name + ".lock"), timeout=wait)
    writer = path.with_name(path.name + ".writer")
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"Another run is writing {path}: {_named(writer)}. Wait for its end, or name another file with --warehouse."
        ) from error
    except OSError as error:
        raise InputError(
            f"--warehouse {path}: the folder cannot be written ({error.strerror}). Name a file elsewhere."
        ) from error
    try:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{now():%Y-%m-%d %H:%M:%S} UTC"}
        writer.write_text(json.dumps(holder))
        yield
    finally:
        # While it is still held: filelock starts over where a file that it has locked was removed meanwhile.
        for file in (writer, Path(lock.lock_file)):
            with contextlib.suppress(OSError):  # Windows removes no open file
                file.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def alone(folder: Path, wait: float = 60) -> Iterator[None]:
    """Within it, no other process does so in that folder. Raises InputError if one still does after `wait` seconds, OSError for a
    folder that cannot be written.
    """
    lock = FileLock(folder / ".lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"Another process writes into {folder}. Wait for its end, or name another folder.") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def require_place(path: Path) -> None:
    """Raises InputError unless a warehouse could lie there."""
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"--warehouse {path}: name a file in a folder that exists.")


def _named(writer: Path) -> str:
    try:
        holder = json.loads(writer.read_text())
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has just begun"
