"""Words of a text in any script, and the forms in which texts and words are compared."""

from __future__ import annotations

import re

from pipeline.text.script import CJK

WORD = re.compile(rf"[^\W_{CJK}]+|[{CJK}]+")  # Chinese and Japanese: a whole run, as no spaces separate words


def words(term: str) -> tuple[str, ...]:
    """The words of a text, lower case."""
    return tuple(WORD.findall(lower(term)))


def lower(text: str) -> str:
    """Lower case of the same length, so that positions still hold (İ would become two characters)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def fold(text: str) -> str:
    """The form in which texts are compared: case folded, runs of whitespace collapsed."""
    return " ".join(text.casefold().split())
