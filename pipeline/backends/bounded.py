"""HTTP with bounds on what a server may take: of time for a whole response, and of its size.

A timeout of the client is per read: a server that sends a byte now and then would hold it for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx2

LARGEST = 4_000_000  # bytes of a response


class TooLarge(httpx2.RequestError):
    """A response of more than LARGEST bytes."""


class BoundedTransport(httpx2.HTTPTransport):
    """Responses must end within `seconds`, and hold at most LARGEST bytes, uncompressed. Raises httpx2.ReadTimeout, TooLarge."""

    def __init__(self, seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = time.monotonic() + self._seconds
        request.headers["Accept-Encoding"] = "identity"
        response = super().handle_request(request)
        response.headers.pop(
            "Content-Encoding", None
        )  # what was not asked for is not unpacked: a few bytes may be gigabytes
        assert isinstance(response.stream, httpx2.SyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(response.stream, deadline, request),
            extensions=response.extensions,
        )


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: float, request: httpx2.Request) -> None:
        self._stream, self._deadline, self._request = stream, deadline, request

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST:
                raise TooLarge(f"the response has more than {LARGEST:,} bytes", request=self._request)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the response did not end in time", request=self._request)
            yield chunk

    def close(self) -> None:
        self._stream.close()
