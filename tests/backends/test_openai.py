"""The openai backend against a real server (`transformers serve` on a tiny Mistral), and against what servers do wrong."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.backends import openai as openai_backend
from pipeline.backends.base import Request
from pipeline.backends.cleaning import ONLY_THOUGHT
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


@pytest.mark.slow
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
        self.answer: tuple[int, dict[str, Any] | str] = (200, {})
        self.asked: list[dict[str, Any]] = []

    def respond(self, asked: dict[str, Any]) -> tuple[int, Any]:
        self.asked.append(asked)
        return self.answer


@pytest.fixture
def scripted() -> Iterator[tuple[str, Answers]]:
    answers = Answers()
    with answering(lambda asked: answers.respond(asked)) as url:
        yield f"{url}/v1", answers


def completion(content: str | None, reason: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}


def test_a_schema_is_held_to_where_the_server_can(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 200, completion("{}")
    backend, request = generator(url), Request("p", {}, schema={"type": "object"})
    backend.write([request])
    backend.write([Request("p", {})])
    (first, second) = server.asked
    assert first["response_format"]["json_schema"]["schema"] == {"type": "object"} and "response_format" not in second


def test_a_server_that_knows_no_schema_is_asked_without(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    refusal = {"error": {"message": "response_format is not supported by this model"}}
    server.respond = lambda asked: (  # type: ignore[method-assign]
        server.asked.append(asked) or ((400, refusal) if "response_format" in asked else (200, completion("{}")))  # type: ignore[func-returns-value]
    )
    backend, request = generator(url, parallel=1), Request("p", {}, schema={"type": "object"})
    assert [written.text for written in backend.write([request, request])] == ["{}", "{}"]
    assert ["response_format" in asked for asked in server.asked] == [True, False, False], "it is refused once"


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
    assert "the model wrote nothing" in str(generator(url).write([Request("p", {})])[0].error)
    server.answer = 200, {**completion(""), "choices": []}
    assert "without choices" in str(generator(url).write([Request("p", {})])[0].error)


def host(url: str) -> str:
    return url.removeprefix("http://").removesuffix("/v1")


PAGE = "<!doctype html>\n<html><head><title>Bad\n request</title></head><body><h1>nginx</h1></body></html>"


@pytest.mark.parametrize("status", [400, 413, 418, 422, 451])
@pytest.mark.parametrize("body", [{"error": {"message": "Bad request", "type": "x"}}, {"detail": "Bad request"}, PAGE])
def test_a_request_the_server_refuses_is_a_row_with_an_error(
    scripted: tuple[str, Answers], status: int, body: dict[str, Any] | str
) -> None:
    url, server = scripted
    server.answer = status, body
    (written,) = generator(url).write([Request("p", {})])
    assert written.error is not None and "\n" not in written.error and "<" not in written.error
    assert f"{host(url)} answered {status}: Bad request." in written.error and "[feedback]" in written.error
    assert (written.text, len(server.asked)) == ("", 1)


@pytest.mark.parametrize("body", [{"error": {"message": "No can do"}}, "<title>No can do</title>"])
@pytest.mark.parametrize("status", [401, 402, 403, 404, 405])
def test_a_wrong_key_or_model_is_a_mistake_in_the_profile(
    scripted: tuple[str, Answers], status: int, body: dict[str, Any] | str
) -> None:
    url, server = scripted
    server.answer = status, body
    with pytest.raises(InputError, match=rf"{host(url)} answered {status}: No can do\. .*\[feedback\]") as caught:
        generator(url).write([Request("p", {})])
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "message", ["No models loaded. Please load one.", "model 'tiny' not found", "tiny is not a valid model ID"]
)
def test_a_missing_model_is_a_mistake_in_the_profile_whatever_the_status(
    scripted: tuple[str, Answers], message: str
) -> None:
    url, server = scripted
    server.answer = 400, {"error": {"message": message}}
    with pytest.raises(InputError, match=r"model \(tiny\)"):
        generator(url).write([Request("p", {})])


def test_a_web_page_is_the_wrong_address(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 200, "<html><title>Chat with us</title></html>"
    with pytest.raises(InputError, match=r"web page: Chat with us.*base_url in \[judge\]"):
        generator(url, section="judge").write([Request("p", {})])


def test_what_is_no_chat_completion_is_a_row_with_an_error(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 200, {"error": {"message": "upstream is busy", "code": 502}}
    (written,) = generator(url).write([Request("p", {})])
    assert f"{host(url)} answered 200: no chat completion: upstream is busy" in str(written.error)
    assert "upstream" in written.raw


UNKNOWN = "Unsupported parameter: '{}' is not supported with this model. Use '{}' instead."


@pytest.mark.parametrize(
    ("known", "unknown"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
@pytest.mark.parametrize("status", [400, 422])
def test_the_token_limit_goes_by_the_name_that_the_server_knows(
    scripted: tuple[str, Answers], known: str, unknown: str, status: int
) -> None:
    url, server = scripted

    def respond(asked: dict[str, Any]) -> tuple[int, Any]:
        server.asked.append(asked)
        if unknown in asked:
            return status, {"error": {"message": UNKNOWN.format(unknown, known), "param": unknown}}
        return 200, completion("1. Apologize.")

    server.respond = respond  # type: ignore[method-assign]
    backend = generator(url, parallel=1)
    if unknown == "max_completion_tokens":
        backend._options = {"model": "tiny", "max_completion_tokens": 8}
    written = backend.write([Request("p", {})] * 3)
    assert [one.text for one in written] == ["1. Apologize."] * 3
    assert [known in asked for asked in server.asked] == [False, True, True, True]
    assert server.asked[-1][known] == 8 and unknown not in server.asked[-1]


def test_a_server_without_a_seed_is_asked_without(scripted: tuple[str, Answers]) -> None:
    url, server = scripted

    def respond(asked: dict[str, Any]) -> tuple[int, Any]:
        refusal = {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
        return (422, refusal) if "seed" in asked else (200, completion("1. Apologize."))

    server.respond = respond  # type: ignore[method-assign]
    assert generator(url).write([Request("p", {})])[0].text == "1. Apologize."


def test_a_server_that_knows_neither_name_is_asked_twice(scripted: tuple[str, Answers]) -> None:
    url, server = scripted

    def respond(asked: dict[str, Any]) -> tuple[int, Any]:
        server.asked.append(asked)
        name = next(name for name in asked if name.startswith("max_"))
        return 400, {"error": {"message": f"unknown field {name}"}}

    server.respond = respond  # type: ignore[method-assign]
    (written,) = generator(url).write([Request("p", {})])
    assert "unknown field max_completion_tokens" in str(written.error) and len(server.asked) == 2


def test_a_limit_that_is_too_large_is_not_an_unknown_name(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    server.answer = 400, {"error": {"message": "'max_tokens' is too large: 8. The context length is 4."}}
    assert "too large" in str(generator(url).write([Request("p", {})])[0].error)
    assert len(server.asked) == 1


def test_thinking_that_the_prompt_opened_is_known_by_the_answers_that_end_it(scripted: tuple[str, Answers]) -> None:
    url, server = scripted

    def respond(asked: dict[str, Any]) -> tuple[int, Any]:
        if asked["messages"][0]["content"] == "short":
            return 200, completion("Hm, soup.</think>1. Apologize.")
        return 200, completion("Okay, soup. 1. Maybe", "length")

    server.respond = respond  # type: ignore[method-assign]
    short, long = generator(url).write([Request("short", {}), Request("long", {})])
    assert (short.text, short.error) == ("1. Apologize.", None)
    assert (long.text, long.raw) == ("", "Okay, soup. 1. Maybe") and ONLY_THOUGHT in str(long.error)


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize("body", [{"error": {"message": "busy"}}, "<title>busy</title>"])
def test_a_server_in_trouble_leaves_the_rows_pending(
    scripted: tuple[str, Answers], monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, Any] | str
) -> None:
    url, server = scripted
    server.answer = status, body
    monkeypatch.setattr(openai_backend, "ATTEMPTS", 1)
    backend = generator(url)
    with pytest.raises(BackendDown, match=f"{host(url)} answered {status}: busy.*stay pending"):
        backend.write([Request("p", {})])


def test_a_server_that_is_down() -> None:
    backend = generator(f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(BackendDown) as caught:
        backend.write([Request("p", {})])
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_no_base_url_is_a_mistake_in_the_profile() -> None:
    with pytest.raises(InputError, match="base_url"):
        generator("")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"


def raw_server(answer: bytes, pause: float = 0.0, times: int = 1, head: bytes = HEAD) -> AbstractContextManager[str]:
    """A server that answers every request with a head and these bytes, again and again with a pause."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            with contextlib.suppress(OSError):
                self.request.sendall(head)
                for _ in range(times):
                    self.request.sendall(answer)
                    time.sleep(pause)

    @contextlib.contextmanager
    def running() -> Iterator[str]:
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
            server.shutdown()

    return running()


