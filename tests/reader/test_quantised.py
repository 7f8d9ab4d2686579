"""Blocks of 4 and 8 bits: what is lost in them, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.reader import quantised
from pipeline.reader.quantised import BLOCK, pack4, pack8, unpack4, unpack8

SUBNORMAL = 2.0**-25  # half a step of float16 where it is coarsest

matrices = st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
    lambda size: arrays.arrays(np.float32, (size[0], size[1] * BLOCK), elements=st.floats(-8, 8, width=32))
)


def steps(scales: np.ndarray) -> np.ndarray:
    """The size of a step for each weight."""
    return np.abs(scales.astype(np.float32)).repeat(BLOCK, -1)


@given(matrices)
def test_eight_bits_lose_half_a_step_at_most(matrix: np.ndarray) -> None:
    values, scales = pack8(matrix)
    assert (values.dtype, scales.dtype, values.shape) == (np.int8, np.float16, matrix.shape)
    error = np.abs(unpack8(values, scales) - matrix)
    assert (error <= steps(scales) * 0.501 + 127 * SUBNORMAL).all()


@given(matrices)
def test_four_bits_lose_half_a_step_but_opposite_to_the_extreme(matrix: np.ndarray) -> None:
    nibbles, scales = pack4(matrix)
    assert (nibbles.dtype, nibbles.shape) == (np.uint8, (len(matrix), matrix.shape[1] // 2))
    error, step = np.abs(unpack4(nibbles, scales) - matrix), steps(scales)
    # There are 8 steps towards the extreme of a block and 7 away from it.
    clipped = matrix * np.sign(scales.astype(np.float32)).repeat(BLOCK, -1) > 7.5 * step
    assert (error <= step * np.where(clipped, 1.01, 0.501) + 8 * SUBNORMAL).all()


@given(
    arrays.arrays(np.uint8, (2, 2, BLOCK), elements=st.integers(0, 15)),
    arrays.arrays(np.float16, (2, 2), elements=st.floats(2**-10, 2, width=16)),
    st.booleans(),
)
def test_four_bits_that_were_four_bits_lose_nothing(levels: np.ndarray, scales: np.ndarray, mirrored: bool) -> None:
    levels[..., 0] = 0  # every block of a Q4_0 file holds its extreme at level 0
    scales = -scales if mirrored else scales
    matrix = ((levels.astype(np.float32) - 8) * scales.astype(np.float32)[..., None]).reshape(2, -1)
    assert (unpack4(*pack4(matrix)) == matrix).all()


@pytest.mark.parametrize(("pack", "unpack"), [(pack4, unpack4), (pack8, unpack8)])
def test_a_block_of_zeros_stays_one(
    pack: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    unpack: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> None:
    matrix = np.zeros((2, 2 * BLOCK), np.float32)
    matrix[1, :BLOCK] = 1.0
    again = unpack(*pack(matrix))
    assert not again[matrix == 0].any() and again == pytest.approx(matrix, abs=0.01)


def test_only_matrices_of_whole_blocks_are_packed() -> None:
    rng = np.random.default_rng(0)
    weights = {
        "table": rng.normal(size=(4, 64)).astype(np.float32),
        "body": rng.normal(size=(4, 32)).astype(np.float32),
        "odd": rng.normal(size=(4, 33)).astype(np.float32),
        "bias": rng.normal(size=64).astype(np.float64),
    }
    packed = quantised.pack(weights, frozenset({"table"}))
    assert set(packed) == {"table.q4", "table.scale", "body.q8", "body.scale", "odd", "bias"}
    again = quantised.unpack(packed)
    assert set(again) == set(weights) and all(value.dtype == np.float32 for value in again.values())
    assert (again["odd"] == weights["odd"]).all() and again["bias"] == pytest.approx(weights["bias"])
    assert again["body"] == pytest.approx(weights["body"], abs=0.02)
    assert again["table"] == pytest.approx(weights["table"], abs=0.4)
