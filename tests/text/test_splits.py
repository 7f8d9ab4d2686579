"""Shipped weights and existing warehouses were split by these rules: a row that changes its split is a leak."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.stages import distill
from pipeline.text.splits import split_by_hash
from pipeline.training import fit


def test_shares_lie_along_a_line_in_their_order() -> None:
    shares = {"test": 20, "validation": 10, "train": 70}
    ends = {0: "test", 19: "test", 20: "validation", 29: "validation", 30: "train", 99: "train", 100: "test"}
    assert {place: split_by_hash(f"{place:08x}", shares) for place in ends} == ends


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("review 0", "dev"),  # the last digit of the hash, in decimal, is 1
        ("review 1", "train"),
        ("review 2", "train"),
        ("review 4", "dev"),
        ("review 5", "train"),
        ("review 7", "test"),
        ("review 10", "train"),
        ("review 11", "dev"),
    ],
)
def test_the_shipped_models_keep_their_held_out_texts(text: str, split: str) -> None:
    assert fit.split_of(text) == split


@pytest.mark.parametrize(
    ("review_id", "split"),
    [
        ("a939fef25825302adac29c70793be44f6714b1bed82bd80d25ad40200ee49223", "validation"),
        ("0d1abd8c269682a4178e7e02eea38d5754764a7de6f5426b716ba3f53e205587", "train"),
        ("014c6da7092590e2c699037835253fc03d515d2bcc24406683e98c505724172f", "validation"),
        ("051e6fac71ef2a6939736dd75e4f0e7290baf576b3de2fc76f161385c3d2665f", "train"),
        ("fa373a319253993ecd3603993bc767ff6d547cf49507115b0aeb1e420ea0be82", "train"),
        ("0000001300000000000000000000000000000000000000000000000000000001", "test"),
        ("0000001400000000000000000000000000000000000000000000000000000001", "validation"),
        ("0000001e00000000000000000000000000000000000000000000000000000001", "train"),
    ],
)
def test_warehouses_keep_their_test_reviews(review_id: str, split: str) -> None:
    assert distill.split_of(review_id) == split


def test_a_text_is_on_one_side_always() -> None:
    sides = [fit.split_of(f"review {n}") for n in range(2000)]
    shares = {side: sides.count(side) / len(sides) for side in ("train", "dev", "test")}
    assert shares["train"] == pytest.approx(0.8, abs=0.03) and shares["test"] == pytest.approx(0.1, abs=0.03)
    digest = hashlib.sha256(b"review 7").hexdigest()
    assert fit.split_of("review 7") == split_by_hash(digest, {"test": 1, "dev": 1, "train": 8})
