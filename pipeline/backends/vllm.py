"""A teacher on a GPU, run in this process by vLLM: continuous batching over pages of memory, and common beginnings kept.

[feedback]
backend = "vllm"
model = "mistralai/Mistral-7B-Instruct-v0.2"
quantize = "none"               # auto and none: as the checkpoint is; nf4: by bitsandbytes
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pipeline.backends.base import Request, Written
from pipeline.backends.cleaning import written
from pipeline.backends.prompting import Prompting, no_room
from pipeline.core.errors import InputError
from pipeline.core.profile import Feedback, Profile


class VLLMGenerator:
    """Any chat model that vLLM runs. Answers are held to a request's schema."""

    def __init__(
        self, model: str, revision: str, *, quantize: str, max_new_tokens: int, temperature: float, seed: int = 0
    ) -> None:
        try:
            import vllm
        except ImportError as error:
            raise InputError(
                "The vllm backend needs a GPU and its package: pip install 'review-insights[vllm]'. "
                'Without, take backend = "transformers", or a server.'
            ) from error
        self.model = Path(model).name if Path(model).is_dir() else model
        options = {"quantization": "bitsandbytes"} if quantize == "nf4" else {"load_format": "safetensors"}
        try:
            self.engine: Any = vllm.LLM(
                model=model,
                revision=revision,
                tokenizer_revision=revision,
                trust_remote_code=False,
                enable_prefix_caching=True,
                seed=seed,
                **options,
            )
        except (OSError, RuntimeError, ValueError) as error:
            cause = " ".join(str(error).split())[:200]
            raise InputError(f"Model {model!r} (revision {revision}) could not be loaded by vLLM: {cause}") from error
        self.prompting = Prompting(self.engine.get_tokenizer())
        self.max_new_tokens, self.temperature, self.seed = max_new_tokens, temperature, seed

    @classmethod
    def from_section(cls, section: Feedback, profile: Profile) -> Self:
        """Raises InputError if the package is missing or the model cannot be loaded."""
        return cls(
            section.model,
            section.revision,
            quantize=section.quantize,
            max_new_tokens=section.max_new_tokens,
            temperature=section.temperature,
        )

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; with an error where the prompt leaves no room for the answer."""
        inputs = [self.prompting.ids(request.prompt) for request in requests]
        room = self.engine.model_config.max_model_len - self.max_new_tokens
        results = [Written("", "", error=no_room(len(ids), room, self.model)) for ids in inputs]
        fitting = [index for index, ids in enumerate(inputs) if len(ids) <= room]
        outputs = self.engine.generate(
            [{"prompt_token_ids": inputs[index]} for index in fitting],
            [self._sampling(requests[index]) for index in fitting],
            use_tqdm=False,
        )
        for index, output in zip(fitting, outputs, strict=True):
            (answer,) = output.outputs
            text = written(
                answer.text, truncated=answer.finish_reason == "length", opened=self.prompting.opens_thinking
            )
            results[index] = replace(text, usage=(len(inputs[index]), len(answer.token_ids)))
        return results

    def _sampling(self, request: Request) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        held = StructuredOutputsParams(json=dict(request.schema)) if request.schema else None
        return SamplingParams(
            max_tokens=self.max_new_tokens, temperature=self.temperature, seed=self.seed, structured_outputs=held
        )
