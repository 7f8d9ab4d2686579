"""Whether a model was trained on a text or a near-duplicate of it, told by MinHash sketches (Broder 1997).

The shipped models come with a sketch of every review they were trained or tuned on (`trained_on.safetensors`): four
32-bit minima over hashed word 3-grams, from which no text can be read. Two texts match if three of the four agree: that
is so of every copy, of 82 % of the texts that share 80 % of their 3-grams, and of no unrelated ones.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.text.script import TRAINED_CJK

_WORD = re.compile(rf"[{TRAINED_CJK}]|(?:(?![{TRAINED_CJK}])\w)+")
_MULTIPLIERS = np.array(
    [[0x9E3779B97F4A7C15], [0xBF58476D1CE4E5B9], [0x94D049BB133111EB], [0xD6E8FEB86659FD93]], dtype=np.uint64
)
_FILE = "trained_on.safetensors"


def sketches(texts: Sequence[str]) -> np.ndarray:
    """MinHash sketches, uint32, shape (texts, 4). Case and punctuation do not matter; a Chinese or Japanese character counts
    as a word.
    """
    result = np.zeros((len(texts), len(_MULTIPLIERS)), dtype=np.uint32)
    for row, text in enumerate(texts):
        words = _WORD.findall(text.casefold())
        grams = {" ".join(words[start : start + 3]) for start in range(max(1, len(words) - 2))}
        hashed = np.array([zlib.crc32(gram.encode()) + 1 for gram in grams], dtype=np.uint64)
        result[row] = ((hashed * _MULTIPLIERS) >> np.uint64(32)).min(axis=1)
    return result


def save(texts: Sequence[str], folder: Path) -> None:
    """Writes the sketches of a model's training texts beside its weights in `folder`."""
    from safetensors.numpy import save_file

    save_file({"sketches": np.unique(sketches(texts), axis=0)}, folder / _FILE)


@functools.cache
def _partial_sketches(folder: Path) -> tuple[frozenset[bytes], ...]:
    """For each of the four minima, the other three of every training text."""
    from safetensors.numpy import load_file

    file = folder / _FILE
    trained = load_file(file)["sketches"] if file.is_file() else np.zeros((0, len(_MULTIPLIERS)), dtype=np.uint32)
    return tuple(
        frozenset(row.tobytes() for row in np.delete(trained, omitted, axis=1)) for omitted in range(len(_MULTIPLIERS))
    )


def trained_on(texts: Sequence[str], folder: Path | None) -> list[bool] | list[None]:
    """Whether the model in `folder` was trained on each text or a near-duplicate. False if it has no sketches; None, for
    unknown, if there is no folder.
    """
    if folder is None:
        return [None] * len(texts)
    trained = _partial_sketches(folder)
    return [
        any(np.delete(row, omitted).tobytes() in partial for omitted, partial in enumerate(trained))
        for row in sketches(texts)
    ]
