"""The sentences of the playbook's advice, per language (`phrases/CODE.toml`), and which language advice is written in."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from pipeline.core.errors import InputError
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse, sql_file
from pipeline.text.language import languages, read_per_language

ENGLISH = "en"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Phrases:
    """Sentences with {slots}, in the order in which they are written."""

    problem: str  # {name} of a problem, {quote}
    complaint: str  # of no known problem: {quote}
    cause: str  # {cause}
    mention: str  # what nobody called negative: {label}, {quote}
    praise: str  # {quote}
    steps: str  # before the numbered list
    customer: str  # {step} for this customer
    ask: str  # a step where nothing is complained of
    watch: str  # {measure}
    look: Mapping[str, str]  # group of themes, or "case", "choice" -> a step about the {quote} of no known problem


@functools.cache
def phrases() -> Mapping[str, Phrases]:
    """ISO 639-1 code -> the sentences of the language."""
    return read_per_language(Path(__file__).with_name("phrases"), Phrases)


def advice_language(context: Context) -> str:
    """What the profile says, or else the language of most reviews in the warehouse if advice can be written in it; English if
    not. ISO 639-1. Raises InputError for a language without phrases.
    """
    chosen = context.profile.feedback.language
    if chosen in phrases():
        return chosen
    if chosen != "auto":
        raise InputError(f"[feedback] language {chosen!r}: advice is written in {', '.join(phrases())}, or 'auto'.")
    main = _main_language(context.warehouse, context.run_id)
    return main if main is not None and main in phrases() else ENGLISH


@functools.lru_cache(maxsize=1)  # a scan of all reviews, which a stage would repeat for every batch
def _main_language(warehouse: Warehouse, run_id: str) -> str | None:
    language: str | None = warehouse.value(sql_file("reading", "main_language.sql"))
    return language


def laid_out(language: str, sentences: Sequence[str], steps: Sequence[str], closing: str = "") -> str:
    """Advice as text: what was found, the numbered steps, and a last sentence."""
    blank = " " if languages()[language].spaced else ""
    listed = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    parts = (blank.join(sentences), f"{phrases()[language].steps}\n\n{listed}", closing)
    return "\n\n".join(filter(None, parts))
