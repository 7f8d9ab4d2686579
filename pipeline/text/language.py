"""What the project knows about each language (a file each in `languages/`), and which language a text is in.

To add a language, write `languages/CODE.toml`; with `advice/replies/CODE.toml` beside it, reviews in it get reply drafts too.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pipeline.core.errors import InputError

T = TypeVar("T")
FOLDER = Path(__file__).with_name("languages")


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Language:
    """The words of one language. Unless noted otherwise an entry is a regular expression, matched regardless of case in
    texts of every language: reviews mix them, and that of a short one is uncertain. So a word that is common in another
    language ("men", "dog") must be left out or given with neighbours that make it unambiguous.
    """

    name: str  # in English
    lingua: str = ""  # the detector's name for it; empty: never detected
    spaced: bool = True  # words are separated by spaces

    # Sentences. A full stop after these does not end one:
    abbreviations: tuple[str, ...] = ()
    abbreviations_at_end: tuple[str, ...] = ()  # plain words; does end one if a capital follows
    abbreviations_before_number: tuple[str, ...] = ()  # plain words; abbreviations only before a digit ("no. 5")
    ordinal_followers: tuple[str, ...] = ()  # what follows an ordinal written with a full stop ("im 3. Stock")

    # Clauses. A contrast word opens one, since a sentence may hold opposite opinions:
    contrast: tuple[str, ...] = ()  # whole words; anywhere in languages without spaces
    contrast_after_comma: tuple[str, ...] = ()

    # Dates and ratings in a source's columns:
    months: tuple[str, ...] = ()  # plain lower-case words, January first; only spellings that CLDR lacks
    date_words: tuple[str, ...] = ()  # plain words in a date ("the 5th of"), beyond those in the formats of CLDR
    date_phrases: tuple[str, ...] = ()  # around a date ("Reviewed in India on")
    numbers: tuple[str, ...] = ()  # plain lower-case words, one first
    stars: tuple[str, ...] = ()  # "4 stars"
    rated: tuple[str, ...] = ()  # "Rating: 4"
    out_of: tuple[str, ...] = ()  # "4 out of 5"
    out_of_before: tuple[str, ...] = ()  # the same with the 5 first

    def __post_init__(self) -> None:
        if len(self.months) not in (0, 12):
            raise ValueError(f"months: {len(self.months)} names where a year has 12")


def read_per_language(folder: Path, kind: type[T]) -> dict[str, T]:
    """{ISO 639-1 code: content of CODE.toml} for a folder, sorted by code. Raises InputError for an unknown or missing key,
    a wrong type or broken TOML.
    """
    adapter = TypeAdapter(kind)
    result = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            result[file.stem] = adapter.validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise InputError(
                f"{file} cannot be used: {problems}. Its keys are the fields of {kind.__name__}."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{file} is not valid TOML: {error}.") from error
    return result


@functools.cache
def languages() -> Mapping[str, Language]:
    """Every language by its ISO 639-1 code."""
    return read_per_language(FOLDER, Language)


def entries(key: str, spaced: bool | None = None) -> list[str]:
    """All languages' entries under a key, each once. `spaced`: only languages with (or without) spaces between words."""
    chosen = [language for language in languages().values() if spaced in (None, language.spaced)]
    return list(dict.fromkeys(word for language in chosen for word in getattr(language, key)))


def any_of(key: str, spaced: bool | None = None) -> str:
    """A regular expression that matches any of `entries(key, spaced)`, or nothing if there are none."""
    return f"(?:{'|'.join(entries(key, spaced)) or '(?!)'})"


# --- Declared languages ---

_RETIRED = {"in": "id", "iw": "he", "ji": "yi", "no": "nb"}  # codes that Java and older exports still write


def language_code(declared: str) -> str | None:
    """The ISO 639-1 code of a code, locale or name ("de-DE", "in_ID", "zh-Hans", "German", "Deutsch"); None if it is none."""
    name = declared.strip().lower()
    if code := _names().get(name):
        return code
    code = re.split(r"[-_.@]", name)[0]
    code = _RETIRED.get(code, code)
    return code if code in _names().values() else None


@functools.cache
def _names() -> dict[str, str]:
    """Names of languages in English and in themselves, by CLDR, in lower case -> code."""
    from babel import Locale, localedata

    english = {code: name for code, name in Locale("en").languages.items() if len(code) == 2}
    native = {code: Locale(code).display_name for code in english if localedata.exists(code)}
    return {
        name.lower(): _RETIRED.get(code, code) for names in (native, english) for code, name in names.items() if name
    }


# --- Detection ---


@functools.cache
def _detector() -> Any:
    import lingua

    # The languages of the large review sites. Each further one costs memory and makes short texts harder to tell apart.
    supported = [getattr(lingua.Language, language.lingua) for language in languages().values() if language.lingua]
    # Low-accuracy mode uses trigrams only: a tenth of the memory, and as good beyond a few words.
    builder = lingua.LanguageDetectorBuilder.from_languages(*supported).with_low_accuracy_mode()
    return builder.with_minimum_relative_distance(0.1).build()


def detect_languages(texts: Sequence[str]) -> list[str | None]:
    """An ISO 639-1 code per text, by lingua (Stahl 2021); None where it is not sure, as with a word or two."""
    detected = _detector().detect_languages_in_parallel_of([text[:240] for text in texts]) if texts else []
    return [language.iso_code_639_1.name.lower() if language else None for language in detected]
