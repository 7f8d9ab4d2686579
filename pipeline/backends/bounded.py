"""HTTP with bounds on what a server may take: of time for a whole response, and of its size.

A timeout of the client is per read: a server that sends a byte now and then, of its headers too, would hold it for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2

LARGEST = 4_000_000  # bytes of a response
_DEADLINE: ContextVar[float] = ContextVar("deadline")  # of the request that this thread waits for


class TooLarge(httpx2.RequestError):
    """A response of more than LARGEST bytes."""


class BoundedTransport(httpx2.HTTPTransport):
    """Responses must end within `seconds`, and hold at most LARGEST bytes, uncompressed. Raises httpx2.ReadTimeout, TooLarge."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds
        self._pool._network_backend = _Network(self._pool._network_backend)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        _DEADLINE.set(time.monotonic() + self._seconds)
        request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        response.headers.pop(
            "Content-Encoding", None
        )  # what was not asked for is not unpacked: a few bytes may be gigabytes
        assert isinstance(response.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(response.stream, request),
            extensions=response.extensions,
        )


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
        self._stream, self._request = stream, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST:
                raise TooLarge(f"the response has more than {LARGEST:,} bytes", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _Network(httpcore2.NetworkBackend):
    """Connections whose reads end with the request's deadline."""

    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(self, *place: Any, **options: Any) -> httpcore2.NetworkStream:
        return _Connection(self._inner.connect_tcp(*place, **options))


class _Connection(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _DEADLINE.get() - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the response did not end in time")
        return self._inner.read(max_bytes, left if timeout is None else min(timeout, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, *context: Any, **options: Any) -> httpcore2.NetworkStream:
        return _Connection(self._inner.start_tls(*context, **options))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
