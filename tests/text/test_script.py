"""Character classes: what counts as Chinese or Japanese, and what must never change."""

from __future__ import annotations

import re

import pytest

from pipeline.metrics import signals
from pipeline.text import duplicates
from pipeline.text.script import CONTROLS, has_cjk, has_dense, starts_with_cjk, weight
from pipeline.text.words import fold, words

# Kana, half-width kana, a common character, one beyond the basic plane, a compatibility form, bopomofo, Hangul.
RARE = "おいしいｶﾞ味𠮷豈ㄅ맛ㅋ ok 味𠮷"


@pytest.mark.parametrize("character", "あアｶﾞ味㐀豈𠮷")
def test_chinese_and_japanese(character: str) -> None:
    assert has_cjk(f"so {character}") and starts_with_cjk(character) and has_dense(character)
    assert not starts_with_cjk(f"so {character}") and weight(character) == 3


@pytest.mark.parametrize("character", "aß。、！ㄅ❤\ufe0fมر")
def test_neither_chinese_nor_japanese(character: str) -> None:
    assert not has_cjk(character) and not has_dense(character) and weight(character) == 1


def test_hangul_is_dense_but_has_blanks_between_words() -> None:
    assert has_dense("맛") and not has_cjk("맛")
    assert words("맛 있다 OK味") == ("맛", "있다", "ok", "味")


def test_controls() -> None:
    assert re.sub(f"[{CONTROLS}]", "", "a\x00\x1b\x85\u2028\u202e\u2066b\u200dc") == "ab\u200dc"


def test_what_training_sketches_hash_has_not_moved() -> None:
    assert duplicates.sketches([RARE]).tolist() == [[390863182, 97132920, 657332233, 396685112]]


def test_what_metrics_count_has_not_moved() -> None:
    assert signals.length_ratio(RARE, "one") == 12.0


def test_fold() -> None:
    assert fold(" Great\n SOUP ") == fold("great soup") != fold("greatsoup")
