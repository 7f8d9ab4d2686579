"""The latest published warehouse, without a restart.

A run replaces the file atomically. Within a process DuckDB shares an open file by its path, so a new file is only seen once
the old connection is closed: hence one connection, one query at a time, and a look at the file before each use.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from starlette.exceptions import HTTPException

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, open_read_only

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]  # inode, time of the last change in nanoseconds, bytes
T = TypeVar("T")


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except InputError as error:  # its message names a local path
        log.error("%s", error)
        detail = "The warehouse cannot be read, or another version wrote it. Renew it with: review-insights run"
        raise HTTPException(503, detail) from error


class PublishedWarehouse:
    """A read-only connection to the warehouse at `path`, reopened when another one is published there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._opened: Warehouse | None = None
        self._stamp: Stamp | None = None
        self._computed: dict[Callable[[Warehouse], object], object] = {}

    def stamp(self) -> Stamp | None:
        """Identifies the published file; None if there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    @contextlib.contextmanager
    def open(self) -> Iterator[Warehouse]:
        """The latest published warehouse. Raises HTTPException: 404 if there is none, 503 if it cannot be read."""
        with self._lock, _readable():
            yield self._latest()

    def once(self, compute: Callable[[Warehouse], T]) -> T:
        """`compute(warehouse)`, cached until the next warehouse is published. Raises like `open`."""
        with self._lock, _readable():
            warehouse = self._latest()
            if compute not in self._computed:
                self._computed[compute] = compute(warehouse)
            return self._computed[compute]  # type: ignore[return-value]

    def _latest(self) -> Warehouse:
        stamp = self.stamp()
        if stamp is None:
            raise HTTPException(404, "There is no warehouse yet. Make one with: review-insights run --reviews FILE")
        if self._opened is None or stamp != self._stamp:
            self._close()
            self._opened = open_read_only(self.path)
            self._stamp = stamp
        return self._opened

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
        self._opened, self._stamp = None, None
        self._computed.clear()

    def close(self) -> None:
        """Closes the connection, if it is open."""
        with self._lock:
            self._close()
