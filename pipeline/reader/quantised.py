"""Matrices in 4 or 8 bits: blocks of 32 weights of a row that share a scale, as in GGML's Q4_0 and Q8_0.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md names the formats. Q4_0 is what the published file of the
multilingual encoder holds, so its frozen embeddings lose nothing; Q8_0 keeps the trained body at a quarter of float32.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

BLOCK = 32


def pack4(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(nibbles uint8 of shape (rows, columns / 2), scales float16 of shape (rows, columns / 32)) of a float matrix."""
    blocks = _blocks(matrix)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    scales = (extreme / -8).astype(np.float16)
    values = np.clip(np.rint(_divide(blocks, scales)) + 8, 0, 15).astype(np.uint8)
    nibbles = values[..., : BLOCK // 2] | values[..., BLOCK // 2 :] << 4
    return nibbles.reshape(len(matrix), -1), scales


def unpack4(nibbles: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The float32 matrix of what `pack4` returns."""
    halves = nibbles.reshape(len(nibbles), -1, BLOCK // 2)
    values = np.concatenate([halves & 15, halves >> 4], -1).astype(np.float32) - 8
    return (values * scales.astype(np.float32)[..., None]).reshape(len(nibbles), -1)


def pack8(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(int8 of the matrix' shape, scales float16 of shape (rows, columns / 32))."""
    blocks = _blocks(matrix)
    scales = (np.abs(blocks).max(-1) / 127).astype(np.float16)
    values = np.clip(np.rint(_divide(blocks, scales)), -127, 127).astype(np.int8)
    return values.reshape(matrix.shape), scales


def unpack8(values: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The float32 matrix of what `pack8` returns."""
    blocks = values.reshape(len(values), -1, BLOCK).astype(np.float32)
    unpacked: np.ndarray = (blocks * scales.astype(np.float32)[..., None]).reshape(values.shape)
    return unpacked


def pack(weights: Mapping[str, np.ndarray], four_bits: frozenset[str]) -> dict[str, np.ndarray]:
    """Every matrix as "NAME.q4" or "NAME.q8" with "NAME.scale"; vectors and odd shapes stay, as float32."""
    packed: dict[str, np.ndarray] = {}
    for name, value in weights.items():
        if value.ndim != 2 or value.shape[1] % BLOCK:
            packed[name] = value.astype(np.float32)
            continue
        kind, packer = (".q4", pack4) if name in four_bits else (".q8", pack8)
        packed[name + kind], packed[name + ".scale"] = packer(value)
    return packed


def unpack(packed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Float32 weights from what `pack` returns."""
    weights: dict[str, np.ndarray] = {}
    for name, value in packed.items():
        if name.endswith(".q4"):
            weights[name[:-3]] = unpack4(value, packed[name[:-3] + ".scale"])
        elif name.endswith(".q8"):
            weights[name[:-3]] = unpack8(value, packed[name[:-3] + ".scale"])
        elif not name.endswith(".scale"):
            weights[name] = value.astype(np.float32)
    return weights


def _blocks(matrix: np.ndarray) -> np.ndarray:
    return matrix.astype(np.float32).reshape(len(matrix), -1, BLOCK)


def _divide(blocks: np.ndarray, scales: np.ndarray) -> np.ndarray:
    scale = scales.astype(np.float32)[..., None]
    quotient: np.ndarray = np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale != 0)
    return quotient
