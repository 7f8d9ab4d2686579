"""HTTP by hand, so that a test can send what no library would."""

from __future__ import annotations

import socket
import time


class Lost(Exception):
    """What was asked was not answered as it must be."""


class Wire:
    """A keep-alive connection, opened when it is needed and again when the service closed it."""

    def __init__(self, port: int) -> None:
        self.port, self.socket, self.file = port, None, None  # type: Any, Any, Any

    def close(self) -> None:
        if self.socket:
            self.file.close()
            self.socket.close()
            self.socket = None

    def send(self, data: bytes, fresh: bool = False) -> None:
        if fresh or self.socket is None:
            self.close()
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.file = self.socket.makefile("rb")
        self.socket.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer. Raises OSError if there is none."""
        line = self.file.readline()
        if not line:
            raise ConnectionResetError
        headers = {}
        while (header := self.file.readline().rstrip()) != b"":
            name, _, value = header.partition(b":")
            headers[name.lower()] = value.strip()
        if b"content-length" in headers:
            body = self.file.read(int(headers[b"content-length"]))
        elif headers.get(b"transfer-encoding") == b"chunked":
            body = b""
            while size := int(self.file.readline(), 16):
                body += self.file.read(size)
                self.file.readline()
            self.file.readline()
        else:
            body = b"" if line[9:12] == b"204" else self.file.read()
        if headers.get(b"connection") == b"close":
            self.close()
        return int(line[9:12]), body

    def ask(self, data: bytes) -> tuple[int, bytes]:
        """Sends again what was refused, and what met a connection that the service had just closed."""
        for attempt in range(5):
            try:
                self.send(data)
                status, body = self.answer()
            except OSError:
                self.close()
            else:
                if status not in (429, 503):
                    return status, body
            time.sleep(0.2 * attempt)
        raise Lost("refused five times")


def request(method: str, path: str, body: bytes | str = b"", kind: str = "application/json", more: str = "") -> bytes:
    content = body.encode() if isinstance(body, str) else body
    length = f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n" if content else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}{more}\r\n".encode() + content
