"""Health, readiness and metrics, for operators."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from pipeline import __version__
from pipeline.service import schema
from pipeline.service.parts import ServiceParts
from pipeline.service.problems import Responses, documented

router = APIRouter(tags=["operation"])

_TEXT: Responses = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/healthz", response_model=schema.Health, responses=documented())
async def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=schema.Ready, responses=documented())
async def readyz(parts: ServiceParts) -> dict[str, Any]:
    """The models are loaded; 503 until they are, and during a shutdown."""
    if not parts.engine.ready:
        raise HTTPException(503, "The models are loading, or the service is stopping.", {"Retry-After": "5"})
    return {
        "status": "ready",
        "profile": parts.settings.profile.name,
        "version": __version__,
        "warehouse": parts.published.stamp() is not None,
    }


@router.get("/metrics", responses=documented() | _TEXT, response_class=Response)
async def metrics(parts: ServiceParts) -> Response:
    """Prometheus' text format."""
    return Response(parts.meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
