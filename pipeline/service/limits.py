"""What every request must pass, whatever route it is for, and what every answer bears.

Who may ask (host, origin, key), how much (rate, body), how long (each piece of the body); then headers, one log line
without anything the client wrote, and no stack trace to the outside.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
import traceback
import uuid
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.service.meters import Meters
from pipeline.service.problems import problem
from pipeline.service.settings import LOOPBACK, Settings

log = logging.getLogger("review_insights.service")

COOKIE = "review_insights"
UPLOAD = "/analyze/batch"
_OPEN = ("/healthz", "/readyz", "/login", "/static/")  # nothing of anybody's reviews is there
_PAGES = ("/", "/dashboard")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Buckets:
    """Token buckets per client: `rate` a second on average, `burst` at once. rate=0: no limit."""

    _MOST = 10_000  # clients remembered

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float | None = None) -> float:
        """0 where the client may go on, else the seconds after which it may."""
        if not self.rate:
            return 0.0
        now = time.monotonic() if now is None else now
        left, then = self._left.pop(client, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        wait = 0.0 if left >= 1 else (1 - left) / self.rate
        self._left[client] = (left - 1 if not wait else left, now)
        if len(self._left) > self._MOST:
            self._left.popitem(last=False)
        return wait


def session(key: str) -> str:
    """What the cookie holds: proves the key and does not give it away."""
    return hmac.new(key.encode(), b"review-insights session", hashlib.sha256).hexdigest()


class Guard:
    def __init__(self, app: ASGIApp, settings: Settings, meters: Meters) -> None:
        self.app, self.settings, self.meters = app, settings, meters
        self._rate = Buckets(settings.rate, 5 * settings.rate)
        self._guesses = Buckets(10 / 60, 10)  # wrong keys of a client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, request_id = time.perf_counter(), uuid.uuid4().hex[:12]
        status = 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = request_id
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal:
                await refusal(scope, receive, tell)
            else:
                await self.app(scope, self._measured(scope, receive), tell)
        except Exception as error:
            self._log_failure(request_id, error)
            if not status:
                await problem(500, f"Something went wrong here; the log knows it as {request_id}.")(
                    scope, receive, tell
                )
        finally:
            seconds = time.perf_counter() - started
            # The template of the route: a path or a query string may hold what a customer wrote.
            route = getattr(scope.get("route"), "path", "other")
            method = scope["method"] if scope["method"] in ("GET", "POST", "DELETE", "HEAD") else "other"
            self.meters.requests.labels(method, route, str(status)).inc()
            self.meters.seconds.labels(route).observe(seconds)
            log.info("%s %s %s %d %.0f ms", request_id, method, route, status, 1000 * seconds)

    def _log_failure(self, request_id: str, error: Exception) -> None:
        """Kind and place: a message may hold the review that it is about."""
        places = traceback.extract_tb(error.__traceback__)[-3:]
        where = " < ".join(f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}" for place in reversed(places))
        log.error("%s failed: %s at %s", request_id, type(error).__name__, where)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        client = scope["client"][0] if scope.get("client") else "?"
        if not self._known_host(headers.get("host", "")):
            return problem(403, "This service does not answer to that host name. Start it with --allow-host NAME.")
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and self._foreign(headers):
            return problem(403, "Another site's page may not send requests here.")
        if wait := self._rate.take(client):
            return problem(429, "Too many requests.", headers={"Retry-After": str(int(wait) + 1)})
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            return problem(400, "Content-Length is not a number.")
        if int(length[:18]) > self._most(scope):
            return problem(413, f"At most {self._most(scope)} bytes are taken here.")
        return self._unknown(scope, headers, client)

    def _known_host(self, value: str) -> bool:
        """Against DNS rebinding: a page of another site may make a browser come here under that site's name."""
        if "*" in self.settings.hosts:
            return True
        name = value.rsplit(":", 1)[0] if not value.endswith("]") else value
        return name.lower() in (*LOOPBACK, self.settings.host, *self.settings.hosts)

    def _foreign(self, headers: Headers) -> bool:
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return True
        origin = headers.get("origin")
        try:
            return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
        except ValueError:
            return True

    def _unknown(self, scope: Scope, headers: Headers, client: str) -> Response | None:
        key = self.settings.api_key
        if key is None or any(
            scope["path"] == path or (path[-1] == "/" and scope["path"].startswith(path)) for path in _OPEN
        ):
            return None
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if given and hmac.compare_digest(given.encode(), key.encode()):
            return None
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        if cookie and hmac.compare_digest(cookie.value.encode(), session(key).encode()):
            return None
        if (given or cookie) and (wait := self._guesses.take(client)):
            return problem(429, "Too many wrong keys.", headers={"Retry-After": str(int(wait) + 1)})
        if scope["method"] == "GET" and scope["path"] in _PAGES and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return problem(
            401, "Send the API key as X-API-Key, or as Authorization: Bearer.", headers={"WWW-Authenticate": "Bearer"}
        )

    def guess(self, client: str) -> float:
        """Counts a wrong key given at /login; the seconds to wait, or 0."""
        return self._guesses.take(client)

    def _most(self, scope: Scope) -> int:
        return self.settings.max_upload if scope["path"] == UPLOAD else self.settings.max_body

    def _measured(self, scope: Scope, receive: Receive) -> Receive:
        """`receive` that ends a body which is too long or too slow."""
        taken, complete = 0, False

        async def measured() -> Message:
            nonlocal taken, complete
            if complete:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self.settings.timeout)
            except TimeoutError:
                raise HTTPException(408, "The request's body did not arrive in time.") from None
            taken += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if taken > self._most(scope):
                raise HTTPException(413, f"At most {self._most(scope)} bytes are taken here.")
            return message

        return measured
