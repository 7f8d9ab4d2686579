"""Any server that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM, `transformers serve`, OpenAI itself.

[feedback]
backend = "openai"
model = "mistral:7b-instruct"
base_url = "http://localhost:11434/v1"
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from pipeline.backends.base import Request, Written
from pipeline.core.errors import BackendDown, InputError
from pipeline.core.profile import Feedback, Judge, Profile


class OpenAIGenerator:
    """A model behind a server, sent `parallel` requests at a time. `timeout`: seconds per request.

    Raises InputError without the openai package or without `base_url`.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key_env: str,
        *,
        max_new_tokens: int,
        temperature: float,
        seed: int = 0,
        timeout: float = 120.0,
        parallel: int = 8,
    ) -> None:
        try:
            import openai
        except ImportError as error:
            raise InputError("The openai backend needs its package: pip install 'review-insights[openai]'") from error
        if not base_url:
            raise InputError('The openai backend needs base_url in [feedback], such as "http://localhost:11434/v1".')
        self._openai = openai
        self.model, self.base_url, self.parallel = model, base_url, parallel
        self._options: dict[str, Any] = {
            "model": model,
            "max_tokens": max_new_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        # Local servers need no key, but the client insists on one.
        key = os.environ.get(api_key_env) or "none"
        self._client = openai.OpenAI(base_url=base_url, api_key=key, timeout=timeout, max_retries=2)

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Self:
        """Contacts no server yet."""
        return cls(
            section.model,
            section.base_url,
            section.api_key_env,
            max_new_tokens=section.max_new_tokens,
            temperature=section.temperature,
            timeout=section.timeout,
        )

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order. Raises BackendDown if the server does not answer, InputError if it refuses the
        model or the key.
        """
        with ThreadPoolExecutor(self.parallel) as pool:
            return list(pool.map(self._write_one, requests))

    def _write_one(self, request: Request) -> Written:
        api = self._openai
        try:
            answer = self._client.chat.completions.create(
                messages=[{"role": "user", "content": request.prompt}], **self._options
            )
        except (api.APIConnectionError, api.InternalServerError, api.RateLimitError) as error:
            raise BackendDown(
                f"The model server at {self.base_url} does not answer ({type(error).__name__}). "
                "Start it, or name another in the profile's [feedback] base_url; the reviews stay pending."
            ) from error
        except (api.AuthenticationError, api.PermissionDeniedError, api.NotFoundError) as error:
            raise InputError(
                f"The model server at {self.base_url} refuses model {self.model!r}: {error.message} "
                "Check model, base_url and the key's environment variable in [feedback]."
            ) from error
        except api.BadRequestError as error:  # this request alone: too long, filtered, ...
            return Written("", "", error=f"server: {error.message}")
        if not answer.choices:
            return Written("", "", error="the server's answer holds no choice")
        raw = answer.choices[0].message.content or ""
        truncated = answer.choices[0].finish_reason == "length"
        return Written(raw.strip(), raw, truncated=truncated, error=None if raw.strip() else "the model wrote nothing")