def test_a_response_without_end_is_a_row_with_an_error() -> None:
    with raw_server(b" " * 100_000, times=1000) as url:
        (one,) = generator(url).write([Request("p", {})])
    assert one.text == "" and "sent too much" in str(one.error)


def test_a_server_that_trickles_is_given_one_timeout_in_all() -> None:
    with raw_server(b" ", pause=0.05, times=200) as url:
        started = time.monotonic()
        with pytest.raises(BackendDown, match="Timeout"):
            generator(url, timeout=0.5).write([Request("p", {})])
    assert time.monotonic() - started < 5, "200 bytes take ten seconds"


def test_neither_do_headers_that_trickle_take_longer() -> None:
    with raw_server(b"x", pause=0.05, times=200, head=b"HTTP/1.1 200 OK\r\nX-Slow: ") as url:
        started = time.monotonic()
        with pytest.raises(BackendDown, match="Timeout"):
            generator(url, timeout=0.5).write([Request("p", {})])
    assert time.monotonic() - started < 5, "200 bytes take ten seconds"


def test_a_redirect_is_not_followed() -> None:
    elsewhere: list[Any] = []
    with answering(lambda asked: elsewhere.append(asked) or (200, completion("1. Go."))) as other:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {other}/v1/chat/completions\r\nContent-Length: 0\r\n\r\n"
        with raw_server(b"", head=head.encode()) as url, pytest.raises(InputError, match=r"answered 307.*base_url"):
            generator(url).write([Request("p", {})])
    assert elsewhere == [], "reviews go where the profile says"


