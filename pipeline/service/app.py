"""Assembles the service: its parts, the middleware, the routes, and the OpenAPI document.

review-insights serve --no-auth                     http://127.0.0.1:8000
REVIEW_INSIGHTS_API_KEY=... review-insights serve   every request needs X-API-Key
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware

from pipeline import __version__
from pipeline.core.assets import PACKAGE
from pipeline.service import problems
from pipeline.service.access import TrustedHosts
from pipeline.service.guard import Guard
from pipeline.service.parts import Parts
from pipeline.service.recorder import Recorder
from pipeline.service.routes import analysis, files, operation, page, votes, warehouse
from pipeline.service.settings import Settings

ROUTERS = [module.router for module in (analysis, files, warehouse, votes, operation, page)]


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application. Models load at startup."""
    parts = Parts.of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await parts.start()
        yield
        await parts.close()

    app = FastAPI(
        title="Review Insights",
        version=__version__,
        description="What a review complains about, the words that prove it, and what to do about it.",
        lifespan=lifespan,
        docs_url=None,  # these pages fetch their scripts from a CDN
        redoc_url=None,
        exception_handlers=problems.HANDLERS,
        middleware=[  # outermost first
            Middleware(Recorder, parts.meters),
            Middleware(TrustedHosts, settings),
            Middleware(Guard, parts),
        ],
    )
    app.state.parts = parts
    app.mount("/static", StaticFiles(directory=PACKAGE / "service" / "static"), name="static")
    for router in ROUTERS:
        app.include_router(router)
    _complete_openapi(app, settings)
    return app


def _complete_openapi(app: FastAPI, settings: Settings) -> None:
    """Adds the schema of problems and the security schemes, which FastAPI does not derive from the routes."""
    document = app.openapi()
    components = document["components"]
    for model in (problems.Problem, problems.Fault):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        components["schemas"][model.__name__] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    if settings.api_key is not None:
        components["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        document["security"] = [{"key": []}, {"bearer": []}]
    app.openapi_schema = document
