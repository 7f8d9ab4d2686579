"""The checks that every request must pass before it reaches a route."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.service.access import key_refusal, origin_refusal
from pipeline.service.limits import bounded, client_of, header_refusal, length_refusal, too_many
from pipeline.service.parts import Parts

UPLOAD = "/analyze/batch"


class Guard:
    """Checks headers, origin, rate, length and key, in this order, then bounds the request's body in size and time."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app, self.parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        settings = self.parts.settings
        max_bytes = settings.max_upload if scope["path"] == UPLOAD else settings.max_body
        refusal = self._refusal(scope, Headers(scope=scope), max_bytes)
        if refusal:
            await refusal(scope, receive, send)
        else:
            await self.app(scope, bounded(receive, max_bytes, settings.timeout), send)

    def _refusal(self, scope: Scope, headers: Headers, max_bytes: int) -> Response | None:
        if refusal := header_refusal(headers) or origin_refusal(scope["method"], headers):
            return refusal
        if wait := self.parts.requests.take(client_of(scope)):
            return too_many("requests", wait)
        return length_refusal(headers.get("content-length", "0"), max_bytes) or key_refusal(
            self.parts.settings.api_key, self.parts.wrong_keys, scope, headers
        )
