"""Any server that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM, `transformers serve`, OpenAI itself.

[feedback]
backend = "openai"
model = "mistral:7b-instruct"
base_url = "http://localhost:11434/v1"
"""

from __future__ import annotations

import functools
import os
import re
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Self
from urllib.parse import urlsplit

from pipeline.backends import cleaning
from pipeline.backends.base import Request, Written
from pipeline.backends.responses import WebPage, answer, reason, storable
from pipeline.core.errors import BackendDown, InputError, ReviewInsightsError
from pipeline.core.profile import Feedback, Judge, Profile

Options = dict[str, Any]  # of a request, by their names in the API

# Reasoning models of OpenAI know only the newer name, other servers only the older one.
_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_UNKNOWN_NAME = re.compile(
    r"support|recogni[sz]ed|unknown|unexpected|permitted|not allowed|forbidden|instead|extra", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"\bmodels?\b.{0,80}(?:not found|does not exist|not loaded)|not a valid model|no models? (?:is |are )?loaded",
    re.IGNORECASE,
)
ATTEMPTS = 4
PATIENCE = 60.0  # seconds from the first attempt of a request to the last
_NO_ACCESS = (401, 402, 403)
_NOT_FOUND = (
    404,
    405,
    *range(300, 400),
)  # no redirect is followed: reviews go where the profile says, and nowhere else
_BUSY = (408, 409, 429)  # these have been tried again, as have 500 and above


