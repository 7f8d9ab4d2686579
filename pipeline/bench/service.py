"""The service under 32 clients who ask without a pause, and who together ask for half of what it can do, beside two plain ways to serve, in turns of the same run:

naive   what one writes first: transformers' `pipeline` for sentiment and for emotions, on networks of the reader's size, in
        float32, one review at a time, all cores for it. It finds no theme, no evidence and no language.
alone   the service's own code, one review at a time behind a lock

The clients share the machine with the service. No way remembers a text. What else runs on a machine slows down some ways more than
others, so the processor time of a review is compared too.
"""

from __future__ import annotations

import dataclasses
import functools
import http.client
import itertools
import json
import multiprocessing
import random
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.bench.measure import Measured, Sizes, sample, speedup
from pipeline.core.errors import InputError
from pipeline.core.profile import Precision

CLIENTS = 32
_START = 180  # seconds that a way to serve may take to start
_BESIDE = "a handler that calls two pipelines for one review after the other"
_BARS = {"throughput": 5, "p95": 4}
_SLOW = (
    "a core multiplies for one review nearly as fast as for 32, so most of the gain is what batches, the other cores and bfloat16 "
    "give: more needs a processor that multiplies bfloat16 or int8 several times as fast as float32 (AMX), or a GPU"
)
_WAITING = (
    "32 clients who never pause are 32 reviews at work at once, so their mean time is 32 over the throughput (Little's law): this "
    "bar needs the throughput of 10 single clients, which is some eight cores, or a GPU"
)


@dataclass(frozen=True)
class Load:
    """What clients saw: requests answered per second, seconds of each, the sentiment of each text. `processor`: seconds of processor
    time that the service took per request.
    """

    rate: float
    times: list[float]
    labels: dict[str, str | None]
    processor: float = 0.0


def run(sizes: Sizes) -> list[Measured]:
    """Throughput and p95 for float32, the default, and for bfloat16 where the processor multiplies it. Raises InputError without
    a request.
    """
    from pipeline.reader.minilm import bf16_is_fast

    texts = [row["review"] for row in sample()]
    precisions: tuple[Precision, ...] = ("float32", "bfloat16") if bf16_is_fast() else ("float32",)
    result = service(texts, sizes.requests, sizes.rounds, precisions)
    found = []
    for precision in precisions:
        figures = result[precision]

        def figure(name: str, value: float, bar: float | None = None, of: str = precision, **more: Any) -> Measured:
            return Measured("service", f"{of}, {name}", value, bar=bar, details=result, **more)

        found += [
            figure(f"reviews per second, beside {_BESIDE}", figures["beside_naive"], _BARS["throughput"], why=_SLOW),
            figure("processor time of a review, beside that handler", figures["processor_beside_naive"]),
            figure("reviews per second, beside its own code for one review after the other", figures["beside_alone"]),
            figure("processor time of a review, beside that code", figures["processor_beside_alone"]),
            figure(
                f"p95 of {CLIENTS} clients, in times of one", figures["p95"], _BARS["p95"], at_least=False, why=_WAITING
            ),
            figure(
                f"p95 of {CLIENTS} clients who together ask for half of that, in times of one",
                figures["p95_at_half"],
                _BARS["p95"],
                at_least=False,
                why="a review that comes while others are at work waits for their batch",
            ),
            figure("the same sentiment as in float32, one review at a time", figures["same"], unit="%"),
        ]
    return found


def service(texts: Sequence[str], requests: int, rounds: int, precisions: Sequence[Precision]) -> dict[str, Any]:
    """Of each precision: beside_naive and beside_alone (how many times as many requests a second), processor_beside_naive and
    processor_beside_alone (how many times as much processor time these take for one), p95 and p95_at_half (how many times
    the median of a single client), same (percent of the texts); of each way: per_second and p95_ms. `requests`: to each way in a round,
    fewer for a single client, and at half of the rate. Raises InputError without a request.
    """
    if not texts or requests < 1 or rounds < 1:
        raise InputError("The benchmark of the service needs a text, a round and a request. Give larger numbers.")
    sent = list(itertools.islice(itertools.cycle(texts), requests * rounds))
    ways: dict[str, Callable[[int], None]] = {"naive": _serve_naive, "alone": _serve_alone}
    loads: dict[str, list[Load]] = {}
    with ExitStack() as running:
        served = {way: running.enter_context(_serving(serve)) for way, serve in ways.items()}
        served |= {way: running.enter_context(_serving(functools.partial(_serve, precision=way))) for way in precisions}
        for port, _ in served.values():
            _wait_for(port)
            load(port, texts[:8], 8)  # the first batches pay for warming up
        for number in range(rounds):
            mine = sent[number::rounds]
            for way, (port, processor) in served.items():
                before = processor()
                found = load(port, mine, CLIENTS)
                taken = (processor() - before) / len(mine)
                loads.setdefault(way, []).append(dataclasses.replace(found, processor=taken))
            for way in precisions:
                port, _ = served[way]
                loads.setdefault(f"{way}, one client", []).append(load(port, mine[::4], 1))
                pause = 2 * CLIENTS / loads[way][-1].rate
                loads.setdefault(f"{way}, half", []).append(load(port, mine[::2], CLIENTS, pause))
    return {precision: _figures(loads, precision) for precision in precisions} | {
        way: {
            "per_second": statistics.median(one.rate for one in found),
            "p95_ms": 1000 * _p95(found),
            "processor_ms": 1000 * statistics.median(one.processor for one in found),
        }
        for way, found in loads.items()
        if way not in precisions
    }


