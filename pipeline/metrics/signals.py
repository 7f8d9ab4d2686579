"""Cheap signals: how a feedback text compares with its prompt, its review and its reference.

Words are compared without case and punctuation; Chinese and Japanese characters count as words. Shares, 0 to 1, are of word
4-grams (a shorter text is a single gram).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.scorer import Candidate, Columns, Scorer, pairs, texts
from pipeline.text.language import detect_languages
from pipeline.text.script import METRIC_CJK

_LETTER = rf"(?:(?![{METRIC_CJK}])\w)"
_WORD = re.compile(rf"[{METRIC_CJK}]|{_LETTER}+(?:['’]{_LETTER}+)*")
_N = 4
_LANGUAGE = "en"  # of the prompts
_FINISHED = re.compile(r"[.!?…。！？][\"'”’»)\]}*_]*$")
_BARE_NUMBER = re.compile(r"(?:^|\s)\(?\d+[.)]$")  # "3." with nothing after it: the list was cut


def scorer(profile: Profile) -> Scorer:
    """Fills `prompt_echo`, `copied_share`, `repetition`, `unfinished` and `wrong_language`."""
    return Scorer(_columns, depends_on={})


def _columns(rows: Sequence[Candidate], warehouse: Warehouse) -> Columns:
    return {
        "prompt_echo": [prompt_echo(row["raw_output"] or "", row["prompt"]) for row in rows],
        "copied_share": [copied_share(row["candidate"], row["review"]) for row in rows],
        "repetition": [repetition(text) for text in texts(rows)],
        "unfinished": [unfinished(text) for text in texts(rows)],
        "wrong_language": wrong_language(texts(rows), _LANGUAGE),
    }


def length_scorer(profile: Profile) -> Scorer:
    """Fills `length_ratio`."""
    return Scorer(lambda rows, warehouse: {"length_ratio": list(map(length_ratio, *pairs(rows)))}, depends_on={})


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _grams(text: str) -> list[tuple[str, ...]]:
    words = _words(text)
    if 0 < len(words) < _N:
        return [tuple(words)]
    return [tuple(words[start : start + _N]) for start in range(len(words) - _N + 1)]


def _share(of: str, within: str) -> float:
    grams, present = _grams(of), set(_grams(within))
    return sum(gram in present for gram in grams) / len(grams) if grams else 0.0


def prompt_echo(text: str, prompt: str) -> float:
    """Share of the prompt that the text repeats: 1 for a model that writes its prompt out before it answers."""
    return _share(prompt, text)


def copied_share(text: str, review: str) -> float:
    """Share of the text that occurs in the review: near 1 for a text that only quotes it; 0 for an empty text."""
    return _share(text, review)


def repetition(text: str) -> float:
    """Share of the text's 4-grams that occurred earlier in it: near 1 for a model caught in a loop."""
    grams = _grams(text)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def length_ratio(text: str, reference: str) -> float:
    """Words of the text per word of the reference; nan for a reference without words."""
    words = len(_words(reference))
    return len(_words(text)) / words if words else float("nan")


def unfinished(text: str) -> bool:
    """Whether the text stops in mid-sentence or after a bare list number, as at a token limit.

    Judged by its last characters alone: a text that ends without a full stop on purpose counts too, and so does an empty
    one.
    """
    text = text.strip()
    return not _FINISHED.search(text) or bool(_BARE_NUMBER.search(text))


def wrong_language(texts: Sequence[str], expected: str) -> list[bool | None]:
    """Whether each text is in another language than `expected` (ISO 639-1); None where the detector is not sure."""
    return [None if language is None else language != expected for language in detect_languages(texts)]
