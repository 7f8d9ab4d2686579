"""METEOR: values one can work out by hand, and equality with plain NLTK."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.meteor_score import meteor_score

from pipeline.core.errors import InputError
from pipeline.metrics import meteor, tokens, wordnet

WORDS = """
    the a manager should apologise apologize say sorry for cold soup broth and train staff personnel quickly fast
    rapidly waiters waiter served serving meals meal . , ! guest guests customer's Paris 2. ice_cream
"""
sentences = st.lists(st.sampled_from(WORDS.split()), max_size=18).map(" ".join)


def by_hand(matches: int, chunks: int, candidate: int, reference: int) -> float:
    """Lavie and Agarwal 2007 with alpha 0.9, beta 3, gamma 0.5."""
    precision, recall = matches / candidate, matches / reference
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    return (1 - 0.5 * (chunks / matches) ** 3) * mean


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        ("serve the soup hot", "serve the soup hot", by_hand(4, 1, 4, 4)),
        ("Serve The Soup Hot", "serve the soup hot", by_hand(4, 1, 4, 4)),
        ("the soup serve hot", "serve the soup hot", by_hand(4, 3, 4, 4)),
        ("serving soups hot", "served soup hot", by_hand(3, 1, 3, 3)),  # stems
        ("buy a car", "buy a automobile", by_hand(2, 1, 3, 3)),  # NLTK looks stems up, and "automobil" is no word
        ("buy a car", "buy a auto", by_hand(3, 1, 3, 3)),  # a synonym
        ("soup. cold", "soup. cold", by_hand(3, 1, 3, 3)),
        ("nothing alike", "wholly different", 0.0),
        ("", "something", 0.0),
        ("something", "", 0.0),
        ("", "", 0.0),
    ],
)
def test_values(candidate: str, reference: str, expected: float) -> None:
    assert meteor.score([candidate], [reference]) == [pytest.approx(expected, abs=1e-12)]


def test_each_pair_has_its_own_value() -> None:
    """The original project copied one corpus mean into every row."""
    values = meteor.score(["cold soup", "warm bread", "cold soup"], ["cold soup", "cold soup", "warm bread"])
    assert values[0] > 0 and values[1:] == [0.0, 0.0]


@given(sentences, sentences)
@settings(max_examples=150, deadline=None)
def test_equals_nltk_over_the_whole_wordnet(candidate: str, reference: str) -> None:
    whole: Any = wordnet.load()
    plain = meteor_score([tokens.tokenize_plainly(reference)], tokens.tokenize_plainly(candidate), wordnet=whole)
    assert meteor.score([candidate], [reference]) == [plain]


@given(sentences, sentences)
@settings(max_examples=50, deadline=None)
def test_is_a_share(candidate: str, reference: str) -> None:
    assert 0 <= meteor.score([candidate], [reference])[0] < 1


@pytest.mark.slow
def test_equals_plain_nltk(nltk_wordnet: Any, shared_data: Path) -> None:
    """With NLTK's own WordNet reader and stemmer, and NLTK's word_tokenize where its model is installed."""
    from nltk.tokenize import punkt_model_available, word_tokenize

    split = word_tokenize if punkt_model_available() else tokens.tokenize_plainly
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::8]
    references = [row["mistral_output"] for row in rows]
    for column in ("phi-2_output", "phi-2_output_fine-tuned"):
        candidates = [row[column] for row in rows]
        plain = [
            meteor_score([split(reference)], split(candidate), wordnet=nltk_wordnet)
            for candidate, reference in zip(candidates, references, strict=True)
        ]
        assert meteor.score(candidates, references) == pytest.approx(plain, abs=1e-9, rel=0)


def test_the_original_means(shared_data: Path) -> None:
    """It reported 0.2222 for base and 0.2318 for tuned phi-2 over 1,000 rows; these are 500 of them."""
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    references = [row["mistral_output"] for row in rows]
    base = meteor.score([row["phi-2_output"] for row in rows], references)
    tuned = meteor.score([row["phi-2_output_fine-tuned"] for row in rows], references)
    assert sum(base) / len(base) == pytest.approx(0.22279, abs=1e-5)
    assert sum(tuned) / len(tuned) == pytest.approx(0.22297, abs=1e-5)


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = ["cold soup", "", "warm bread", "a car served quickly", "cold soup"]
    references = ["hot soup", "cold", "warm bread", "an auto, rapidly serving", "warm bread"]
    before = meteor.score(candidates, references)
    monkeypatch.setattr(meteor, "_BLOCK", 2)
    assert meteor.score(candidates, references) == before
    assert [meteor.score([one], [other])[0] for one, other in zip(candidates, references, strict=True)] == before


def test_refuses_shifted_pairs() -> None:
    with pytest.raises(InputError, match="2 candidates for 1 references"):
        meteor.score(["a", "b"], ["a"])
    assert meteor.score([], []) == []
