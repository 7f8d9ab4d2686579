"""A local server that answers every POST of JSON as a test says: with JSON, or with a page of HTML."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def answering(respond: Callable[[Any], tuple[int, Any]]) -> Iterator[str]:
    """The server's address. `respond`: what was asked -> (status, what is answered: a str is sent as HTML)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, answer = respond(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            is_page = isinstance(answer, str)
            body = (answer if is_page else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how often it looks for the end
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