def _figures(loads: dict[str, list[Load]], way: str) -> dict[str, float]:
    pace = {name: [1 / one.rate for one in found] for name, found in loads.items()}
    work = {name: [one.processor for one in found] for name, found in loads.items()}
    plain, ours = (
        {text: label for one in loads[name] for text, label in one.labels.items()} for name in ("alone", way)
    )
    both = [text for text in ours if text in plain]
    single = statistics.median(itertools.chain.from_iterable(one.times for one in loads[f"{way}, one client"]))
    return {
        "per_second": statistics.median(one.rate for one in loads[way]),
        "beside_naive": speedup(pace["naive"], pace[way]),
        "beside_alone": speedup(pace["alone"], pace[way]),
        "processor_ms": 1000 * statistics.median(work[way]),
        "processor_beside_naive": speedup(work["naive"], work[way]),
        "processor_beside_alone": speedup(work["alone"], work[way]),
        "single_ms": 1000 * single,
        "p95": _p95(loads[way]) / single,
        "p95_at_half": _p95(loads[f"{way}, half"]) / single,
        "same": 100 * sum(ours[text] == plain[text] for text in both) / max(1, len(both)),
        "texts": len(both),
    }


def _p95(loads: Sequence[Load]) -> float:
    times = [seconds for one in loads for seconds in one.times]
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


# --- the clients ---


def load(port: int, texts: Sequence[str], clients: int, pause: float = 0.0) -> Load:
    """`clients` who each send the next text as soon as they have an answer, or on average once in `pause` seconds, until all are
    sent. Raises RuntimeError for an answer that is none.
    """
    supply, lock, over = iter(texts), threading.Lock(), threading.Event()
    times: list[float] = []
    labels: dict[str, str | None] = {}
    errors: list[str] = []
    started = time.perf_counter()

    def client(number: int) -> None:
        chance = random.Random(number)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
            while not errors:
                if pause:
                    connection.close()  # the service waits for no client that long
                    if over.wait(chance.expovariate(1 / pause)):
                        return
                with lock:
                    text = next(supply, None)
                if text is None:
                    over.set()
                    return
                began = time.perf_counter()
                try:
                    labels[text] = _ask(connection, text)
                except (OSError, ValueError) as error:
                    errors.append(f"{type(error).__name__} {error}")
                times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError(f"A request was not answered: {errors[0]}")
    return Load(len(times) / (time.perf_counter() - started), times, labels)


def _ask(connection: http.client.HTTPConnection, text: str) -> str | None:
    body = json.dumps({"text": text, "generate": False})
    connection.request("POST", "/analyze", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise ValueError(answer.status)
    label: str | None = json.loads(content)["sentiment"]["label"]
    return label


# --- the ways to serve, each in a process of its own ---


@contextmanager
def _serving(serve: Callable[[int], None]) -> Iterator[tuple[int, Callable[[], float]]]:
    """The port on which a way serves, some seconds later, and what tells the processor time that it took so far, in seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_and_tell, args=(serve, port, theirs), daemon=True)
    process.start()

    def processor() -> float:
        ours.send(None)
        seconds: float = ours.recv()
        return seconds

    try:
        yield port, processor
    finally:
        process.terminate()
        process.join(30)
        process.kill()


def _serve_and_tell(serve: Callable[[int], None], port: int, asked: Connection) -> None:
    def tell() -> None:
        with suppress(EOFError, OSError):
            while True:
                asked.recv()
                asked.send(time.process_time())

    threading.Thread(target=tell, daemon=True).start()
    serve(port)


def _wait_for(port: int) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise RuntimeError("The service did not start.")


def _serve(port: int, precision: Precision) -> None:
    import logging

    from pipeline.core import profile
    from pipeline.service.serve import serve
    from pipeline.service.settings import Settings

    embedded = profile.load("embedded")
    reading = dataclasses.replace(
        embedded, reader=dataclasses.replace(embedded.reader, precision=precision)
    )  # one of its two
    with tempfile.TemporaryDirectory() as folder:
        logging.basicConfig(filename=Path(folder) / "log")  # a line per request, as ever, but not on the table
        serve(Settings(Path(folder) / "w.duckdb", reading, None, port=port, rate=0))


def _serve_alone(port: int) -> None:
    from pipeline.core import profile
    from pipeline.service.analyze import Analyzer, prepare

    analyzer = Analyzer(profile.load("embedded"))
    analyzer.warm()
    _serve_one_by_one(port, lambda text: analyzer.classify([prepare(text)])[0])


def _serve_naive(port: int) -> None:
    from pipeline.bench.read import text_classification
    from pipeline.reader import reading

    sentiment, emotions = (text_classification(reading.load().encoder) for _ in range(2))
    _serve_one_by_one(
        port, lambda text: {"sentiment": {"label": sentiment(text)[0]["label"]}, "emotions": emotions(text, top_k=None)}
    )


def _serve_one_by_one(port: int, analyze: Callable[[str], Any]) -> None:
    import uvicorn
    from fastapi import FastAPI

    from pipeline.service.schema import Review

    app, lock = FastAPI(), threading.Lock()

    def one(review: Review) -> Any:
        with lock:
            return analyze(review.text)

    one.__annotations__ = {"review": Review, "return": Any}  # FastAPI looks for names in the module
    app.post("/analyze")(one)
    uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False)).run()
