"""The benchmarks measure what they say they do; how fast a machine is, is no test."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from pipeline import bench
from pipeline.bench import ceilings, measure, read, service
from pipeline.bench.measure import Measured, Sizes, as_table
from pipeline.core.errors import InputError


def test_each_part_is_a_module_with_a_run() -> None:
    assert all(hasattr(__import__(f"pipeline.bench.{part}", fromlist=["run"]), "run") for part in bench.PARTS)


def test_parts_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ceilings, read):
        name = module.__name__.rpartition(".")[2]
        monkeypatch.setattr(module, "run", lambda sizes, name=name: [Measured(name, "x", sizes.rows)])
    told: list[str] = []
    assert [one.part for one in bench.run(Sizes(), ["read", "ceilings"], told.append)] == told == ["ceilings", "read"]
    with pytest.raises(InputError, match="--only x: there is no such part"):
        bench.run(only=["x"])


def test_a_figure_and_its_bar() -> None:
    assert Measured("p", "n", 3.0, bar=3.0).reached and not Measured("p", "n", 2.9, bar=3.0).reached
    assert Measured("p", "n", 2.9, bar=3.0, at_least=False).reached and Measured("p", "n", 1.0).reached is None


def test_the_table_names_what_falls_short_and_why() -> None:
    table = as_table(
        [Measured("p", "n", 2.0, bar=3.0, why="Too slow."), Measured("q", "m", 7.0, "s", 9.0, False, "No.")]
    )
    lines = [" ".join(line.split()) for line in table.splitlines()]
    assert lines[1:] == ["p n 2 times ≥ 3 falls short", "q m 7 s ≤ 9 reached", "p, n: Too slow."]


def test_methods_take_turns() -> None:
    order: list[str] = []
    times = iter(range(100))
    methods = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    seconds = measure.take_turns(methods, 2, lambda: float(next(times)))
    assert order == ["a", "b", "a", "b"] and seconds == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert measure.medians({"a": [1.0, 2.0, 9.0]}) == {"a": 2.0} and measure.speedup([4.0, 9.0], [2.0, 1.0]) == 5.5


def test_ceilings_are_positive() -> None:
    assert ceilings.matrix_peak("fp32", 64) > 0 and ceilings.matrix_peak("bf16", 64) > 0
    assert ceilings.memory_bandwidth(1 << 20) > 0 and ceilings.duckdb_scan(1000) > 0


@pytest.mark.slow
def test_reading_is_measured_beside_a_plain_pass() -> None:
    result = read.reading(["Cold soup.", "The waiter was kind, the soup hot.", "Cold soup."], rounds=1)
    assert result["texts"] == 2 and {"float32", "two pipelines of batches of 32"} < set(result["texts_per_second"])
    assert all(value > 0 for value in result["texts_per_second"].values())
    found = read.run(Sizes(limit=2, rounds=1))
    assert json.dumps(dict(found[-1].details)) and all(one.value > 0 for one in found)
    assert {one.name for one in found} >= {
        "float32, beside two pipelines of batches of 1",
        "float32, share of the matrix peak",
    }


@pytest.mark.slow
def test_the_service_is_measured_beside_plain_ways() -> None:
    found = service.run(Sizes(requests=4, rounds=1))
    assert json.dumps(dict(found[0].details)) and all(one.value > 0 for one in found)
    (same,) = [one.value for one in found if one.name.startswith("float32, the same sentiment")]
    assert same == 100


def test_what_clients_see_is_counted() -> None:
    def answer(request: str) -> bytes:
        label = "negative" if "bad" in request else "positive"
        body = json.dumps({"sentiment": {"label": label}})
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            while received := connection.recv(65536).decode():
                if "{" in received:  # headers and body are sent one after the other
                    connection.sendall(answer(received))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        found = service.load(listener.getsockname()[1], ["bad", "good", "bad"], 1)
        thread.join(30)
    assert found.labels == {"bad": "negative", "good": "positive"} and len(found.times) == 3 and found.rate > 0
    with pytest.raises(InputError, match="needs a text, a round and a request"):
        service.service([], 1, 1, ["float32"])
