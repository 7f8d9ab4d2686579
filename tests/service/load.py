"""32 clients on /analyze without generation, against the plain way, in turns of the same run:

    service   this one
    alone     the same code, one review at a time behind a lock

    python -m tests.service.load --seconds 60

The ways take turns, three each, because a machine's speed drifts. No way remembers a text. The clients share the machine
with the service, and all have the same threads. The labels of both are compared, so that speed
is not bought with answers.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from pipeline.core import profile
from pipeline.core.assets import SAMPLE
from pipeline.service import schema
from pipeline.service.analyze import Analyzer, prepare
from pipeline.service.app import create_app
from pipeline.service.settings import Settings

WAYS = ("service", "alone")
ROUNDS = 3


def serve(way: str) -> None:
    """Serves one way on a free port, and says which on stdout."""
    embedded = profile.load("embedded")
    if way == "service":
        app = create_app(Settings(Path(tempfile.mkdtemp()) / "w.duckdb", embedded, None, rate=0))
    else:
        app, lock, analyzer = FastAPI(), threading.Lock(), Analyzer(embedded)
        analyzer.warm()

        @app.post("/analyze")
        def analyze(review: schema.Review) -> Any:
            with lock:
                (found,) = analyzer.classify([prepare(review.text, review.stars)])
            return found

    class Announcing(uvicorn.Server):
        async def startup(self, *args: Any, **options: Any) -> None:
            await super().startup(*args, **options)
            print(self.servers[0].sockets[0].getsockname()[1], flush=True)

    Announcing(uvicorn.Config(app, port=0, log_config=None, access_log=False)).run()


def measure(port: int, texts: Sequence[str], clients: int, seconds: float) -> dict[str, Any]:
    """requests, errors, per_second, p50_ms, p95_ms; labels: the sentiment of each text."""
    supply, times, errors = itertools.cycle(texts), list[float](), list[str]()
    labels: dict[str, str | None] = {}
    lock, end = threading.Lock(), time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.perf_counter() < end:
            with lock:
                text = next(supply)
            started = time.perf_counter()
            try:
                body = json.dumps({"text": text, "generate": False})
                connection.request("POST", "/analyze", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == 200:
                    labels[text] = json.loads(content)["sentiment"]["label"]
                else:
                    errors.append(str(answer.status))
            except OSError as error:
                errors.append(type(error).__name__)
                connection.close()
            times.append(time.perf_counter() - started)
        connection.close()

    started = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cuts = statistics.quantiles(times, n=20)
    return {
        "requests": len(times),
        "errors": len(errors),
        "per_second": round(len(times) / (time.perf_counter() - started), 1),
        "p50_ms": round(1000 * cuts[9]),
        "p95_ms": round(1000 * cuts[18]),
        "labels": labels,
    }


def merged(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The sums of the rounds, their mean rate, and all labels."""
    return {
        "requests": sum(found["requests"] for found in rounds),
        "errors": sum(found["errors"] for found in rounds),
        "per_second": statistics.mean(found["per_second"] for found in rounds),
        "labels": {text: label for found in rounds for text, label in found["labels"].items()},
    }


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--clients", type=int, default=32)
    arguments.add_argument("--serve", choices=WAYS, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.serve:
        serve(args.serve)
        return 0
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        texts = [row["review"] for row in csv.DictReader(file) if row["review"].strip()]
    command = [sys.executable, "-m", "tests.service.load", "--serve"]
    servers = {way: subprocess.Popen([*command, way], stdout=subprocess.PIPE, text=True) for way in WAYS}
    rounds: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    try:
        ports = {way: int(server.stdout.readline()) for way, server in servers.items() if server.stdout}
        for way in WAYS:
            measure(ports[way], texts[:64], args.clients, 1)  # the first batches pay for warming up
        for _ in range(ROUNDS):
            for way in WAYS:
                rounds[way].append(measure(ports[way], texts, args.clients, args.seconds / ROUNDS))
                print(
                    f"{way:8}", {name: value for name, value in rounds[way][-1].items() if name != "labels"}, flush=True
                )
    finally:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.wait(60)
    results = {way: merged(found) for way, found in rounds.items()}
    for way in WAYS[1:]:
        print(f"service / {way}: {results['service']['per_second'] / results[way]['per_second']:.1f}")
    ours, plain = results["service"]["labels"], results["alone"]["labels"]
    both = [text for text in ours if plain.get(text)]
    print(f"the same sentiment for {sum(ours[text] == plain[text] for text in both)} of {len(both)} texts")
    return int(results["service"]["errors"] > 0)


if __name__ == "__main__":
    sys.exit(main())
