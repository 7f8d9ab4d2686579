"""Errors as problem details (RFC 9457): type, title, status and detail, but never the client's input or a stack trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from pipeline.core.errors import BackendDown, InputError

log = logging.getLogger(__name__)

Responses = dict[int | str, dict[str, Any]]  # of a route, for the OpenAPI document

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    pointer: str = Field(description="Where in the request, such as /body/stars.")
    detail: str


class Problem(BaseModel):
    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[Fault] = []


def problem(
    status: int, detail: str = "", errors: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """An answer with problem details."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors))
    return Response(body.model_dump_json(), status, dict(headers or {}), MEDIA_TYPE)


def documented(*statuses: int) -> Responses:
    """For a route's `responses`: these statuses, and those any route may answer with, as problem details."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: schema}}
        for status in sorted({*statuses, 401, 403, 429, 503})
    }


async def from_http(request: Request, error: Exception) -> Response:
    """Handles HTTPException."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def from_validation(request: Request, error: Exception) -> Response:
    """Handles a request that does not match its schema; at most 20 faults are listed."""
    assert isinstance(error, RequestValidationError)
    faults = [Fault(pointer=_pointer(item["loc"]), detail=str(item["msg"])) for item in error.errors()[:20]]
    return problem(422, "The request does not have the form that /openapi.json describes.", faults)


def _pointer(location: Sequence[Any]) -> str:
    """A JSON pointer. Names come from the client: they are cut, and lone surrogates replaced."""
    parts = (str(part).replace("~", "~0").replace("/", "~1")[:80] for part in location)
    return "".join(f"/{part}" for part in parts).encode("utf-8", "replace").decode()


async def from_input(request: Request, error: Exception) -> Response:
    """Handles a mistake in the service's setup: the client cannot mend it, and must not see the paths in the message."""
    log.error("%s", error)
    return problem(503, "The service is not set up for this; its log says why.")


async def from_backend(request: Request, error: Exception) -> Response:
    """Handles a language model that cannot be reached."""
    log.error("%s", error)
    return problem(503, "The language model does not answer. Try again later.", headers={"Retry-After": "30"})


HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: from_http,
    RequestValidationError: from_validation,
    InputError: from_input,
    BackendDown: from_backend,
}


def dumped(value: Any) -> str:
    """JSON on one line; dates become text."""
    return json.dumps(value, ensure_ascii=False, default=str)
