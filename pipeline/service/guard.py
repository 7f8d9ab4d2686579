"""What every request must pass before a route sees it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.service.access import key_refusal, origin_refusal
from pipeline.service.limits import bounded, client_of, length_refusal, too_many
from pipeline.service.parts import Parts

UPLOAD = "/analyze/batch"


class Guard:
    """Refuses by origin, rate, length and key, in this order, and bounds the body of what is left."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app, self.parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        settings = self.parts.settings
        most = settings.max_upload if scope["path"] == UPLOAD else settings.max_body
        refusal = self._refusal(scope, Headers(scope=scope), most)
        if refusal:
            await refusal(scope, receive, send)
        else:
            await self.app(scope, bounded(receive, most, settings.timeout), send)

    def _refusal(self, scope: Scope, headers: Headers, most: int) -> Response | None:
        if refusal := origin_refusal(scope["method"], headers):
            return refusal
        if wait := self.parts.requests.take(client_of(scope)):
            return too_many("requests", wait)
        return length_refusal(headers.get("content-length", "0"), most) or key_refusal(
            self.parts.settings.api_key, self.parts.wrong_keys, scope, headers
        )
