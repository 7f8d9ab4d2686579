"""32 clients on /analyze without generation, against two plain ways, one after the other in the same run:

    service   this one
    alone     the same code, one review at a time behind a lock
    naive     one text at a time: sentiment model, emotions model, then the sentiment of each clause

    python -m tests.service.load --seconds 60

No way remembers a text from one request to the next: the sample is small, and a real stream of reviews is not. The
clients share the machine with the service.
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from pipeline import profile
from pipeline.assets import SAMPLE
from pipeline.service import schema
from pipeline.service.analyze import Analyzer, prepare
from pipeline.service.app import create_app
from pipeline.service.settings import Settings
from pipeline.stage import Row

WAYS = ("service", "alone", "naive")


def forget() -> None:
    """Empties the encoder's memory of texts."""
    from pipeline.backends import embedded

    embedded._shared()._known.clear()


def forgetful(work: Callable[[Sequence[Row]], list[Row]]) -> Callable[[Sequence[Row]], list[Row]]:
    def fresh(rows: Sequence[Row]) -> list[Row]:
        forget()
        return work(rows)

    return fresh


def serve(way: str) -> None:
    """Serves one way on a free port, and says which on stdout."""
    embedded = profile.load("embedded")
    if way == "service":
        folder = Path(tempfile.mkdtemp())
        app = create_app(Settings(folder / "w.duckdb", embedded, None, rate=0))
        engine = app.state.engine
        engine.classify.work = forgetful(engine.classify.work)
    else:
        app, lock, analyzer = FastAPI(), threading.Lock(), Analyzer(embedded)
        analyzer.warm()
        classify = forgetful(analyzer.classify) if way == "alone" else _text_by_text

        @app.post("/analyze")
        def analyze(review: schema.Review) -> Any:
            with lock:
                (found,) = classify([prepare(review.text, review.stars)])
            return found

    class Telling(uvicorn.Server):
        async def startup(self, *args: Any, **options: Any) -> None:
            await super().startup(*args, **options)
            print(self.servers[0].sockets[0].getsockname()[1], flush=True)

    Telling(uvicorn.Config(app, port=0, log_config=None, access_log=False)).run()


def _text_by_text(rows: Sequence[Row]) -> list[Row]:
    from pipeline import themes
    from pipeline.backends.embedded import EmotionsHead, SentimentHead
    from pipeline.language import detect_languages

    (row,) = rows
    (language,) = detect_languages([row["text"]])
    spans = [
        row["text"][found.start : found.end] for found in themes.find(row["text"], language, themes.load_aspects())
    ]
    values = []
    for head, text in (
        (SentimentHead(), row["text"]),
        (EmotionsHead(), row["text"]),
        *((SentimentHead(), s) for s in spans),
    ):
        forget()
        values.append(head.probabilities([text])[0].tolist())
    return [{"sentiment": values[0], "emotions": values[1], "themes": list(zip(spans, values[2:], strict=True))}]


def measure(port: int, texts: Sequence[str], clients: int, seconds: float) -> dict[str, Any]:
    """requests, errors, per_second, p50_ms, p95_ms."""
    supply, times, errors = itertools.cycle(texts), list[float](), list[str]()
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
                answer.read()
                if answer.status != 200:
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
        texts = [row["review"] for row in csv.DictReader(file)]
    results = {}
    for way in WAYS:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.service.load", "--serve", way], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            measure(port, texts[:64], args.clients, 1)  # the first batches pay for warming up
            results[way] = measure(port, texts, args.clients, args.seconds)
        finally:
            server.terminate()
            server.wait(60)
        print(f"{way:8}", results[way], flush=True)
    for way in WAYS[1:]:
        print(f"service / {way}: {results['service']['per_second'] / results[way]['per_second']:.1f}")
    return int(results["service"]["errors"] > 0)


if __name__ == "__main__":
    sys.exit(main())
