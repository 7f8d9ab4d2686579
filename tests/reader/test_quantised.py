"""Matrices in 4 and 8 bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.reader import quantised

MATRICES = arrays.arrays(np.float32, (3, 64), elements=st.floats(-8, 8, width=32))


@given(MATRICES)
def test_what_is_unpacked_is_within_a_step(matrix: np.ndarray) -> None:
    largest = np.abs(matrix.reshape(3, 2, 32)).max(-1).repeat(32).reshape(3, 64)
    assert (np.abs(quantised.unpack8(*quantised.pack8(matrix)) - matrix) <= largest / 127 + 1e-3).all()
    assert (np.abs(quantised.unpack4(*quantised.pack4(matrix)) - matrix) <= largest / 7 + 1e-2).all()


@given(MATRICES)
def test_what_has_four_bits_already_loses_nothing_more(matrix: np.ndarray) -> None:
    once = quantised.unpack4(*quantised.pack4(matrix))
    assert np.array_equal(quantised.unpack4(*quantised.pack4(once)), once)


def test_a_set_of_weights_keeps_names_and_shapes() -> None:
    weights = {"a.weight": np.eye(32, dtype=np.float32), "b.weight": np.ones((2, 7)), "a.bias": np.arange(5.0)}
    packed = quantised.pack(weights, frozenset({"a.weight"}))
    assert packed["a.weight.q4"].dtype == np.uint8 and packed["a.weight.q4"].shape == (32, 16)
    again = quantised.unpack(packed)
    assert again.keys() == weights.keys() and all(again[name].shape == value.shape for name, value in weights.items())
    assert again["a.weight"] == pytest.approx(weights["a.weight"], abs=1e-3)
    assert not quantised.unpack8(*quantised.pack8(np.zeros((1, 32), np.float32))).any(), "a block of zeros"
