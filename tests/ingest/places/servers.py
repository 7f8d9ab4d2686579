"""Servers on this machine that hold reviews: a web server, which may speak TLS, and an object store."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Answer:
    """What a server answers, and how."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0  # seconds before each piece of the body
    announced: int | None = None  # the length that the header gives, if another than that of the body


Respond = Callable[[BaseHTTPRequestHandler], Answer]


@contextlib.contextmanager
def serving(respond: Respond, certificate: Path | None = None) -> Iterator[str]:
    """host:port of a server whose every GET is answered by `respond`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = respond(self)
            self.send_response(answer.status)
            length = len(answer.body) if answer.announced is None else answer.announced
            for name, value in {"Content-Length": str(length), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            size = 8 if answer.wait else max(1, len(answer.body))
            with contextlib.suppress(ConnectionError):  # a client that had enough
                for start in range(0, len(answer.body), size):
                    time.sleep(answer.wait)
                    self.wfile.write(answer.body[start : start + size])

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that turned away during the handshake

    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def object_store(objects: Mapping[str, bytes], key_id: str | None = None) -> Respond:
    """Answers as S3 and Google's XML interface do: listings and objects of a bucket `shop`, to `key_id` only if given."""

    def respond(request: BaseHTTPRequestHandler) -> Answer:
        url = urlsplit(request.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        if key_id and f"Credential={key_id}/" not in request.headers.get("Authorization", ""):
            return _error(403, "InvalidAccessKeyId")
        if bucket != "shop":
            return _error(404, "NoSuchBucket")
        if "list-type" in (query := parse_qs(url.query)):
            return Answer(_listing(objects, query.get("prefix", [""])[0]))
        if key not in objects:
            return _error(404, "NoSuchKey")
        headers = {"Last-Modified": "Wed, 25 Nov 2026 10:00:00 GMT", "ETag": '"1"'}
        return Answer(objects[key], headers=headers)

    return respond


def _error(status: int, code: str) -> Answer:
    return Answer(f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode(), status)


def _listing(objects: Mapping[str, bytes], prefix: str) -> bytes:
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-25T10:00:00.000Z</LastModified>"
        f"<ETag>1</ETag><Size>{len(body)}</Size></Contents>"
        for key, body in objects.items()
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><Name>shop</Name><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()
