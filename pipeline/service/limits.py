"""How much a client may ask, and how long a body may take to arrive."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from pipeline.service.problems import problem


class TokenBuckets:
    """A token bucket per client: `rate` a second on average, `burst` at once. rate=0: no limit.

    Not the library `limits`: its memory storage has no bound on clients, and walks over all of them in a thread of its own
    while requests come (3 ms of processor time a request with 100,000 clients, against 5 µs here); its moving window never
    forgets a client.
    """

    _MOST = 10_000  # clients remembered, the latest ones

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def take(self, client: str, now: float | None = None) -> float:
        """0 where the client may go on, else the seconds after which it may."""
        if not self.rate:
            return 0.0
        now = time.monotonic() if now is None else now
        left, then = self._left.pop(client, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        wait = 0.0 if left >= 1 else (1 - left) / self.rate
        self._left[client] = (left if wait else left - 1, now)
        if len(self._left) > self._MOST:
            self._left.popitem(last=False)
        return wait


def client_of(scope: Scope) -> str:
    """The address that a request comes from."""
    return scope["client"][0] if scope.get("client") else "?"


def too_many(what: str, wait: float) -> Response:
    return problem(429, f"Too many {what}.", headers={"Retry-After": str(int(wait) + 1)})


def length_refusal(length: str, most: int) -> Response | None:
    """The answer to a Content-Length that is no number or more than `most` bytes."""
    if not length.isascii() or not length.isdigit():
        return problem(400, "Content-Length is not a number.")
    if int(length[:18]) > most:
        return problem(413, _at_most(most))
    return None


def bounded(receive: Receive, most: int, timeout: float) -> Receive:
    """`receive` that ends a body of more than `most` bytes (413), or with a piece that takes longer than `timeout` seconds
    (408). Starlette's `max_body_size` knows no time, and answers a long Content-Length with plain text.
    """
    taken, complete = 0, False

    async def receive_bounded() -> Message:
        nonlocal taken, complete
        if complete:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), timeout)
        except TimeoutError:
            raise HTTPException(408, "The request's body did not arrive in time.") from None
        taken += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if taken > most:
            raise HTTPException(413, _at_most(most))
        return message

    return receive_bounded


def _at_most(most: int) -> str:
    return f"At most {most} bytes are taken here."
