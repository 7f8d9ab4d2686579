"""The parts of a service that the routes and the middleware share."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pipeline.service.engine import Engine
from pipeline.service.jobs import Jobs
from pipeline.service.limits import TokenBuckets
from pipeline.service.meters import Meters
from pipeline.service.published import PublishedWarehouse
from pipeline.service.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The parts of one service. Routes get them as `ServiceParts`."""

    settings: Settings
    meters: Meters
    engine: Engine
    jobs: Jobs
    published: PublishedWarehouse
    requests: TokenBuckets  # of each client
    wrong_keys: TokenBuckets  # of each client: ten a minute

    @classmethod
    def of(cls, settings: Settings) -> Parts:
        """Builds the parts for these settings; loads no model."""
        meters = Meters()
        engine = Engine(settings, meters)
        parts = cls(
            settings,
            meters,
            engine,
            Jobs(settings, engine),
            PublishedWarehouse(settings.warehouse),
            requests=TokenBuckets(settings.rate, 5 * settings.rate),
            wrong_keys=TokenBuckets(10 / 60, 10),
        )
        parts._watch()
        return parts

    def _watch(self) -> None:
        """Adds the gauges that depend on other parts."""
        engine, watch = self.engine, self.meters.watch
        watch(
            "waiting_reviews", "Reviews waiting for the models", lambda: sum(queue.waiting for queue in engine.queues)
        )
        for state in ("queued", "running", "done", "failed"):
            watch(f"jobs_{state}", f"Uploaded files that are {state}", functools.partial(self.jobs.count, state))
        watch(
            "warehouse_published_seconds",
            "Unix time of the published warehouse; 0: there is none",
            lambda: (self.published.stamp() or (0, 0, 0))[1] / 1e9,
        )

    async def start(self) -> None:
        """Loads the models and resumes the files that an earlier service left unfinished."""
        await self.engine.start()
        self.jobs.start()

    async def close(self) -> None:
        """Returns once what is in flight has its result."""
        await self.jobs.close()
        await self.engine.close()
        self.published.close()


async def of_request(request: Request) -> Parts:  # async: FastAPI would run a plain function in a thread
    """The parts of the service that a request reached."""
    parts: Parts = request.app.state.parts
    return parts


ServiceParts = Annotated[Parts, Depends(of_request)]
