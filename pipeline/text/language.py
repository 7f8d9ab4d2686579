"""Which language a text is in (lingua; Stahl 2021), for reviews at ingest and for what models wrote."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

# The languages of the large review sites. Each further one costs memory and takes short texts away from the others.
_LANGUAGES = (
    "ARABIC", "BOKMAL", "CHINESE", "CZECH", "DANISH", "DUTCH", "ENGLISH", "FINNISH", "FRENCH", "GERMAN", "GREEK", "HEBREW",
    "HINDI", "HUNGARIAN", "INDONESIAN", "ITALIAN", "JAPANESE", "KOREAN", "POLISH", "PORTUGUESE", "ROMANIAN", "RUSSIAN",
    "SPANISH", "SWEDISH", "THAI", "TURKISH", "UKRAINIAN", "VIETNAMESE",
)  # fmt: skip


@functools.cache
def _detector() -> Any:
    from lingua import Language, LanguageDetectorBuilder

    languages = [getattr(Language, name) for name in _LANGUAGES]
    # Low accuracy mode reads trigrams only: a tenth of the memory, and as good on texts of some words.
    builder = LanguageDetectorBuilder.from_languages(*languages).with_low_accuracy_mode()
    return builder.with_minimum_relative_distance(0.1).build()


def detect_languages(texts: Sequence[str]) -> list[str | None]:
    """ISO 639-1 codes; None where the detector is not sure, as with a word or two."""
    found = _detector().detect_languages_in_parallel_of([text[:240] for text in texts]) if texts else []
    return [language.iso_code_639_1.name.lower() if language else None for language in found]
