"""A GGUF file, run in this process by llama.cpp (package xllamacpp); nothing leaves the machine.

[feedback]
backend = "gguf"
model = "models/mistral-7b-instruct-v0.2.Q4_K_M.gguf"
revision = "sha256:3e0039..."   # optional: the file's hash, or its beginning
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from pathlib import Path
from typing import Any, Self

from pipeline.backends.openai import OpenAIGenerator
from pipeline.core.errors import InputError
from pipeline.core.profile import Feedback, Judge, Profile

CONTEXT = 4096  # tokens of prompt and answer together
_CHECKED = "sha256:"


class GGUFGenerator(OpenAIGenerator):
    """llama.cpp's own server on the loopback device, with a key that only this process knows, asked as any other server: it
    holds models to a schema, and reads the file's chat template. It ends with the process.
    """

    def __init__(self, file: Path, *, max_new_tokens: int, temperature: float, timeout: float, section: str) -> None:
        try:
            import xllamacpp
        except ImportError as error:
            raise InputError("The gguf backend needs its package: pip install 'review-insights[local]'") from error
        params, key = xllamacpp.CommonParams(), secrets.token_hex(16)
        params.model.path = str(file)
        params.n_ctx, params.n_parallel, params.warmup = CONTEXT, 1, False
        params.cpuparams.n_threads = (
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        )
        params.api_keys = [key]
        try:
            self._server_of_ours: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            raise InputError(f"{file} cannot be loaded: {error}. Is it a whole GGUF file of a chat model?") from error
        super().__init__(
            file.stem,
            f"{self._server_of_ours.listening_address}/v1",
            "",
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            timeout=timeout,
            parallel=1,
            section=section,
            key=key,
        )

    @classmethod
    def from_section(cls, section: Feedback | Judge, profile: Profile) -> Self:
        """Loads the file. Raises InputError if it is missing, is another file than `revision` says, or cannot be loaded."""
        file = Path(section.model).expanduser()
        if not file.is_file():
            raise InputError(
                f"[feedback] model: there is no file {file}. Name a GGUF file of a chat model; its card has the address."
            )
        _check(file, getattr(section, "revision", "main"))
        return cls(
            file,
            max_new_tokens=section.max_new_tokens,
            temperature=section.temperature,
            timeout=section.timeout,
            section="judge" if isinstance(section, Judge) else "feedback",
        )


def _check(file: Path, revision: str) -> None:
    if revision.startswith(_CHECKED):
        wanted, found = revision.removeprefix(_CHECKED), _digest(file)
        if not wanted or not found.startswith(wanted.lower()):
            raise InputError(f"{file} is not the file that revision names: its hash is {_CHECKED}{found}.")


@functools.lru_cache(maxsize=4)
def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
