"""Prompt templates: load, render, hash. The files and their contract: `prompts/README.md`.

A released prompt never changes (a test compares it with its sha256 in `prompts.lock`): an edit is a new version.
Reviews are data: whatever a review says, it stands between markers that it cannot close.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import jinja2

from pipeline.core.assets import PROMPTS
from pipeline.core.defuse import defused
from pipeline.core.errors import InputError

_ENVIRONMENT = jinja2.Environment(
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=False,
    autoescape=False,
)


@functools.cache
def load(name: str) -> str:
    """The source of a template, such as load("feedback.v1"). Raises InputError, listing all, if there is none."""
    file = PROMPTS / f"{name}.jinja"
    if not file.is_file() or file.parent != PROMPTS:
        known = ", ".join(sorted(path.stem for path in PROMPTS.glob("*.jinja")))
        raise InputError(f"There is no prompt {name!r}. Known: {known}.")
    return file.read_text(encoding="utf-8")


def has_slots(name: str) -> bool:
    """Whether the model may write markers that are filled in afterwards (`pipeline.advice.markers.slots`)."""
    return load(name).startswith("{# slots #}")


def asks_for_json(name: str) -> bool:
    """Whether the model must answer by a schema, and its answer is checked (`pipeline.advice.checked`)."""
    return load(name).startswith("{# json #}")


def sha256(name: str) -> str:
    """Hash of the template's source, 64 hex digits, for fingerprints. Raises InputError as `load` does."""
    return hashlib.sha256(load(name).encode()).hexdigest()


@functools.cache
def _template(name: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(load(name))


def render(name: str, **variables: Any) -> str:
    """The prompt as text. Raises jinja2.UndefinedError if a variable is missing."""
    return _template(name).render(**variables).strip()


def as_data(text: str, marker: str = "review") -> str:
    """A customer's text that can neither end its own section of a prompt nor its turn of a chat (`defuse`)."""
    return defused(text, marker)
