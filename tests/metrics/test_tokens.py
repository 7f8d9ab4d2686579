"""The tokens are NLTK's."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics import tokens

ODD = """
    cannot gonna wanna don't it's 'tis d'ye more'n e.g. U.S. Dr. St. ok. ok.' 2. Review 3.5 ... .. -- - ( ) " '' ' `` `
    word word. Word word.) word." 'word' (word word), $5.00 w/o <b> ?! !! a.b.c Mr.Smith end.Next [x] x] » ” ’ gimme:
    can't. can't I. a. :- ,, Z: 10: 10:30 ü
"""
marks = st.text(alphabet="ab.Z1,!?:'\"`()-/ \n\tn’”«&$%;*[]<>_é 2'st", max_size=40)
words = st.lists(st.sampled_from([*ODD.split(), "\n\n", "\t", tokens._SEPARATOR]), max_size=14).map(" ".join)


@given(st.one_of(marks, words, st.text(max_size=30)))
@settings(max_examples=400, deadline=None)
def test_chunks_make_the_tokens_of_the_whole(text: str) -> None:
    assert tokens.tokenize([text]) == [tokens.tokenize_plainly(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cold soup. Nobody cared.", ["Cold", "soup", ".", "Nobody", "cared", "."]),
        ("We met Dr. Ames at 5 p.m. sharp.", ["We", "met", "Dr.", "Ames", "at", "5", "p.m.", "sharp", "."]),
        ("Steps: 1. Call. 2. Review it.", ["Steps", ":", "1", ".", "Call", ".", "2.", "Review", "it", "."]),
        ('I can\'t say "wow".', ["I", "ca", "n't", "say", "``", "wow", "''", "."]),
        ("It was ok. They tried.", ["It", "was", "ok", ".", "They", "tried", "."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens.tokenize([text]) == [expected]


def test_order_and_repeats_are_kept() -> None:
    assert tokens.tokenize(["b b", "a", "b b"]) == [["b", "b"], ["a"], ["b", "b"]]


def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED", 1)
    texts = ["One text. It ends.", "Another one, it's longer!"]
    first = [tokens.tokenize([text])[0] for text in texts * 3]
    assert first == [tokens.tokenize_plainly(text) for text in texts * 3]


def test_equals_nltk_with_its_own_model(shared_data: Path) -> None:
    """Runs where NLTK's Punkt model is installed (nltk.download('punkt_tab')); nothing here depends on it."""
    from nltk.tokenize import punkt_model_available, word_tokenize

    if not punkt_model_available():
        pytest.skip("needs NLTK's punkt_tab")
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [row[name] for row in rows for name in ("mistral_output", "phi-2_output", "phi-2_output_fine-tuned")]
    assert tokens.tokenize(texts) == [word_tokenize(text) for text in texts]
