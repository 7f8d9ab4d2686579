"""Words of a text in any script, in lower case of the same length."""

from __future__ import annotations

import re

FIRST_CJK = "\u3040"
CJK = "\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f"


# --- Terms ---

WORD = re.compile(rf"[^\W_{CJK}]+|[{CJK}]+")


def words(term: str) -> tuple[str, ...]:
    return tuple(WORD.findall(lower(term)))


def lower(text: str) -> str:
    """Lower case of the same length, so that positions hold (İ alone becomes two characters)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)
