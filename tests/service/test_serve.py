from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.conftest import ROOT
from tests.service.conftest import FAKE, KEY


@pytest.mark.parametrize(
    ("arguments", "key", "says"),
    [
        ([], None, "choose between a key and none"),
        (["--no-auth"], KEY, "contradict"),
        ([], "short", "16 or more"),
        (["--no-auth", "--port", "0"], None, "--port"),
        (["--no-auth", "--warehouse", "/nowhere/w.duckdb"], None, "folder that exists"),
        (["--no-auth", "--allow-host", "*example.com"], None, "--allow-host"),
        (["--no-auth", "--proxy", "*"], None, "--proxy"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(
    arguments: list[str],
    key: str | None,
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)  # where no sample was run
    monkeypatch.delenv("REVIEW_INSIGHTS_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("REVIEW_INSIGHTS_API_KEY", key)
    assert main(["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


@pytest.mark.slow
def test_sigterm_answers_what_is_in_flight(tmp_path: Path) -> None:
    (tmp_path / "fake.toml").write_text(FAKE)
    arguments = [
        "serve",
        "--no-auth",
        "--profile",
        str(tmp_path / "fake.toml"),
        "--warehouse",
        str(tmp_path / "w.duckdb"),
    ]
    command = [sys.executable, "-m", "pipeline", *arguments, "--port", str(free_port())]
    environment = {**os.environ, "REVIEW_INSIGHTS_API_KEY": ""}
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        port = 0
        for line in process.stderr:
            if found := re.search(r"serving on http://127\.0\.0\.1:(\d+)", line):
                port = int(found[1])
                break
        body = json.dumps({"text": "Bad soup, we waited."})
        with contextlib.closing(connect(port)) as connection, contextlib.closing(connect(port)) as check:
            connection.putrequest("POST", "/analyze")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body[:10].encode())
            check.request("GET", "/readyz")
            assert check.getresponse().status == 200  # so the request before it has reached the service
            process.send_signal(signal.SIGTERM)
            connection.send(body[10:].encode())
            answer = connection.getresponse()
            assert answer.status == 200 and json.load(answer)["sentiment"]["label"] == "negative"
        log = process.stderr.read()
        assert process.wait(30) in (0, -signal.SIGTERM)
    assert "Traceback" not in log and "soup" not in log


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def connect(port: int) -> http.client.HTTPConnection:
    """Waits until the port is open: it opens just after the service says so."""
    for _ in range(200):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.connect()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return connection
    raise AssertionError("the port did not open")
