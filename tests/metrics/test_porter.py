"""The stems are NLTK's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer

from pipeline.metrics import porter, wordnet

NLTK = PorterStemmer()
ENDINGS = [
    *(rule.partition(":")[0] for rule in " ".join([porter._STEP_2, porter._STEP_3, porter._STEP_4]).split()),
    *["alli", "logi", "eed", "ied", "ed", "ing", "ies", "sses", "ss", "s", "e", "ll", "y"],
]
words = st.builds(
    lambda start, ending, last: start + ending + last,
    st.text(alphabet="aeiouyybcdlstzwxgn", max_size=6),
    st.sampled_from(["", *ENDINGS]),
    st.sampled_from(["", "s", "ed", "ing", "ly", "ness"]),
)


@given(st.lists(st.one_of(words, st.text(max_size=8).map(str.lower)), min_size=20, max_size=40))
@settings(max_examples=60, deadline=None)
def test_equal_nltk_s_for_any_word(some: list[str]) -> None:
    assert [porter.stem(word) for word in some] == [NLTK.stem(word) for word in some]


def test_equal_nltk_s_over_wordnet() -> None:
    some = [word for word in list(wordnet.load()._index)[::17] if "_" not in word]
    assert len(some) > 3000
    assert [porter.stem(word) for word in some] == [NLTK.stem(word) for word in some]


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("enjoy", "enjoy"),
        ("flies", "fli"),
        ("dies", "die"),
        ("dying", "die"),
        ("happy", "happi"),
        ("hopefully", "hope"),
    ],
)
def test_what_snowballs_porter_stems_otherwise(word: str, stem: str) -> None:
    assert porter.stem(word) == NLTK.stem(word) == stem
