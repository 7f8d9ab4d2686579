"""What a client may do to a connection, on a real port."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.service.app import create_app
from pipeline.service.connections import Door, Listener, listen, room_for
from pipeline.service.limits import client_of
from pipeline.service.settings import Settings
from tests.service.conftest import FAKE, Live, fake_settings

ALL_FAKE = FAKE + '[reader]\nbackend = "fake"\n'
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

Begin = Callable[..., Live]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts a service with some settings changed; it must have no connection left when the test ends."""
    with ExitStack() as stack:

        def start(per_client: int = 1024, **changes: object) -> Live:
            live = Live(create_app(replace(fake_settings(tmp_path, ALL_FAKE), **changes)), per_client)
            stack.enter_context(live)
            return live

        yield start


def connect(live: Live, sent: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", live.port), timeout=30)
    client.sendall(sent)
    return client


def rest(client: socket.socket) -> bytes:
    """What comes until the service closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received


def until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come true")


def drip(client: socket.socket, piece: bytes) -> None:
    """Sends a piece again and again until the service closes the connection."""
    with pytest.raises(OSError) as error:
        for _ in range(3000):
            client.sendall(piece)
            time.sleep(0.01)
    assert error.value.errno in (errno.EPIPE, errno.ECONNRESET)


@pytest.mark.parametrize(
    "piece",
    [b"a" * 65536, b"X-a: b\r\n" * 8192, b"a: " + b"b" * 1000 + b"\r\n"],
    ids=["one value", "lines", "long lines"],
)
def test_headers_have_an_end(begin: Begin, piece: bytes) -> None:
    live = begin()
    with connect(live, GET) as client:
        sent = 0
        with contextlib.suppress(OSError):
            while sent < 60_000_000:
                client.sendall(piece)
                sent += len(piece)
        assert sent < 20_000_000, "most of this waits in the system's buffers"
    with connect(live, GET + b"X: " + b"a" * 33_000) as client:
        assert rest(client).startswith(b"HTTP/1.1 431")
    with connect(live, GET + b"X: " + b"a" * 31_000 + b"\r\nConnection: close\r\n\r\n") as client:
        assert rest(client).startswith(b"HTTP/1.1 200")


def test_headers_that_come_at_once_have_the_same_end(begin: Begin) -> None:
    with connect(begin(), GET + b"X-a: b\r\n" * 5000 + b"\r\n") as client:
        assert rest(client).startswith(b"HTTP/1.1 431")


def test_who_sends_no_request_is_sent_away(begin: Begin) -> None:
    live = begin(header_timeout=0.3)
    with connect(live) as silent, connect(live, GET + b"X-a: b") as half, connect(live, GET) as slow:
        drip(slow, b"X-a: b\r\n")
        assert rest(silent) == b"" and rest(half) == b""
    until(lambda: live.door.inside.total() == 0)


def test_who_has_had_an_answer_and_sends_no_other_request_is_sent_away(begin: Begin) -> None:
    live = begin(header_timeout=0.3, idle_timeout=1, max_body=100)
    with connect(live, GET + b"\r\n") as idle, connect(live, GET + b"\r\n" + GET) as half:
        assert rest(idle).startswith(b"HTTP/1.1 200") and rest(half).startswith(b"HTTP/1.1 200")
    with connect(live, POST + b"Content-Length: 100000\r\n\r\n") as refused:
        assert refused.recv(65536).startswith(b"HTTP/1.1 413")
        drip(refused, b"x")
    until(lambda: live.door.inside.total() == 0)


@pytest.mark.parametrize("length", [b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
def test_half_a_body_is_waited_for_so_long(begin: Begin, length: bytes) -> None:
    live = begin(timeout=0.3, header_timeout=0.3)
    with connect(live, POST + length) as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 408")
        drip(client, b"1\r\n{\r\n")


def test_who_takes_no_answer_is_sent_away(begin: Begin) -> None:
    live = begin(timeout=0.3)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", live.port))
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            for _ in range(3000):
                client.sendall(GET.replace(b"/healthz", b"/openapi.json") + b"\r\n")
        until(lambda: live.door.inside.total() == 0)


def test_requests_one_behind_the_other_are_answered_one_after_the_other(begin: Begin) -> None:
    with connect(begin(), (GET + b"\r\n") * 500 + GET + b"Connection: close\r\n\r\n") as client:
        assert rest(client).count(b"HTTP/1.1 200") == 501


@pytest.mark.parametrize(
    "body", [b"1;" + b"a" * 100_000, b"nonsense\r\n", b"1\r\n{nonsense"], ids=["extension", "length", "end"]
)
def test_a_body_that_cannot_be_read_is_answered_once(
    begin: Begin, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(begin(), POST + b"Transfer-Encoding: chunked\r\n\r\n" + body) as client:
        answer = rest(client)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 431", b"") and answer.count(b"HTTP/1.1 4") <= 1
    assert not any(record.exc_info for record in caplog.records) and "Fatal" not in caplog.text


@pytest.mark.parametrize("nonsense", [b"\r\n", b"\0" * 100, b"GET / HTTP/9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_what_is_no_request_is_answered_and_nothing_else(
    begin: Begin, nonsense: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(begin(header_timeout=0.3), nonsense) as client:
        assert rest(client)[:12] in (b"HTTP/1.1 400", b"")
    assert not any(record.exc_info for record in caplog.records)


def test_one_client_has_so_many_connections(begin: Begin) -> None:
    live = begin(per_client=3)
    with ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(connect(live, GET + b"\r\n"))
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        with pytest.raises(OSError), connect(live, GET + b"\r\n") as fourth:
            assert fourth.recv(65536), "closed at once"
            raise AssertionError("answered")
    until(lambda: live.door.inside.total() == 0)
    with connect(live, GET + b"Connection: close\r\n\r\n") as again:
        assert rest(again).startswith(b"HTTP/1.1 200")


def test_all_have_so_many_and_a_proxy_may_have_all_of_them() -> None:
    door = Door(most=4, per_client=2, exempt=["10.0.0.1"])
    assert [door.enter("10.0.0.2") for _ in range(3)] == [True, True, False]
    assert [door.enter("10.0.0.1") for _ in range(3)] == [True, True, False]
    door.leave("10.0.0.2")
    assert door.enter("10.0.0.1") and not door.enter("10.0.0.3") and door.inside == {"10.0.0.1": 3, "10.0.0.2": 1}


def test_without_files_to_open_the_loop_rests() -> None:
    """asyncio accepts `backlog` times in a row, and logs a traceback for each failure of the system."""
    resource = pytest.importorskip("resource")
    (listener,) = listen("127.0.0.1", 0, Door(4, 4))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with listener, socket.socket() as client:
        listener.listen()
        listener.setblocking(False)
        client.connect(listener.getsockname())
        free = os.dup(client.fileno())
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            with pytest.raises(OSError) as first:
                listener.accept()
            with pytest.raises(BlockingIOError):
                listener.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert first.value.errno == errno.EMFILE
        listener._resting = 0.0
        accepted, _ = listener.accept()
        assert listener.door.inside.total() == 1
        accepted.close()
        assert listener.door.inside.total() == 0


def test_a_listener_that_is_shared_leaves_every_second_turn_to_others() -> None:
    (listener,) = listen("127.0.0.1", 0, Door(4, 4))
    with listener, ExitStack() as stack:
        listener.listen()
        listener.setblocking(False)
        for _ in range(2):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        listener.shared = True
        for _ in range(2):
            stack.enter_context(listener.accept()[0])
            with pytest.raises(BlockingIOError):
                listener.accept()


def test_connections_stay_below_the_limit_of_open_files() -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        assert room_for(512) == 512 and resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 640
        assert room_for(10**9) <= limits[1] - 128
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match="Name another --port"):
            listen("127.0.0.1", taken.getsockname()[1], Door(1, 1))


def test_listeners_take_names_and_both_kinds_of_address() -> None:
    for listener in listen("localhost", 0, Door(1, 1)):
        assert isinstance(listener, Listener)
        listener.close()


def test_one_network_of_ipv6_is_one_client() -> None:
    def of(address: str) -> str:
        return client_of({"client": (address, 1)})

    assert of("2001:db8::1") == of("2001:db8::ffff:2") != of("2001:db8:0:1::1")
    assert of("10.0.0.1") != of("10.0.0.2") and of("fe80::1%eth0") and of("not:an:address") and client_of({}) == "?"


def test_only_a_proxy_says_for_whom_it_asks(begin: Begin, settings: Settings) -> None:
    def status(live: Live, name: bytes) -> bytes:
        with connect(live, GET + b"X-Forwarded-For: " + name + b"\r\nConnection: close\r\n\r\n") as client:
            return rest(client)[9:12]

    behind = begin(proxies=("127.0.0.1",), rate=0.01, header_timeout=5.0)  # a twentieth of a request at once: none
    assert status(behind, b"10.0.0.1") == b"429"
    behind = begin(proxies=("127.0.0.1",), rate=0.2)  # one at once
    assert [status(behind, name) for name in (b"10.0.0.1", b"10.0.0.1", b"10.0.0.2")] == [b"200", b"429", b"200"]
    alone = begin(rate=0.2)
    assert [status(alone, name) for name in (b"10.0.0.1", b"10.0.0.2")] == [b"200", b"429"]
