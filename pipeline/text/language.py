"""What the project knows about each language (a file each in `languages/`), and which language a text is in.

To add a language, write `languages/CODE.toml`; with `advice/replies/CODE.toml` beside it, reviews in it get reply drafts too.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pipeline.core.errors import InputError
from pipeline.text.script import CJK, HANGUL

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


def language_name(code: str) -> str:
    """The English name of an ISO 639-1 code, as prompts and people use it."""
    from babel import Locale

    return Locale("en").languages.get(code) or code


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

_SEEN = 240  # characters of a text that the detector looks at
_BATCH = 5_000  # texts whose confidence values are in memory at once
_MARGIN = 0.1  # by which the confidence in the best language must exceed that in the second
_PLAIN = 160  # characters from which on a language of the same script is detected beyond doubt
_LONG = 40  # letters from which on a text can contradict a declared language
_MAIN_ODDS = 100  # how much likelier than the main language of its source another one must be
_DECLARED_ODDS = 1_000_000  # the same against a declared language

_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"
# Character classes of the detectable languages that are not written in Latin letters.
_SCRIPTS = {
    "ar": "\u0600-\u06ff",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "he": "\u0590-\u05ff",
    "hi": "\u0900-\u097f",
    "ja": CJK,
    "ko": HANGUL,
    "ru": "\u0400-\u04ff",
    "th": "\u0e00-\u0e7f",
    "uk": "\u0400-\u04ff",
    "zh": CJK,
}


@functools.cache
def _detector() -> Any:
    import lingua

    # The languages of the large review sites. Each further one costs memory and makes short texts harder to tell apart.
    supported = [getattr(lingua.Language, language.lingua) for language in languages().values() if language.lingua]
    # Low-accuracy mode uses trigrams only: a tenth of the memory, and as good beyond a few words.
    builder = lingua.LanguageDetectorBuilder.from_languages(*supported).with_low_accuracy_mode()
    return builder.with_minimum_relative_distance(_MARGIN).build()


def detect_languages(texts: Sequence[str]) -> list[str | None]:
    """An ISO 639-1 code per text, by lingua (Stahl 2021); None where it is not sure, as with a word or two."""
    detected = _detector().detect_languages_in_parallel_of([text[:_SEEN] for text in texts]) if texts else []
    return [language.iso_code_639_1.name.lower() if language else None for language in detected]


def main_language(texts: Sequence[str]) -> str | None:
    """The language in which at least 60 % of the letters of these texts are written, as far as it can be detected; None if
    there is none. Of more than 2,000 texts as many are looked at, spread evenly.
    """
    sample = texts[:: max(1, -(-len(texts) // 2_000))]
    letters: Counter[str] = Counter()
    for text, code in zip(sample, detect_languages(sample), strict=True):
        if code:
            letters[code] += _letters(text[:_SEEN])
    if not letters:
        return None
    code, count = letters.most_common(1)[0]
    return code if count >= 0.6 * letters.total() else None


def decide_languages(texts: Sequence[str], declared: Sequence[str | None], main: str | None) -> list[str | None]:
    """An ISO 639-1 code per text of one source, None where nothing tells. A declared code holds unless a longer text is
    plainly in another language. Without one the detector decides, with `main_language` of the source as its prior: a text
    is in another language if that is a hundred times likelier or the script demands it.
    """
    result: list[str | None] = []
    for start in range(0, len(texts), _BATCH):
        stop = start + _BATCH
        result += _decide_batch([text[:_SEEN] for text in texts[start:stop]], declared[start:stop], main)
    return result


def _decide_batch(texts: Sequence[str], declared: Sequence[str | None], main: str | None) -> list[str | None]:
    """The same for as many texts as fit into memory. Confidence values are computed only for those in doubt."""
    detected = detect_languages(texts)
    result = [code or found for code, found in zip(declared, detected, strict=True)]
    doubtful = [i for i, text in enumerate(texts) if _is_doubtful(text, detected[i], declared[i], main)]
    ranked = _detector().compute_language_confidence_values_in_parallel([texts[i] for i in doubtful])
    for i, values in zip(doubtful, ranked, strict=True):
        confidence = {_codes()[each.language]: each.value for each in values if each.value}
        code, found = declared[i], detected[i]
        if code and found:
            result[i] = found if _contradicts(texts[i], found, code, confidence) else code
        elif main:
            result[i] = _leaning(texts[i], found, main, confidence)
    return result


def _is_doubtful(text: str, found: str | None, declared: str | None, main: str | None) -> bool:
    """Whether what was detected is not what was expected, in a text that could still be what was expected."""
    if declared:
        return found not in (None, declared)
    if main is None or found == main:
        return False
    return found is None or len(text) < _PLAIN or _script(found) != _script(main)


def _leaning(text: str, found: str | None, main: str, confidence: Mapping[str, float]) -> str | None:
    """The language of a text in a source that is mostly in `main`."""
    if not _is_written_in(text, main):
        return found
    best = max(confidence, key=lambda code: confidence[code], default=main)
    likelier = confidence.get(best, 0) > _MAIN_ODDS * confidence.get(main, 0)
    return found if likelier and _script(best) == _script(main) else main


def _contradicts(text: str, found: str, declared: str, confidence: Mapping[str, float]) -> bool:
    """Whether a text is plainly not in the declared language. Of a language that the detector does not know, or one written
    in letters that are not its own (romanised Hindi), only English is told apart reliably.
    """
    if {found, declared} == {"da", "nb"}:
        return False
    known, letters = declared in _codes().values(), _letters(text)
    if not _is_written_in(text, declared):
        if known and found in _SCRIPTS and _is_written_in(text, found):
            return letters >= 10
    elif _script(found) != _script(declared):
        return False
    elif known:
        return letters >= _LONG and confidence[found] > _DECLARED_ODDS * confidence.get(declared, 0)
    rivals = max((value for code, value in confidence.items() if code != found), default=0.0)
    return letters >= _LONG and found == "en" and confidence[found] > _DECLARED_ODDS * rivals


@functools.cache
def _codes() -> dict[Any, str]:
    """The languages that the detector knows, as it names them -> ISO 639-1 code."""
    import lingua

    return {getattr(lingua.Language, each.lingua): code for code, each in languages().items() if each.lingua}


def _script(code: str) -> str:
    """The character class of a language's letters."""
    return _SCRIPTS.get(code, _LATIN)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _is_written_in(text: str, code: str) -> bool:
    """Whether at least a third of the letters are those of a language: Thai reviews quote brands in Latin ones."""
    script = _script(code)
    if text.isascii():
        return script == _LATIN
    own = len(re.findall(f"[{script}]", text))
    return own > 0 and 3 * own >= _letters(text)
