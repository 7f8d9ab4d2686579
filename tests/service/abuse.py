"""Load and abuse of a real service on loopback, with fake models: analyses, pages, votes and uploads from several clients at
once, among malformed requests, half-open connections, headers and bodies without end, slow senders and floods.

    python -m tests.service.abuse --requests 100000

Lost is a valid request without its right answer, an abuse that is answered by anything but what is documented, and at the
end a connection that stays open, memory that grew, or a traceback in the log. A 503 is a refusal: it is tried again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.report.test_report import write_warehouse
from tests.service.conftest import FAKE
from tests.service.test_serve import connect, free_port
from tests.service.wire import Lost, Wire, request

CLIENTS = 6
_GROWTH = 96 * 1024  # KiB that the service may take more at the end than after a tenth of the requests
_LOG = 16 * 1024 * 1024  # bytes of its log
_WORDS = [
    "soup",
    "waiter",
    "table",
    "bad",
    "cold",
    "friendly",
    "wait",
    "room",
    "price",
    "menu",
    "lovely",
    "dirty",
    "fast",
    "bill",
    "the",
    "was",
    "and",
    "very",
]


def expect(true: bool, what: object) -> None:
    if not true:
        raise Lost(str(what)[:300])


# --- what is right ---


def review(chance: random.Random) -> dict[str, Any]:
    text = " ".join(chance.choices(_WORDS, k=chance.randint(3, 20))).capitalize() + f", number {chance.random()}."
    return {"text": text, "stars": chance.randint(1, 5), "language": "en", "generate": chance.random() < 0.3}


def _right(given: dict[str, Any], found: dict[str, Any]) -> None:
    label = found["sentiment"]["label"]
    expect(found["text"] == given["text"] and found["stars"] == given["stars"], found)
    expect(label == ("negative" if "bad" in given["text"].lower() else "positive"), (given, label))
    expect(all(found["text"][t["start"] : t["end"]] == t["evidence"] for t in found["themes"]), found["themes"])


def analysis(wire: Wire, chance: random.Random) -> None:
    given = review(chance)
    status, body = wire.ask(request("POST", "/analyze", json.dumps(given)))
    expect(status == 200, (status, body))
    _right(given, json.loads(body))


def slow(wire: Wire, chance: random.Random) -> None:
    given = review(chance)
    data = request("POST", "/analyze", json.dumps(given))
    with contextlib.closing(Wire(wire.port)) as other:
        other.send(data[:30])
        for start in (30, 60):
            time.sleep(0.01)
            other.send(data[start : start + 30])
        other.send(data[90:])
        status, body = other.answer()
    if status == 503:
        return analysis(wire, chance)
    expect(status == 200, (status, body))
    _right(given, json.loads(body))


def stream(wire: Wire, chance: random.Random) -> None:
    given = review(chance)
    status, body = wire.ask(request("POST", "/analyze/stream", json.dumps(given)))
    events = [json.loads(line) for line in body.splitlines()]
    if any(event["event"] == "error" for event in events):
        return analysis(wire, chance)
    expect(status == 200 and events[-1]["event"] == "done", (status, body))
    _right(given, events[-1]["analysis"])


def vote(wire: Wire, chance: random.Random) -> None:
    given = {"text": f"Bad soup, we waited {chance.random()}.", "stars": 1}
    found = json.loads(wire.ask(request("POST", "/analyze", json.dumps(given)))[1])
    ballot = {
        "review_id": found["review_id"],
        "suggestion": found["feedback"]["suggestions"][0],
        "model": found["models"]["feedback"],
        "ballot": found["feedback"]["ballots"][0],
        "vote": chance.choice([-1, 0, 1]),
        "voter": f"v{chance.randint(1, 50)}",
    }
    status, body = wire.ask(request("POST", "/votes", json.dumps(ballot)))
    expect(status == 204, (status, body))


def read(wire: Wire, chance: random.Random) -> None:
    path = chance.choice(["/healthz"] * 12 + ["/readyz", "/", "/static/page.js", "/insights?limit=3", "/pain-points"])
    status, body = wire.ask(request("GET", path))
    expect(status == 200 and body, (path, status, body))


def pipelined(wire: Wire, chance: random.Random) -> None:
    count = chance.randint(2, 20)
    with contextlib.closing(Wire(wire.port)) as other:
        other.send(request("GET", "/healthz") * count)
        for _ in range(count):
            status, _ = other.answer()
            expect(status == 200, status)


def upload(wire: Wire, chance: random.Random) -> None:
    rows = [f"bad soup number {number} {chance.random()}" for number in range(chance.randint(1, 20))]
    part = '--x\r\nContent-Disposition: form-data; name="file"; filename="r.csv"\r\n\r\ntext\n'
    body = part + "\n".join(rows) + "\n\r\n--x--\r\n"
    for _ in range(600):  # 429 until there is room for one more file
        status, content = wire.ask(request("POST", "/analyze/batch", body, "multipart/form-data; boundary=x"))
        if status == 202:
            break
    expect(status == 202, (status, content))
    job = json.loads(content)
    for _ in range(1200):
        job = json.loads(wire.ask(request("GET", f"/analyze/batch/{job['job_id']}"))[1])
        if job["state"] in ("done", "failed"):
            break
        time.sleep(0.1)
    expect(job["state"] == "done" and job["rows"] == job["done"] == len(rows), job)
    status, _ = wire.ask(request("DELETE", f"/analyze/batch/{job['job_id']}"))
    expect(status == 204, status)


# --- what is wrong ---

_WRONG = [
    request("POST", "/analyze", "{"),
    request("POST", "/analyze", "[" * 5000),
    request("POST", "/analyze", '{"text": ""}'),
    request("POST", "/analyze", '{"text": "Fine.", "stars": 1e999}'),
    request("POST", "/analyze", '{"text": "Fine.", "stars": ' + "9" * 5000 + "}"),
    request("POST", "/analyze", json.dumps({"text": "a" * 20_001})),
    request("POST", "/analyze", b"\xff\xfe\x00"),
    request("POST", "/analyze", "text=Fine.", "application/x-www-form-urlencoded"),
    request("POST", "/analyze/batch", "nothing", "multipart/form-data; boundary=x"),
    request("POST", "/votes", '{"vote": 2}'),
    request("POST", "/", "stars=" + "9" * 10_000, "application/x-www-form-urlencoded"),
    request("POST", "/analyze", '{"text": "Fine."}', more="Origin: http://elsewhere.example\r\n"),
    request("GET", "/insights?limit=0"),
    request("GET", "/analyze/batch/" + "0" * 32),
    request("GET", "/nowhere/%00%ff/../../etc/passwd"),
    request("PUT", "/analyze", "{}"),
    request("GET", "/healthz").replace(b"localhost", b"elsewhere.example"),
    request("POST", "/analyze", more="Content-Length: 99999999999\r\n"),
]


def wrong(wire: Wire, chance: random.Random) -> None:
    data = chance.choice(_WRONG)
    status, body = wire.ask(data)
    told = body.startswith(b"<!doctype html>") or json.loads(body)["status"] == status
    expect(400 <= status < 500 and told, (data[:80], status, body))
    if b"99999999999" in data:
        wire.close()


_GARBAGE = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01",
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"G" * 40_000,
    request("GET", "/healthz")[:-2] + b"X: " + b"a" * 40_000,
    request("GET", "/healthz")[:-2] + b"X: b\r\n" * 8000 + b"\r\n",
    request("POST", "/analyze", more="Transfer-Encoding: chunked\r\n") + b"1;" + b"a" * 40_000,
    request("POST", "/analyze", more="Transfer-Encoding: chunked\r\n") + b"zz\r\n",
    request("POST", "/analyze", more="Content-Length: 1, 2\r\n"),
    request("POST", "/analyze", b"x" * 300_000),
]


def garbage(wire: Wire, chance: random.Random) -> None:
    """It is answered by a 4xx or by the end of the connection."""
    data = chance.choice(_GARBAGE)
    with contextlib.closing(Wire(wire.port)) as other, contextlib.suppress(ConnectionError):
        other.send(data)
        other.socket.shutdown(socket.SHUT_WR)
        status, _ = other.answer()
        expect(400 <= status < 500, (data[:80], status))


def half(wire: Wire, chance: random.Random) -> None:
    """It is left open for a while, a few at once; whoever asks for something else is answered."""
    data = request("POST", "/analyze", json.dumps(review(chance)))
    client = socket.create_connection(("127.0.0.1", wire.port), timeout=60)
    client.sendall(data[: chance.randrange(len(data))])
    left: list[socket.socket] = wire.__dict__.setdefault("left", [])
    left.append(client)
    if len(left) > 5:
        left.pop(0).close()
    read(wire, chance)


def flood(wire: Wire, chance: random.Random) -> None:
    """More connections than one client may have, from an address of its own, while this one is answered."""
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            with contextlib.suppress(ConnectionError):
                client = socket.create_connection(("127.0.0.1", wire.port), 60, source_address=("127.0.0.2", 0))
                stack.enter_context(client).sendall(b"GET /healthz HTTP/1.1\r\n")
        read(wire, chance)


Deed = Callable[[Wire, random.Random], None]
DEEDS: dict[Deed, float] = {  # of 1000 requests; each is one, whatever it takes
    read: 340,
    analysis: 300,
    wrong: 200,
    garbage: 60,
    half: 30,
    slow: 20,
    stream: 20,
    pipelined: 19,
    vote: 10,
    upload: 0.5,
    flood: 0.5,
}


# --- the service, and its end ---


class Served:
    """`review-insights serve` in a process of its own, on fake models."""

    def __init__(self, folder: Path) -> None:
        (folder / "fake.toml").write_text(FAKE + '[reader]\nbackend = "fake"\n')
        write_warehouse(folder / "w.duckdb", ["We waited an hour.", "The soup was cold."])
        self.log, self.port = folder / "log", free_port()
        arguments = ["--no-auth", "--rate", "0", "--port", str(self.port), "--profile", str(folder / "fake.toml")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "serve", *arguments, "--warehouse", str(folder / "w.duckdb")],
                cwd=ROOT,
                stderr=log,
                env={**os.environ, "REVIEW_INSIGHTS_API_KEY": ""},
            )
        while b"serving on" not in self.log.read_bytes():
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        connect(self.port).close()

    def memory(self) -> int:
        """KiB that its process holds."""
        with contextlib.suppress(OSError):
            return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[0])
        return 0

    def connections(self) -> int:
        """How many are open, ours not among them."""
        with contextlib.closing(Wire(self.port)) as wire:
            _, body = wire.ask(request("GET", "/metrics"))
        return int(float(re.findall(rb"^review_insights_connections (\S+)", body, re.M)[0])) - 1

    def end_checks(self, before: int) -> Iterator[tuple[str, bool]]:
        """What must hold when all clients have gone, and whether it does."""
        for _ in range(300):
            if not (left := self.connections()):
                break
            time.sleep(0.1)
        yield f"{left} connections are left", left == 0
        grown = self.memory() - before
        yield f"{grown} KiB more memory", grown < _GROWTH
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        yield f"it ended with {code}", code in (0, -signal.SIGTERM)
        log = self.log.read_text()
        yield "no traceback in its log", "Traceback" not in log and " failed: " not in log
        yield f"{len(log)} characters of log", len(log) < _LOG


def run(requests: int, seed: int = 0) -> tuple[int, int, int]:
    """(tried, survived, lost); each loss is told on stderr."""
    tally, losses, lock = Counter[str](), list[str](), threading.Lock()
    shares = [requests // CLIENTS + (number < requests % CLIENTS) for number in range(CLIENTS)]
    memory = [0]

    def client(number: int) -> None:
        chance, wire = random.Random(f"{seed}/{number}"), Wire(served.port)
        for done in range(shares[number]):
            if number == 0 and done == shares[0] // 10:
                memory[0] = served.memory()
            (deed,) = chance.choices(list(DEEDS), list(DEEDS.values()))
            if number == 0 and done < len(DEEDS):  # each at least once
                deed = list(DEEDS)[done]
            try:
                deed(wire, chance)
            except (Lost, OSError, ValueError, KeyError, IndexError) as error:
                wire.close()
                with lock:
                    losses.append(f"{deed.__name__}: {type(error).__name__} {error}")
            with lock:
                tally[deed.__name__] += 1
        wire.close()
        for left in wire.__dict__.get("left", []):
            left.close()

    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder))
        try:
            threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for what, holds in served.end_checks(memory[0]):
                tally["at the end"] += 1
                print(f"at the end: {what}", file=sys.stderr)
                if not holds:
                    losses.append(f"at the end: {what}")
        finally:
            served.process.kill()
            served.process.wait()
    print(", ".join(f"{name} {count}" for name, count in tally.most_common()), file=sys.stderr)
    for loss in losses[:50]:
        print(f"lost: {loss}", file=sys.stderr)
    return tally.total(), tally.total() - len(losses), len(losses)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--requests", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=0)
    args = arguments.parse_args()
    started = time.monotonic()
    tried, survived, lost = run(args.requests, args.seed)
    print(f"{tried} tried, {survived} survived, {lost} lost, in {time.monotonic() - started:.0f} seconds")
    return int(lost > 0)


if __name__ == "__main__":
    sys.exit(main())
