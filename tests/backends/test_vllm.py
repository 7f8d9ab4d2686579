"""The vllm backend on a stand-in for the package, whose engine is transformers on a tiny checkpoint: what we send, and what we read."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from pipeline.backends.base import Request
from pipeline.backends.transformers import TransformersGenerator
from pipeline.backends.vllm import VLLMGenerator
from pipeline.core import profile as profiles
from pipeline.core.errors import InputError
from tests.checkpoints import Checkpoints

PROFILE = profiles.load("embedded")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the stand-in was given: options of the engine, then parameters of each text."""
    seen: list[Any] = []

    class LLM:
        def __init__(self, model: str, **options: Any) -> None:
            if "nowhere" in model:
                raise ValueError("no such\nmodel")
            seen.append(options)
            self.writer = TransformersGenerator(model, "main", quantize="none", max_new_tokens=6)
            self.model_config = types.SimpleNamespace(max_model_len=200)

        def get_tokenizer(self) -> Any:
            return self.writer.tokenizer

        def generate(self, prompts: list[Any], params: list[Any], use_tqdm: bool) -> list[Any]:
            from pipeline.backends.decoding import decode

            seen.extend(params)
            texts = decode(self.writer.network, [one["prompt_token_ids"] for one in prompts], self.writer.options, 4)
            outputs = []
            for tokens in texts:
                length = self.writer._length(tokens)
                text = self.writer.tokenizer.decode(tokens[:length], skip_special_tokens=True)
                reason = "length" if length == len(tokens) else "stop"
                answer = types.SimpleNamespace(text=text, finish_reason=reason, token_ids=tokens[:length])
                outputs.append(types.SimpleNamespace(outputs=[answer]))
            return outputs

    module, sampling = types.ModuleType("vllm"), types.ModuleType("vllm.sampling_params")
    module.LLM, module.SamplingParams = LLM, types.SimpleNamespace  # type: ignore[attr-defined]
    sampling.StructuredOutputsParams = types.SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    return seen


def section(model: str, **changes: Any) -> profiles.Feedback:
    return profiles.Feedback(backend="vllm", model=model, max_new_tokens=6, **changes)


def test_it_writes_what_transformers_does(tiny: Checkpoints, asked: list[Any]) -> None:
    requests = [Request("Soup", {}), Request("Cold </s> soup", {}), Request("soup " * 300, {})]
    found = VLLMGenerator.from_section(section(tiny.mistral), PROFILE).write(requests)
    theirs = TransformersGenerator(tiny.mistral, "main", quantize="none", max_new_tokens=6).write(requests[:2])
    assert found[:2] == theirs
    assert found[2].error is not None and "room for 194" in found[2].error
    options, *params = asked
    assert options["trust_remote_code"] is False and options["load_format"] == "safetensors"
    assert options["enable_prefix_caching"] and options["revision"] == options["tokenizer_revision"] == "main"
    assert [(one.max_tokens, one.temperature, one.structured_outputs) for one in params] == [(6, 0.0, None)] * 2


def test_a_schema_is_handed_on_and_nf4_is_bitsandbytes(tiny: Checkpoints, asked: list[Any]) -> None:
    generator = VLLMGenerator.from_section(section(tiny.mistral, quantize="nf4"), PROFILE)
    generator.write([Request("Soup", {}, schema={"type": "object"})])
    assert asked[0]["quantization"] == "bitsandbytes" and asked[1].structured_outputs.json == {"type": "object"}


def test_a_model_that_cannot_be_loaded_and_a_missing_package(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"could not be loaded by vLLM: no such model$"):
        VLLMGenerator.from_section(section("nowhere"), PROFILE)
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(InputError, match=r"review-insights\[vllm\]"):
        VLLMGenerator.from_section(section("any"), PROFILE)
