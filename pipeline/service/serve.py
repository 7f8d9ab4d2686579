"""Runs the service until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import os
import tempfile
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from pipeline.backends import registry
from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_read_only
from pipeline.service import connections, limits, logs, processes
from pipeline.service.app import create_app
from pipeline.service.engine import has_large_model
from pipeline.service.meters import SHARED
from pipeline.service.settings import Settings

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C, then answers what is in flight.

    Raises InputError for an unusable warehouse, a host name with a misplaced star, a port that is taken, and several processes
    where they cannot be.
    """
    if settings.processes > 1:
        _require_shareable(settings)
    for name in settings.hosts:
        if name != "*" and "*" in name.removeprefix("*."):
            raise InputError(f"--allow-host {name}: write a name, *.NAME for all names below it, or * for any.")
    if not settings.warehouse.parent.is_dir() or settings.warehouse.is_dir():
        raise InputError(f"--warehouse {settings.warehouse}: name a file in a folder that exists.")
    if settings.warehouse.exists():
        open_read_only(settings.warehouse).close()
    logs.configure()
    door = connections.Door(
        connections.room_for(settings.max_connections), settings.max_client_connections, settings.proxies
    )
    listeners = connections.listen(settings.host, settings.port, door)
    log.info("models are loading")
    if settings.processes > 1:
        _serve_in_processes(settings, listeners)
    elif not _serve_here(settings, listeners):
        raise InputError("The service could not start; its log says why.")


def _serve_here(settings: Settings, listeners: Sequence[connections.Listener], parent: int | None = None) -> bool:
    """Serves in this process; whether it could."""
    app = create_app(settings)
    app.state.parts.meters.watch("connections", "Open connections", listeners[0].door.inside.total)
    app.state.parts.engine.analyzer.warm()  # here, a missing model is a one-line error
    log.info("serving on http://%s:%d", settings.host, settings.port)
    server = server_of(app, settings)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to stop it
        run(server, listeners, parent)
    return server.started


def _require_shareable(settings: Settings) -> None:
    processes.require_fork()
    if has_large_model(settings.profile):
        raise InputError(
            "serve: a model of this profile needs all cores, or the GPU, for itself. Leave out --processes."
        )


def _serve_in_processes(settings: Settings, listeners: Sequence[connections.Listener]) -> None:
    import torch

    torch.set_num_threads(1)  # a pool of threads would not be there after the fork
    registry.reader(settings.profile.reader).load()
    for listener in listeners:
        listener.shared = True
    gc.collect()
    gc.freeze()  # a collection would write to what is shared
    with tempfile.TemporaryDirectory(prefix="review-insights-") as folder:
        os.environ[SHARED] = folder  # before the metrics are imported
        started = functools.partial(_serve_here, settings.of_each, listeners)
        processes.supervise(settings.processes, lambda parent: 0 if started(parent) else processes.COULD_NOT_START)


def server_of(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """uvicorn, with limits that hold."""
    protocol = functools.partial(
        connections.Protocol, header_timeout=settings.header_timeout, write_timeout=settings.timeout
    )
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=protocol,  # type: ignore[arg-type]  # it is called like the class
            ws="none",
            h11_max_incomplete_event_size=limits.MAX_HEADERS,
            access_log=False,  # it would log query strings; Recorder logs routes
            log_config=None,
            server_header=False,
            proxy_headers=bool(settings.proxies),  # any client could forge them
            forwarded_allow_ips=list(settings.proxies),
            timeout_keep_alive=settings.idle_timeout,
            timeout_graceful_shutdown=settings.grace,
        )
    )


def run(server: uvicorn.Server, listeners: Sequence[connections.Listener], parent: int | None = None) -> None:
    """Runs until the server ends, or `parent` can be read; on asyncio's loop over sockets of Python's, since `Listener` is one."""

    async def serving() -> None:
        loop = asyncio.get_running_loop()

        def orphaned(parent: int) -> None:
            loop.remove_reader(parent)
            server.should_exit = True

        if parent is not None:
            loop.add_reader(parent, orphaned, parent)
        await server.serve(sockets=list(listeners))

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(serving())
