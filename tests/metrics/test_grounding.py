"""Grounding with an encoder one can see through: a vector of word counts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.metrics import grounding
from pipeline.reader import minilm

DISHES = [f"dish{number}" for number in range(40)]
REVIEWS = [f"the {dish} was cold" for dish in DISHES]


def count(texts: Sequence[str]) -> np.ndarray:
    vocabulary = {"the": 0, "was": 1, "cold": 2, **{dish: 3 + index for index, dish in enumerate(DISHES)}}
    vectors = np.zeros((len(texts), len(vocabulary)), dtype=np.float32)
    for row, text in enumerate(texts):
        for word in text.lower().split():
            if word in vocabulary:
                vectors[row, vocabulary[word]] += 1
    return vectors


def test_a_text_about_its_review_comes_first() -> None:
    texts = [f"serve {dish} hot" for dish in DISHES]
    values = grounding.score(texts, REVIEWS, REVIEWS, pool=20, embed=count)
    assert values == [1.0] * 40


def test_a_text_about_another_review_does_not() -> None:
    texts = [f"serve {dish} hot" for dish in DISHES[1:] + DISHES[:1]]
    values = grounding.score(texts, REVIEWS, REVIEWS, pool=100, embed=count)
    assert values == [1 / 40] * 40  # the other dish first, then all that tie with the own review


def test_a_constant_text_gets_the_worst_rank() -> None:
    values = grounding.score(["the was cold"] * 40, REVIEWS, REVIEWS, pool=10, embed=count)
    assert values == [0.1] * 40


def test_the_rank_in_between() -> None:
    values = grounding.score(["dish0 dish1 dish1 dish2 dish2 dish2"], REVIEWS[:1], REVIEWS, pool=100, embed=count)
    assert values == [1 / 3]


@pytest.mark.parametrize("empty", ["", " \n\t"])
def test_an_empty_text_is_not_grounded(empty: str) -> None:
    assert grounding.score([empty], REVIEWS[:1], REVIEWS, embed=count) == [0.0]


def test_the_own_review_and_its_duplicates_are_no_distractors() -> None:
    copies = [REVIEWS[0], f"  {REVIEWS[0].upper()}\n", REVIEWS[0].replace(" ", "  ")]
    values = grounding.score([REVIEWS[0]], REVIEWS[:1], [*copies * 3, REVIEWS[1]], embed=count)
    assert values == [1.0]


def test_without_distractors_nothing_can_be_told() -> None:
    values = grounding.score(["dish0", ""], REVIEWS[:2], [], embed=count)
    assert np.isnan(values).all()


def test_the_pool_holds_so_many_and_no_more() -> None:
    seen: list[str] = []

    def spy(texts: Sequence[str]) -> np.ndarray:
        seen.extend(texts)
        return count(texts)

    grounding.score(["serve dish0 hot"], REVIEWS[:1], REVIEWS, pool=7, embed=spy)
    assert len(set(seen) & set(REVIEWS)) == 7 and REVIEWS[0] in seen
    assert len(seen) == 8


def test_no_string_is_embedded_twice() -> None:
    calls: list[list[str]] = []

    def spy(texts: Sequence[str]) -> np.ndarray:
        calls.append(list(texts))
        return count(texts)

    grounding.score(["dish0"] * 30, REVIEWS[:30], REVIEWS, pool=20, embed=spy)
    assert len(calls) == 1 and len(calls[0]) == len(set(calls[0]))


@given(st.permutations(REVIEWS[:12]), st.integers(1, 11))
@settings(max_examples=30, deadline=None)
def test_order_and_batches_do_not_matter(order: list[str], cut: int) -> None:
    texts = [" ".join(review.split()[1:2]) + " dish3 dish5" for review in order]
    expected = dict(zip(order, grounding.score(texts, order, REVIEWS, pool=9, embed=count), strict=True))
    parts = [
        *grounding.score(texts[:cut], order[:cut], order[::-1] + REVIEWS, pool=9, embed=count),
        *grounding.score(texts[cut:], order[cut:], REVIEWS[::-1], pool=9, embed=count),
    ]
    assert parts == list(expected.values())


def test_a_new_distractor_changes_few_pools() -> None:
    texts = [f"{dish} {other}" for dish, other in zip(DISHES, DISHES[7:] + DISHES[:7], strict=True)]
    before = grounding.score(texts, REVIEWS, REVIEWS, pool=10, embed=count)
    after = grounding.score(texts, REVIEWS, [*REVIEWS, "dish41 was new"], pool=10, embed=count)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 10


def test_vectors_need_not_be_unit_vectors() -> None:
    texts = ["dish0 dish1 dish2 the", "dish1 dish7"]
    plain = grounding.score(texts, REVIEWS[:2], REVIEWS, embed=count)
    longer = grounding.score(texts, REVIEWS[:2], REVIEWS, embed=lambda strings: 50 * count(strings))
    assert plain == longer


def test_refuses_what_makes_no_sense() -> None:
    with pytest.raises(InputError, match="2 texts for 1 reviews"):
        grounding.score(["a", "b"], ["a"], [])
    with pytest.raises(InputError, match="pool"):
        grounding.score(["a"], ["a"], ["b"], pool=1)
    assert grounding.score([], [], REVIEWS) == []


def test_the_default_encoder_finds_the_review_and_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = [
        "The soup was cold and nobody apologised.",
        "My parcel arrived crushed and two days late.",
        "Parking was impossible and the room smelled of smoke.",
    ]
    texts = ["Keep the soup warm.", "Ship in sturdier boxes.", "Air the rooms and reserve parking."]
    grounding._vectors.clear()
    assert grounding.score(texts, reviews, reviews) == [1.0, 1.0, 1.0]

    def refuse(strings: Sequence[str]) -> np.ndarray:
        assert not strings
        return np.zeros((0, minilm.DIMENSION), dtype=np.float32)

    monkeypatch.setattr(minilm, "embed", refuse)
    assert grounding.score(texts, reviews, reviews) == [1.0, 1.0, 1.0]


def test_the_teacher_is_grounded_and_a_constant_is_not(shared_data: Path) -> None:
    """FACTS of the original's data: Mistral 0.67 R@1, a constant paragraph 0.01 (here on 30 rows of the 500)."""
    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:30]
    reviews = [row["input"] for row in rows]
    teacher = grounding.score([row["mistral_output"] for row in rows], reviews, reviews)
    constant = grounding.score(["Train the staff and listen."] * 30, reviews, reviews)
    assert teacher.count(1.0) > 18 and constant.count(1.0) < 3
