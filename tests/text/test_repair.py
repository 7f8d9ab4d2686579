from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.repair import repair


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Great cafÃ©", "Great café"),
        ("It&#39;s fine &amp; clean", "It's fine & clean"),
        (r"First line\nSecond line", "First line\nSecond line"),
        (r"First\r\n\r\nSecond", "First\n\nSecond"),
        ("a<br />b", "a\nb"),
        ("  many   blanks\t here ", "many blanks here"),
        ("null\x00byte", "nullbyte"),
        ("很快，好吃！量大。", "很快，好吃！量大。"),
        (r"saved in C:\new folder", r"saved in C:\new folder"),
        ("Keep CASE, punctuation?! and 😀 12.50€", "Keep CASE, punctuation?! and 😀 12.50€"),
        ("", ""),
    ],
)
def test_text_comes_back_as_its_author_wrote_it(written: str, meant: str) -> None:
    assert repair(written) == meant


@given(st.text(st.characters(max_codepoint=127, categories=("L", "N")), min_size=1))
def test_plain_words_are_never_changed(text: str) -> None:
    assert repair(text) == text


@given(st.text())
def test_repair_is_stable_and_never_crashes(text: str) -> None:
    once = repair(text)
    assert repair(once) == once or len(repair(once)) <= len(once)
    assert "\x00" not in once and once == once.strip()