class OpenAIGenerator:
    """A model behind a server, sent `parallel` requests at a time. `timeout`: seconds per request; `section`: the part of the
    profile that errors point to; `key`: instead of that in the environment variable `api_key_env`.

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
        section: str = "feedback",
        key: str | None = None,
    ) -> None:
        try:
            import openai

            from pipeline.backends import bounded
        except ImportError as error:
            raise InputError("The openai backend needs its package: pip install 'review-insights[openai]'") from error
        if not base_url:
            raise InputError(f'The openai backend needs base_url in [{section}], such as "http://localhost:11434/v1".')
        self._openai, self._too_large = openai, bounded.TooLarge
        self.model, self.parallel, self.section, self._key_variable = model, parallel, section, api_key_env
        self._server = f"The model server at {urlsplit(base_url).netloc.rpartition('@')[2] or base_url}"
        self._options: Options = {
            "model": model,
            "max_tokens": max_new_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        self._knows_schemas = True  # until it refuses one
        # Local servers need no key, but the client insists on one.
        key = key or os.environ.get(api_key_env) or "none"
        http = openai.DefaultHttpxClient(transport=bounded.BoundedTransport(timeout), follow_redirects=False)
        weakref.finalize(self, http.close)  # the client closes only a transport of its own
        self._client = openai.OpenAI(base_url=base_url, api_key=key, timeout=timeout, max_retries=0, http_client=http)

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
            section="judge" if isinstance(section, Judge) else "feedback",
        )

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; with an error where the server refuses a request or sends no answer. Raises
        BackendDown if the server does not answer, InputError if it would refuse every request.
        """
        down = threading.Event()  # then nothing more is asked
        with ThreadPoolExecutor(self.parallel) as pool:
            outcomes = list(pool.map(functools.partial(self._attempt, down), requests))
        answers = [one if isinstance(one, Written) else None for one in outcomes]
        errors = [one for one in outcomes if isinstance(one, ReviewInsightsError)]
        known = self._without_thoughts([one for one in answers if one])
        if not errors:
            return known
        remaining = iter(known)
        errors[0].answers = [one and next(remaining) for one in answers]
        raise errors[0]

    def _without_thoughts(self, answers: list[Written]) -> list[Written]:
        if not any(one.text and cleaning.closes_unopened(one.raw) for one in answers):
            return answers
        # The template opens the thinking: an answer that was cut before the thinking ended holds nothing else.
        return [
            replace(self._located(cleaning.written(one.raw, True, opened=True)), usage=one.usage)
            if one.text and one.truncated
            else one
            for one in answers
        ]

    def _attempt(self, down: threading.Event, request: Request) -> Written | ReviewInsightsError | None:
        """The answer, or the error that ends the batch; None: not asked any more."""
        if down.is_set():
            return None
        try:
            return self._write_one(request)
        except ReviewInsightsError as error:
            down.set()
            return error

    def _write_one(self, request: Request) -> Written:
        try:
            return self._located(answer(self._ask([{"role": "user", "content": request.prompt}], request.schema)))
        except self._openai.APIConnectionError as error:
            if isinstance(error.__cause__, self._too_large):
                return Written("", "", error=f"{self._server} sent too much: {error.__cause__}")
            raise BackendDown(
                f"{self._server} does not answer ({type(error).__name__}). Start it, raise timeout, or name another in "
                f"the profile's [{self.section}] base_url; the reviews stay pending."
            ) from error
        except self._openai.APIStatusError as error:
            return self._refused(error.status_code, error.response.text, error)
        except WebPage as page:
            raise InputError(
                f"{self._server} answered with a web page: {page}. Check base_url in [{self.section}]: it is the address of "
                "the API, which mostly ends in /v1."
            ) from page

    def _located(self, one: Written) -> Written:
        """With the server in its error, if it has one."""
        return replace(one, error=f"{self._server} answered 200: {one.error}") if one.error else one

    def _ask(self, messages: Any, schema: Mapping[str, Any] | None) -> str:
        """The body of a response. Where the server refuses an option by its name, it is asked again in another way, which
        is kept if the server accepts it. A server that knows no schema is asked without: answers are checked anyhow.
        """
        options, refused = self._options, list[Options]()
        if schema and self._knows_schemas:
            options = options | {"response_format": _format(schema)}
        while True:
            try:
                response = self._retrying(self._client.chat.completions.with_raw_response.create, messages, options)
            except (self._openai.BadRequestError, self._openai.UnprocessableEntityError) as error:
                refused.append(options)
                options = _other_options(options, reason(error.response.text))
                if options in refused:
                    raise
            else:
                self._knows_schemas = self._knows_schemas and (not schema or "response_format" in options)
                self._options = {name: value for name, value in options.items() if name != "response_format"}
                return str(response.text)

    def _retrying(self, create: Callable[..., Any], messages: Any, options: Options) -> Any:
        """A response; what may pass is tried again after what the server asks for, or longer each time, within PATIENCE."""
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass),
            wait=_pause,
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(PATIENCE),
            reraise=True,
        )
        return retrying(create, messages=messages, **options)

    def _may_pass(self, error: BaseException) -> bool:
        if isinstance(error, self._openai.APIStatusError):
            return error.status_code in _BUSY or error.status_code >= 500
        # A server that took its time once takes it again.
        return isinstance(error, self._openai.APIConnectionError) and not (
            isinstance(error, self._openai.APITimeoutError) or isinstance(error.__cause__, self._too_large)
        )

    def _refused(self, status: int, body: str, error: Exception) -> Written:
        """The row for a refused request. Raises BackendDown if the server is in trouble, InputError if it would refuse every
        request.
        """
        why = f"{self._server} answered {status}: {reason(body)}"
        why = why if why.endswith((".", "!", "?", "…")) else f"{why}."
        if status >= 500 or status in _BUSY:
            raise BackendDown(f"{why} Its log may say more; the reviews stay pending for the next run.") from error
        if status in _NO_ACCESS:
            raise InputError(
                f"{why} Check the key and its account: api_key_env in [{self.section}] names the environment variable, "
                f"{self._key_variable}."
            ) from error
        if status in _NOT_FOUND or _NO_MODEL.search(reason(body)):
            raise InputError(
                f"{why} Check model ({self.model}) and base_url in [{self.section}]; the address mostly ends in /v1."
            ) from error
        return Written(
            "", storable(body), error=f"{why} Check the review's length and the options in [{self.section}]."
        )


def _pause(state: Any) -> float:
    """Seconds until the next attempt: what the server asks for, else 0.5 to 8, about twice as long each time."""
    import tenacity

    error = state.outcome.exception()
    asked = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
    return float(asked) if asked.isdecimal() else tenacity.wait_random_exponential(multiplier=0.5, max=8)(state)


def _format(schema: Mapping[str, Any]) -> Options:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


def _other_options(options: Options, why: str) -> Options:
    """The options with the other name of the token limit, or without the seed, if the server does not know that name."""
    if _UNKNOWN_NAME.search(why):
        for name, other in _LIMITS.items():
            if name in options and re.search(rf"\b{name}\b", why):
                return {other if key == name else key: value for key, value in options.items()}
        if "response_format" in options and re.search(
            r"response.?format|schema|grammar|structured", why, re.IGNORECASE
        ):
            return {key: value for key, value in options.items() if key != "response_format"}
        if re.search(r"\bseed\b", why):
            return {key: value for key, value in options.items() if key != "seed"}
    return options
