"""Runs the service until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_read_only
from pipeline.service import connections, limits, logs
from pipeline.service.app import create_app
from pipeline.service.settings import Settings

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C, then answers what is in flight.

    Raises InputError for an unusable warehouse, a host name with a misplaced star, and a port that is taken.
    """
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
    app = create_app(settings)
    app.state.parts.meters.watch("connections", "Open connections", door.inside.total)
    app.state.parts.engine.analyzer.warm()  # here, a missing model is a one-line error
    log.info("serving on http://%s:%d", settings.host, settings.port)
    server = server_of(app, settings)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to stop it
        run(server, listeners)
    if not server.started:
        raise InputError("The service could not start; its log says why.")


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


def run(server: uvicorn.Server, listeners: Sequence[connections.Listener]) -> None:
    """Runs until the server ends; on asyncio's loop over sockets of Python's, since `Listener` is one."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(server.serve(sockets=list(listeners)))
