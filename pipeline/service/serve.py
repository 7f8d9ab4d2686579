"""Runs the service until it is told to stop."""

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
    """Answers requests. SIGTERM and Ctrl-C end it once what is in flight is answered.

    Raises InputError for a warehouse that is none, a host name with a star inside it, and a port that is taken.
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
            access_log=False,  # it would log query strings; ours logs routes
            log_config=None,
            server_header=False,
            proxy_headers=False,  # whoever connects could write them
            timeout_keep_alive=10,
            timeout_graceful_shutdown=settings.grace,
            h11_max_incomplete_event_size=32 * 1024,
        )
    )
    app.state.parts.engine.analyzer.warm()  # a model that is missing is one line, not a failed start of a server
    log.info("serving on http://%s:%d", settings.host, settings.port)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
        asyncio.run(server.serve())
    if not server.started:
        raise InputError(f"The service could not start on {settings.host}:{settings.port}. Name another --port.")
