"""What it costs to read a text, known before it is read, and how much of a text is read at most."""

from __future__ import annotations

import re

from pipeline.text.script import CJK, HANGUL
from pipeline.text.sentences import sentence_spans

# Roughly the reader's tokens (0.9 to 1.3 for each of its own in 14 languages and in runs of marks): a character where words
# are not spelt with letters, else four letters, three digits or a mark.
_TOKEN = re.compile(rf"[{CJK}{HANGUL}]|[^\W\d_]{{1,4}}|\d{{1,3}}|\S")
_SENTENCE = 3  # what a sentence costs besides: its themes and problems are decided by rules


def cost_of(text: str) -> int:
    """Estimated tokens."""
    return sum(1 for _ in _TOKEN.finditer(text))


def read_to(text: str, most: int) -> int | None:
    """The length of the beginning that may be read, in whole sentences that cost no more than `most`; None: all of it."""
    if (len(text) * (1 + _SENTENCE)) <= most:
        return None
    left = most
    for start, end in sentence_spans(text, clauses=False):
        left -= cost_of(text[start:end]) + _SENTENCE
        if left < 0:
            return start or min(end, most)
    return None
