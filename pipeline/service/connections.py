"""Who may be connected, how many at once, and for how long without sending or taking anything.

uvicorn bounds neither what it reads before a request is complete nor how long it waits for that. It speaks HTTP here by h11,
which holds a limit on incomplete headers and reads pipelined requests one at a time; httptools does neither.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections import Counter
from collections.abc import Collection
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.core.errors import InputError
from pipeline.service.limits import MAX_HEADERS, household
from pipeline.service.problems import problem

log = logging.getLogger(__name__)

_SPARE = 128  # file descriptors for everything that is no connection
_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_REST = 0.9  # seconds, less than asyncio waits before it accepts again


class Door:
    """Counts the connections of each client. `exempt`: addresses that may have any share of all, such as a proxy's."""

    def __init__(self, most: int, per_client: int, exempt: Collection[str] = ()) -> None:
        self.most, self.per_client = most, per_client
        self.exempt = {household(address) for address in exempt}
        self.inside: Counter[str] = Counter()

    def enter(self, client: str) -> bool:
        """Whether one more connection of this client may come in; if so, `leave` must follow."""
        if self.inside.total() >= self.most:
            log.warning("connections refused: all %d are taken", self.most)
            return False
        if self.inside[client] >= self.per_client and client not in self.exempt:
            log.warning("connections refused: one client has %d", self.per_client)
            return False
        self.inside[client] += 1
        return True

    def leave(self, client: str) -> None:
        """A connection that came in is closed."""
        self.inside[client] -= 1
        if not self.inside[client]:
            del self.inside[client]


class _Connection(socket.socket):
    """An accepted connection. Counted until its descriptor is closed, by whomever."""

    leaves: tuple[Door, str] | None = None

    def close(self) -> None:
        super().close()
        if self.leaves:
            door, client = self.leaves
            self.leaves = None
            door.leave(client)

    def __del__(self) -> None:  # asyncio forgets one whose client has gone before it is set up
        self.close()


class Listener(socket.socket):
    """A bound socket that accepts only whom the door lets in; the others are closed at once."""

    door: Door
    shared = False  # with other processes, which get their turn after each connection
    _resting = 0.0
    _had_turn = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises BlockingIOError and ConnectionAbortedError, which end asyncio's turn, and any other OSError once: asyncio
        would go on and log a traceback for each place in the backlog.
        """
        if time.monotonic() < self._resting:
            raise BlockingIOError
        if self._had_turn:
            self._had_turn = False
            raise BlockingIOError
        try:
            accepted, address = super().accept()
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                self._resting = time.monotonic() + _REST
            raise
        self._had_turn = self.shared
        client = household(address[0])
        if not self.door.enter(client):
            accepted.close()
            raise ConnectionAbortedError
        connection = _Connection(self.family, self.type, self.proto, fileno=accepted.detach())
        connection.leaves = self.door, client
        return connection, address


def listen(host: str, port: int, door: Door) -> list[Listener]:
    """A Listener per address of `host`, bound. Raises InputError if one cannot be."""
    listeners: list[Listener] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        ):
            listener = Listener(family, kind, protocol)
            listeners.append(listener)
            listener.door = door
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
    except OSError as error:
        for listener in listeners:
            listener.close()
        reason = error.strerror or error
        raise InputError(f"The service could not start on {host}:{port}: {reason}. Name another --port.") from error
    return listeners


def room_for(wanted: int) -> int:
    """How many connections this process may have of those `wanted`, below its limit of open files, which is raised if the
    system allows it.
    """
    try:
        import resource
    except ImportError:  # Windows: select() takes 512 at most
        return min(wanted, 512 - _SPARE)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _SPARE
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(wanted, soft - _SPARE), 16)


class Protocol(H11Protocol):
    """uvicorn's HTTP by h11, and an end to waiting: for a request's headers, and for a client to take its answer.

    `header_timeout`, `write_timeout`: seconds. How fast a body must come is for `limits.bounded` to say.
    """

    def __init__(self, *args: Any, header_timeout: float, write_timeout: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self.header_timeout, self.write_timeout = header_timeout, write_timeout
        self._deadline: asyncio.TimerHandle | None = None
        self._untaken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection must send its first headers in time."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # `pause_writing` as soon as anything is left behind
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer outlives its connection."""
        for timer in (self._deadline, self._untaken):
            if timer:
                timer.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Any data ends uvicorn's wait between two requests; the next headers have their own."""
        super().data_received(data)
        self._watch()

    def _watch(self) -> None:
        """While no request is at work, a deadline is set; more data does not move it."""
        at_work = self.cycle is not None and not self.cycle.response_complete
        if at_work and self._deadline:
            self._deadline.cancel()
            self._deadline = None
        elif not at_work and not self._deadline:
            self._deadline = self.loop.call_later(self.header_timeout, self.transport.close)

    def pause_writing(self) -> None:
        """The client does not take what is sent, for now."""
        super().pause_writing()
        self._untaken = self.loop.call_later(self.write_timeout, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken all."""
        super().resume_writing()
        if self._untaken:
            self._untaken.cancel()
            self._untaken = None

    def send_400_response(self, msg: str) -> None:
        """What cannot be read is answered once, if there was no answer yet, and is the end of the connection."""
        too_long = len(self.conn.trailing_data[0]) > MAX_HEADERS
        answer = problem(431, "The headers are too long.") if too_long else problem(400, "This is no HTTP/1.1 request.")
        if self.cycle is not None and not self.cycle.response_complete:  # its body cannot be read to its end
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [*answer.raw_headers, (b"connection", b"close")]
            response = h11.Response(status_code=answer.status_code, headers=headers)
            for event in (response, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
