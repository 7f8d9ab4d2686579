"""A service on the fake profile, and a small published warehouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline.core import profile
from pipeline.service.app import create_app
from pipeline.service.connections import Door, listen
from pipeline.service.serve import run, server_of
from pipeline.service.settings import Settings

FAKE = 'extends = "embedded"\n[sentiment]\nbackend = "fake"\nlanguages = ["en"]\n[emotions]\nbackend = "fake"\n[feedback]\nbackend = "fake"\n'
UNHAPPY = {"text": "Bad soup. We waited an hour for the bill.", "stars": 2, "business": "Blue Door"}  # for /analyze
KEY = "0123456789abcdef0123456789abcdef"

Start = Callable[..., TestClient]


def fake_settings(folder: Path, content: str = FAKE) -> Settings:
    file = folder / "fake.toml"
    file.write_text(content)
    return Settings(folder / "w.duckdb", profile.load(str(file)), None, hosts=("testserver",), rate=0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return fake_settings(tmp_path)


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Starts a service with some settings changed and gives its client; all end with the test."""
    opened: list[TestClient] = []

    def begin(**changes: object) -> TestClient:
        client = TestClient(create_app(replace(settings, **changes)), raise_server_exceptions=False)
        client.__enter__()
        opened.append(client)
        return client

    yield begin
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def fresh(start: Start) -> TestClient:
    """The client of a service of its own, in the folder of `settings`."""
    return start()


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The client of the one service for tests that need no warehouse."""
    app = create_app(fake_settings(tmp_path_factory.mktemp("service")))
    with TestClient(app, raise_server_exceptions=False) as shared:
        yield shared


class Live:
    """A service on a real port, in a thread, as `serve` runs it."""

    def __init__(self, app: FastAPI, per_client: int = 1024) -> None:
        self.door = Door(1024, per_client)
        self.listeners = listen("127.0.0.1", 0, self.door)
        self.server = server_of(app, app.state.parts.settings)
        self.thread = threading.Thread(target=run, args=(self.server, self.listeners), daemon=True)

    @property
    def port(self) -> int:
        port: int = self.listeners[0].getsockname()[1]
        return port

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the service did not start"
            time.sleep(0.02)
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *error: object) -> None:
        self.server.should_exit = True
        self.thread.join(30)
