"""Access control: the host name in the request, the site it comes from, and the key."""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.service.limits import TokenBuckets, client_of, too_many
from pipeline.service.problems import problem
from pipeline.service.settings import LOOPBACK, Settings

COOKIE = "review_insights"
_OPEN = ("/healthz", "/readyz", "/login")  # they show no reviews; neither does /static/
_PAGES = ("/", "/dashboard")


class TrustedHosts:
    """Protects against DNS rebinding, in which another site makes a browser call this service under that site's name.
    Starlette decides; its plain-text answer becomes problem details.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.hosts = [*LOOPBACK, settings.host, *settings.hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def trusted(scope: Scope, receive: Receive, refuse: Send) -> None:
            await self.app(scope, receive, send)

        async def refuse(message: Message) -> None:
            if message["type"] == "http.response.start":
                detail = "This service does not answer to that host name. Start it with --allow-host NAME."
                await problem(403, detail)(scope, receive, send)

        await TrustedHostMiddleware(trusted, self.hosts, www_redirect=False)(scope, receive, refuse)


def origin_refusal(method: str, headers: Headers) -> Response | None:
    """The refusal of a request that would change something and was sent by another site's page; None if it may pass."""
    if method in ("GET", "HEAD", "OPTIONS") or not _foreign(headers):
        return None
    return problem(403, "Another site's page may not send requests here.")


def _foreign(headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:
        return True


def session(key: str) -> str:
    """The value of the cookie: it proves knowledge of the key without revealing it."""
    return hmac.new(key.encode(), b"review-insights session", hashlib.sha256).hexdigest()


def key_refusal(key: str | None, wrong_keys: TokenBuckets, scope: Scope, headers: Headers) -> Response | None:
    """The refusal of a request with neither the key nor the cookie derived from it; None if it may pass.

    `key`: None if the service needs none. `wrong_keys`: limits the attempts of each client.
    """
    path = scope["path"]
    if key is None or path in _OPEN or path.startswith("/static/"):
        return None
    given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    cookie = _cookie(headers)
    if same(given, key) or same(cookie, session(key)):
        return None
    if (given or cookie) and (wait := wrong_keys.take(client_of(scope))):
        return too_many("wrong keys", wait)
    if scope["method"] == "GET" and path in _PAGES and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/login", 303)
    detail = "Send the API key as X-API-Key, or as Authorization: Bearer."
    return problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


def same(given: str, secret: str) -> bool:
    """Whether two texts are equal, compared in constant time."""
    return hmac.compare_digest(given.encode(), secret.encode())


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
