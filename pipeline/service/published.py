"""The published warehouse, always the latest one, without a restart.

A run replaces the file in one step. DuckDB shares an open file by its path within a process, so a new file is only seen
once the old connection is closed: one connection, one reader at a time, and a look at the file before each use.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, open_read_only
from pipeline.service.limits import log

Stamp = tuple[int, int, int]


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except InputError as error:  # its message names a path of this machine
        log.error("%s", error)
        detail = "The warehouse cannot be read, or another version wrote it. Renew it with: review-insights run"
        raise HTTPException(503, detail) from error


class Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: Warehouse | None = None
        self._stamp: Stamp | None = None
        self._remembered: dict[str, Any] = {}

    def stamp(self) -> Stamp | None:
        """What tells one published file from the next; None where there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    @contextlib.contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """The latest published warehouse. HTTP error 503 where it cannot be read."""
        with self._lock, _readable():
            yield self._latest()

    def remembered(self, name: str, compute: Callable[[Warehouse], Any]) -> Any:
        """`compute` of the latest warehouse: once per published file."""
        with self._lock, _readable():
            warehouse = self._latest()
            if name not in self._remembered:
                self._remembered[name] = compute(warehouse)
            return self._remembered[name]

    def _latest(self) -> Warehouse:
        stamp = self.stamp()
        if self._open is None or stamp != self._stamp:
            self._close()
            self._open = open_read_only(self.path)
            self._stamp = stamp
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open, self._stamp = None, None
        self._remembered.clear()

    def close(self) -> None:
        with self._lock:
            self._close()
