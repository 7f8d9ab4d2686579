"""The openai backend against a real server (`transformers serve` on a tiny Mistral), and against what servers do wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends.base import Request
from pipeline.backends.openai import OpenAIGenerator
from pipeline.core.errors import BackendDown, InputError
from tests.answering import answering
from tests.checkpoints import Checkpoints


def generator(base_url: str, model: str = "tiny", **options: Any) -> OpenAIGenerator:
    defaults = {"max_new_tokens": 8, "temperature": 0.0, "timeout": 20.0}
    return OpenAIGenerator(model, base_url, "NO_SUCH_KEY", **(defaults | options))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def real_server(tiny: Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("transformers")),
        "serve",
        tiny.mistral,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            for _ in range(240):
                if process.poll() is not None:
                    pytest.fail(f"transformers serve ended: {log.read_text()[-2000:]}")
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                        break
                except OSError:
                    time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def test_a_real_server_writes_for_every_request_in_order(real_server: str, tiny: Checkpoints) -> None:
    requests = [Request(f"How can we improve? Review {n}", {}) for n in range(3)]
    written = generator(real_server, tiny.mistral).write(requests)
    assert len(written) == 3
    assert all(answer.truncated or answer.raw for answer in written), (
        "8 tokens of a random model rarely end by themselves"
    )
    assert all("How can we improve" not in answer.raw for answer in written)


class Answers:
    """Gives the answer that the test sets, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, Any]] = (200, {})
        self.asked: list[dict[str, Any]] = []

    def respond(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        return self.answer


@pytest.fixture
def scripted() -> Iterator[tuple[str, Answers]]:
    answers = Answers()
    with answering(answers.respond) as url:
        yield f"{url}/v1", answers


def completion(content: str | None, reason: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}


def test_what_is_asked_and_what_is_kept(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 200, completion(" 1. Apologize.\n")
    (written,) = generator(url).write([Request("the prompt", {})])
    assert (written.text, written.raw, written.truncated, written.error) == (
        "1. Apologize.",
        " 1. Apologize.\n",
        False,
        None,
    )
    (asked,) = server.asked
    assert asked["messages"] == [{"role": "user", "content": "the prompt"}]
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("tiny", 8, 0.0)


def test_a_cut_or_empty_answer_is_marked(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 200, completion("1. Apol", "length")
    assert generator(url).write([Request("p", {})])[0].truncated
    server.answer = 200, completion(None)
    assert generator(url).write([Request("p", {})])[0].error == "the model wrote nothing"
    server.answer = 200, {**completion(""), "choices": []}
    assert generator(url).write([Request("p", {})])[0].error == "the server's answer holds no choice"


def test_a_request_the_server_refuses_is_a_row_with_an_error(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 400, {"error": {"message": "too long", "type": "invalid_request_error"}}
    (written,) = generator(url).write([Request("p", {})])
    assert written.error is not None and "too long" in written.error


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_model_is_a_mistake_in_the_profile(scripted: tuple[str, Answers], status: int) -> None:
    url, server = scripted
    server.answer = status, {"error": {"message": "no"}}
    with pytest.raises(InputError, match=r"\[feedback\]"):
        generator(url).write([Request("p", {})])


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_leaves_the_rows_pending(
    scripted: tuple[str, Answers], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = scripted
    server.answer = status, {"error": {"message": "busy"}}
    backend = generator(url)
    backend._client = backend._client.with_options(max_retries=0)
    with pytest.raises(BackendDown, match="stay pending"):
        backend.write([Request("p", {})])


def test_a_server_that_is_down() -> None:
    backend = generator(f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(BackendDown) as caught:
        backend.write([Request("p", {})])
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_no_base_url_is_a_mistake_in_the_profile() -> None:
    with pytest.raises(InputError, match="base_url"):
        generator("")
