"""Runs the service until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import uvicorn

from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_read_only
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
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("pipeline.service").setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every malformed upload
    log.info("models are loading")
    app = create_app(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            access_log=False,  # it would log query strings; Recorder logs routes
            log_config=None,
            server_header=False,
            proxy_headers=False,  # any client could forge them
            timeout_keep_alive=10,
            timeout_graceful_shutdown=settings.grace,
            h11_max_incomplete_event_size=32 * 1024,
        )
    )
    app.state.parts.engine.analyzer.warm()  # here, a missing model is a one-line error
    log.info("serving on http://%s:%d", settings.host, settings.port)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the normal way to stop it
        asyncio.run(server.serve())
    if not server.started:
        raise InputError(f"The service could not start on {settings.host}:{settings.port}. Name another --port.")
