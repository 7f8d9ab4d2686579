"""Settings of a service. The defaults are safe on a laptop: loopback only, and every resource bounded."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.core.profile import Profile

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """How one service runs, and its limits."""

    warehouse: Path
    profile: Profile
    api_key: str | None  # None: everyone who reaches the port may use it
    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1  # behind the port
    hosts: tuple[str, ...] = ()  # accepted Host headers besides loopback; *.NAME: all below NAME, *: any
    proxies: tuple[str, ...] = ()  # addresses whose X-Forwarded-For is believed
    rate: float = 100.0  # requests per second and client on average, up to five times as many at once; 0: no limit
    max_connections: int = 1024  # open at once, as far as the process may open files
    max_client_connections: int = 64  # of them, from one address
    max_body: int = 256 * 1024  # bytes of a request
    max_upload: int = 32 * 1024 * 1024  # bytes of an uploaded file
    max_rows: int = 20_000  # of an uploaded file
    read_timeout: float = 120.0  # seconds to read an uploaded file
    max_text: int = 20_000  # characters of a review
    max_cost: int = 7_000  # of a review, as `cost` estimates it; what is beyond is not read
    long: int = 600  # a review that costs more waits in a queue of its own
    max_long: int = 16  # such reviews that may wait
    max_batch_cost: int = 2_500  # of the reviews that the models see at once
    workers: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))  # batches that are classified at once
    max_batch: int = 64  # reviews that the models see at once
    max_waiting: int = 1024  # reviews that may wait for the models before further ones are refused
    max_jobs: int = 20  # uploaded files that may wait
    linger: float = 0.004  # seconds to wait for concurrent requests to share a batch
    header_timeout: float = (
        10.0  # seconds for a request's headers to arrive, from the connection or from their first byte
    )
    idle_timeout: int = 10  # seconds that a connection may wait for its next request
    timeout: float = (
        30.0  # seconds for one analysis, for a body (and what `limits.PACE` adds), and for an answer to be taken
    )
    grace: int = 30  # seconds that a shutdown waits for what is in flight
    keep: float = 24 * 3600.0  # seconds that the results of an upload are kept

    @property
    def of_each(self) -> Settings:
        """Of each of the processes: they share the cores."""
        return replace(self, workers=max(1, self.workers // self.processes))

    @property
    def jobs(self) -> Path:
        """The folder of uploads and their results, from which a restarted service resumes."""
        return jobs_path(self.warehouse)


def jobs_path(warehouse: Path) -> Path:
    """The folder of uploads beside a warehouse."""
    return warehouse.with_name(warehouse.name + ".jobs")
