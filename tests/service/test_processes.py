"""Several processes behind one port."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from pipeline.cli import main
from tests.conftest import ROOT
from tests.service.conftest import FAKE
from tests.service.test_serve import connect, free_port

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")

# Each process says its id, then waits for SIGTERM, or for the end of the first one.
_WATCHED = """
import os, signal
from pipeline.service import processes

def work(parent):
    os.write(1, b"%d\\n" % os.getpid())
    os.read(parent, 1)
    os.write(1, b"orphan\\n")
    return 0

processes._PAUSE = 0.0
processes.supervise(2, work)
os.write(1, b"all ended\\n")
"""


@contextlib.contextmanager
def watched() -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    with subprocess.Popen([sys.executable, "-c", _WATCHED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout


def test_a_process_that_ends_is_replaced_and_sigterm_ends_all() -> None:
    with watched() as (process, said):
        first, second = int(said.readline()), int(said.readline())
        os.kill(first, signal.SIGKILL)
        third = int(said.readline())
        assert len({first, second, third, process.pid}) == 4
        process.send_signal(signal.SIGTERM)
        assert said.read() == "all ended\n" and process.wait(30) == 0
    for pid in (first, second, third):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_process_outlives_the_first_one() -> None:
    with watched() as (process, said):
        for _ in range(2):
            said.readline()
        process.kill()
        assert [said.readline(), said.readline(), said.readline()] == ["orphan\n", "orphan\n", ""]


def test_what_cannot_start_is_not_started_again() -> None:
    script = "from pipeline.service import processes as p; p.supervise(2, lambda parent: p.COULD_NOT_START)"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert "InputError: The service could not start" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "forks", "says"),
    [
        (["--processes", "0"], True, "--processes is 1 or more"),
        (["--processes", "2"], False, "needs Linux or macOS"),
        (["--processes", "2", "--profile", "large.toml"], True, "Leave out --processes"),
    ],
)
def test_what_cannot_be_shared_is_said_in_one_line(
    arguments: list[str],
    forks: bool,
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REVIEW_INSIGHTS_API_KEY", raising=False)
    Path("large.toml").write_text('extends = "embedded"\n[sentiment]\nbackend = "transformers"\nmodel = "m"\n')
    if not forks:
        monkeypatch.delattr(os, "fork")
    assert main(["serve", "--no-auth", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


@pytest.mark.slow
def test_a_service_of_two_processes_is_one_service(tmp_path: Path) -> None:
    (tmp_path / "fake.toml").write_text(FAKE + '[reader]\nbackend = "fake"\n')
    port = free_port()
    command = [sys.executable, "-m", "pipeline", "serve", "--no-auth", "--port", str(port), "--processes", "2"]
    command += ["--profile", str(tmp_path / "fake.toml"), "--warehouse", str(tmp_path / "w.duckdb"), "--rate", "0"]
    environment = {**os.environ, "REVIEW_INSIGHTS_API_KEY": ""}
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        for _ in range(2):
            while "serving on" not in process.stderr.readline():
                assert process.poll() is None
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(contextlib.closing(connect(port))) for _ in range(8)]
            for client in clients:
                client.request("GET", "/readyz")
                assert client.getresponse().read()
            body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="r.csv"\r\n\r\ntext\nBad soup.\n\r\n--x--\r\n'
            clients[0].request("POST", "/analyze/batch", body, {"Content-Type": "multipart/form-data; boundary=x"})
            job_id = json.load(clients[0].getresponse())["job_id"]
            states = {""}
            while states != {"done"}:  # as every process sees it
                states = set()
                for client in clients:
                    client.request("GET", f"/analyze/batch/{job_id}")
                    states.add(json.load(client.getresponse())["state"])
                assert states <= {"queued", "running", "done"}
                time.sleep(0.05)
            clients[0].request("GET", "/metrics")
            counted = clients[0].getresponse().read().decode()
            assert re.search(r'requests_total\{method="GET",route="/readyz",status="200"\} 8\.0', counted)
            assert counted.count("# TYPE review_insights_connections gauge") == 1
            for client in clients[1:]:
                client.close()
            late = json.dumps({"text": "Bad soup, we waited."})
            clients[0].putrequest("POST", "/analyze")
            clients[0].putheader("Content-Type", "application/json")
            clients[0].putheader("Content-Length", str(len(late)))
            clients[0].endheaders(late[:10].encode())
            time.sleep(0.2)  # the request has reached its process
            process.send_signal(signal.SIGTERM)
            clients[0].send(late[10:].encode())
            assert json.load(clients[0].getresponse())["sentiment"]["label"] == "negative"
        log = process.stderr.read()
        assert process.wait(30) == 0
    assert "Traceback" not in log and "soup" not in log
