"""A model server that answers well, but for one review of four, about which it answers in one of many odd ways.

`survey()` runs the feedback stage against each: python -m tests.backends.hostile_server
"""

from __future__ import annotations

import gzip
import json
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET, socket
from typing import Any
from unittest import mock

from pipeline.backends import openai as openai_backend
from pipeline.core import stage
from pipeline.core.errors import ReviewInsightsError
from pipeline.core.profile import Emotions, Feedback, Profile, Reader, Sentiment
from pipeline.core.warehouse import Warehouse, open_memory
from pipeline.stages import STAGES
from pipeline.stages.feedback import FEEDBACK
from tests.factory import review

TIMEOUT = 0.4  # seconds that the profile gives the server
PROMPTS = ("feedback.v1", "feedback.v2")
GOOD = [f"The {dish} was bad and cold, number {place}." for place, dish in enumerate(("soup", "fish", "bread"))]
ODD = "The odd cheese was bad and cold."  # the server's odd answer is about this one
TEXT = "The food came cold.\n\n1. Measure the heat of each plate at the pass."


def completion(content: Any, **more: Any) -> bytes:
    """A whole chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "choices": [choice], **more}).encode()


def usage(prompt: Any, answer: Any) -> bytes:
    """A good answer whose tokens are counted in this way."""
    return completion(TEXT, usage={"prompt_tokens": prompt, "completion_tokens": answer})


def http(body: bytes = b"", status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """A whole response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    if not any(header.lower().startswith("content-type") for header in headers):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def chunked(piece: bytes, times: int, pause: float) -> Callable[[socket], None]:
    """A body in `times` pieces."""

    def answer(connection: socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(times):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(pause)

    return answer


def slow_headers(connection: socket) -> None:
    """A header that never ends, a letter at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


def reset(connection: socket) -> None:
    """Half a response, then a reset."""
    connection.sendall(http(b'{"choi', length=1000))
    connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection: socket) -> None:
    """Nothing, for longer than anybody waits."""
    time.sleep(3 * TIMEOUT)


DEEP = b'{"choices":[{"message":{"content":' + b'[{"text":' * 400 + b'"x"' + b"}]" * 400 + b"}}]}"
BOMB = gzip.compress(b" " * 50_000_000, 9)

ODDITIES: dict[str, bytes | Callable[[socket], None]] = {
    "an empty body": http(),
    "a page": http(b"<html><title>Log in to the hotel's network</title></html>", "200 OK", "Content-Type: text/html"),
    "a list": http(b"[]"),
    "null choices": http(b'{"choices": null}'),
    "no choices": http(b'{"choices": []}'),
    "a choice without a message": http(b'{"choices": [{"index": 0, "finish_reason": "stop"}]}'),
    "choices that are a text": http(b'{"choices": "1. Fix it."}'),
    "a message that is a number": http(b'{"choices": [{"message": 7, "finish_reason": {}}]}'),
    "a text that is a number": http(completion(12345)),
    "a text a thousand lists deep": http(DEEP),
    "an error a thousand lists deep": http(b'{"error":' * 900 + b"1" + b"}" * 900, "400 Bad Request"),
    "NUL and half characters": http(completion("1. Fix\x00 it.\n2. \ud800 Do it now.")),
    "an error with NUL": http(b'{"error": {"message": "bad\\u0000 \\ud800"}}', "400 Bad Request"),
    "100 KB of marks that nothing closes": http(completion("<think>" * 14_000)),
    "marks within marks": http(completion("</" * 8000 + "</s>" + "s>" * 8000)),
    "a page of nothing but titles": http(b"<title>" * 100_000, "400 Bad Request", "Content-Type: text/html"),
    "an answer of a million letters": http(completion("1. Fix it. " * 100_000)),
    "ten megabytes": http(completion("1. Fix it. " * 1_000_000)),
    "a stream without end": chunked(b" " * 65536, 1000, 0.0),
    "a trickle": chunked(b" ", 200, 0.05),
    "a trickle of headers": slow_headers,
    "silence": silent,
    "half a document": http(completion(TEXT)[:60]),
    "half a document, and the end": http(b'{"choi', length=1000),
    "half a document, and a reset": reset,
    "no answer": lambda connection: None,
    "no HTTP": b"SSH-2.0-OpenSSH_9.7\r\n\r\n",
    "a megabyte of headers": b"HTTP/1.1 200 OK\r\n" + b"X-Header: more\r\n" * 60_000 + b"\r\n",
    "UTF-16": http(completion(TEXT).decode().encode("utf-16"), "200 OK", "Content-Type: application/json; charset=utf-8"),
    "an unknown encoding": http(completion("1. Fix the oven. é"), "200 OK", "Content-Type: application/json; charset=klingon"),
    "bytes of no encoding": http(b"\x00\xff\xfe{{{"),
    "a bomb of gzip": http(BOMB, "200 OK", "Content-Encoding: gzip"),
    "an unknown compression": http(completion(TEXT), "200 OK", "Content-Encoding: middle-out"),
    "a redirect to elsewhere": http(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:1/v1/chat/completions"),
    "a redirect to itself": http(b"", "302 Found", "Location: completions"),
    "a redirect to nowhere": http(b"", "301 Moved Permanently", "Location: http://["),
    "busy for thirty years": http(b'{"error": "slow down"}', "429 Too Many Requests", "Retry-After: 999999999"),
    "busy for a negative time": http(b'{"error": "slow down"}', "429 Too Many Requests", "Retry-After: -5"),
    "busy until a word": http(b'{"error": "slow down"}', "429 Too Many Requests", "Retry-After: \xb2soon"),
    "busy for 400 digits": http(b"", "429 Too Many Requests", "Retry-After: " + "9" * 400),
    "broken": http(b"oops\n" * 99, "500 Internal Server Error", "Content-Type: text/plain"),
    "a status of its own": http(b"{}", "799 Odd"),
    "a wrong key": http(b'{"error": {"message": "bad key"}}', "401 Unauthorized"),
    "no money": http(b'{"error": {"message": "pay"}}', "402 Payment Required"),
    "another model": http(b'{"error": {"message": "no such model"}}', "404 Not Found"),
    "too long a prompt": http(b'{"error": {"message": "context too long"}}', "400 Bad Request"),
    "tokens as words": http(usage("many", [5])),
    "negative tokens": http(usage(-5, -(10**30))),
    "tokens beyond count": http(usage(10**30, 1e308)),
    "usage that is a list": http(completion(TEXT, usage=[1, 2])),
    "a broken escape": http(b'{"choices": [{"message": {"content": "1. Fix \\x it."}}]}'),
    "a number of 9,000 digits": http(b'{"choices": [{"message": {"content": ' + b"9" * 9000 + b"}}]}"),
}  # fmt: skip


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.odd: bytes | Callable[[socket], None] = b""
        self.good = 0  # right answers that were sent


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        with suppress(OSError):
            asked = self._body()
            if ODD not in asked:
                self.request.sendall(http(_right(asked)))
                self.server.good += 1
                return
            # What is lost is lost by the odd answer then, and not because it came first.
            waited = time.monotonic()
            while self.server.good < len(GOOD) and time.monotonic() < waited + TIMEOUT:
                time.sleep(0.001)
            odd = self.server.odd
            odd(self.request) if callable(odd) else self.request.sendall(odd)

    def _body(self) -> str:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.request.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self.request.recv(65536)
        return str(json.loads(body)["messages"][0]["content"])


def _right(asked: str) -> bytes:
    if "JSON" not in asked:
        return completion(TEXT, usage={"prompt_tokens": 100, "completion_tokens": 20})
    evidence = next(text for text in GOOD if text in asked)
    dish = evidence.split()[1]
    complaint = {"problem": f"Cold {dish}", "evidence": evidence, "cause": f"The {dish} waits at the pass."}
    complaints = [{**complaint, "steps": [f"Carry the {dish} out while it is hot."]}]
    return completion(json.dumps({"complaints": complaints}), usage={"prompt_tokens": 100, "completion_tokens": 20})


@contextmanager
def hostile() -> Iterator[tuple[_Server, str]]:
    """(the server, its base_url); set `odd` before each run."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server, f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def warehouse_and_profile(url: str, prompt: str) -> tuple[Warehouse, Profile]:
    """Four unhappy reviews, read, and a profile whose teacher is that server."""
    profile = Profile(
        name="hostile",
        reader=Reader(backend="fake"),
        sentiment=Sentiment(backend="fake"),
        emotions=Emotions(backend="fake"),
        feedback=Feedback(backend="openai", model="m", base_url=url, prompt=prompt, timeout=TIMEOUT, language="en"),
    )
    warehouse = open_memory()
    warehouse.append("store.reviews", [review(text) for text in (*GOOD, ODD)])
    for before in STAGES[: STAGES.index(FEEDBACK)]:
        stage.run_stage(before, profile, warehouse, "run", Path())
    return warehouse, profile


def against(server: _Server, warehouse: Warehouse, profile: Profile, odd: bytes | Callable[[socket], None]) -> str:
    """What is wrong after the feedback stage has met this answer; "": nothing."""
    warehouse.execute("DELETE FROM store.feedback; DELETE FROM store.usage")
    server.odd, server.good, stopped = odd, 0, None
    try:
        stage.run_stage(FEEDBACK, profile, warehouse, "run", Path())
    except ReviewInsightsError as error:
        stopped = str(error)
        if "\n" in stopped or len(stopped) > 700 or error.exit_code != 2:
            return f"not one clear line: {stopped[:200]!r}"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    rows = {
        row["review"]: row
        for row in warehouse.query(
            "SELECT r.text AS review, f.* FROM store.feedback f JOIN reviews r USING (review_id)"
        )
    }
    for text in GOOD:
        if text not in rows or rows[text]["error"] or not rows[text]["suggestions"] or rows[text]["model"] != "m":
            return f"a right answer was lost: {rows.get(text)}"
    if (ODD in rows) == bool(stopped):
        return f"stopped by {stopped!r}, yet the row is {rows.get(ODD)}"
    if ODD in rows and "\n" in (rows[ODD]["error"] or ""):
        return "an error of several lines"
    tokens = warehouse.value("SELECT sum(prompt_tokens) FROM store.usage")
    return "" if 300 <= tokens < 1000 else f"{tokens} tokens were counted"


def survey(names: dict[str, bytes | Callable[[socket], None]] = ODDITIES) -> tuple[int, int, int]:
    """(kinds of odd answers tried, survived, lost): with a prompt of free text, and with one that is checked. Survived: the
    run ends with rows or one clear line, the right answers are kept, and what has no answer stays pending.
    """
    return len(names), len(names) - len(lost := failures(names)), len(lost)


def failures(names: dict[str, bytes | Callable[[socket], None]] = ODDITIES) -> dict[str, str]:
    """Odd answer -> what it broke."""
    found: dict[str, str] = {}
    known = openai_backend._pause

    def brief(state: Any) -> float:
        pause = known(state)
        return pause if pause > openai_backend.PATIENCE else min(pause, 0.001)

    with hostile() as (server, url), mock.patch.object(openai_backend, "_pause", brief):
        for prompt in PROMPTS:
            warehouse, profile = warehouse_and_profile(url, prompt)
            current = stage.make_current(FEEDBACK, profile, warehouse)
            with mock.patch.object(stage, "make_current", return_value=current):  # it takes longer than the rest
                for name, odd in names.items():
                    if problem := against(server, warehouse, profile, odd):
                        found[name] = f"{prompt}: {problem}"
            warehouse.close()
    return found


if __name__ == "__main__":
    print("tried {}, survived {}, lost {}".format(*survey()))