def test_tokens_are_the_servers_own_also_of_answers_without_a_text(scripted: tuple[str, Answers]) -> None:
    url, server = scripted
    for content in ("1. Apologize.", None, "<think>Hm."):
        server.answer = 200, {**completion(content), "usage": {"prompt_tokens": 12, "completion_tokens": 3}}
        assert generator(url).write([Request("p", {})])[0].usage == (12, 3)


def test_what_was_answered_before_a_server_fails_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def respond(question: Any) -> tuple[int, Any]:
        asked.append(question["messages"][0]["content"])
        good = {"choices": [{"finish_reason": "stop", "message": {"content": f"1. Do {asked[-1]}."}}]}
        return (429, {"error": {"message": "slow down"}}) if len(asked) > 3 else (200, good)

    monkeypatch.setattr(openai_backend, "ATTEMPTS", 1)
    with answering(respond) as url, pytest.raises(BackendDown, match="slow down") as caught:
        generator(f"{url}/v1", parallel=1).write([Request(str(n), {}) for n in range(8)])
    assert [one and one.text for one in caught.value.answers] == ["1. Do 0.", "1. Do 1.", "1. Do 2.", *[None] * 5]
    assert len(asked) == 4, "nothing more is asked"


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = iter((503, 429, 200))
    good = {"choices": [{"finish_reason": "stop", "message": {"content": "1. Go \ud800on.\x00"}}]}
    pauses: list[float] = []
    monkeypatch.setattr(openai_backend, "_pause", lambda state: pauses.append(0.0) or 0.0)
    with answering(lambda question: (next(statuses), good)) as url:
        (one,) = generator(f"{url}/v1").write([Request("p", {})])
    assert (one.text, len(pauses)) == ("1. Go ?on.", 2)


def test_the_server_says_how_long_to_wait() -> None:
    class State:
        attempt_number = 1

        def __init__(self, after: str) -> None:
            response = SimpleNamespace(headers={"retry-after": after} if after else {})
            self.outcome = SimpleNamespace(exception=lambda: SimpleNamespace(response=response))

    assert openai_backend._pause(State("7")) == 7.0
    for unusable in ("", "soon"):
        assert 0 <= openai_backend._pause(State(unusable)) <= 8
