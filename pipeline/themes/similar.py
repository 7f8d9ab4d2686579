"""Which sentences of the reviews say much the same as a text, in whatever language: by the vectors that the reader stored."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.outside import read
from pipeline.core.warehouse import Warehouse, sql_file

_BATCH = 20_000  # vectors in memory at a time


def similar(warehouse: Warehouse, vector: np.ndarray, limit: int = 20) -> list[dict[str, Any]]:
    """The sentences closest to a vector (float32, unit length), the closest first; of equal sentences one.

    Columns: closeness (cosine), business, day, stars, language, sentence, review_id. Raises InputError if the stored vectors
    are another reader's.
    """
    rows = iter(read(warehouse, sql_file("reading", "vectors.sql")).rows)
    best: list[tuple[float, str, int, int]] = []
    while batch := list(itertools.islice(rows, _BATCH)):
        matrix = np.stack([np.frombuffer(stored, np.float16) for *_, stored in batch]).astype(np.float32)
        if matrix.shape[1] != len(vector):
            raise InputError("The reviews were read by another reader. Name its profile: similar TEXT --profile NAME")
        found = zip((matrix @ vector).tolist(), batch, strict=True)
        best += [(closeness, review, place, length) for closeness, (review, place, length, _) in found]
        best = heapq.nsmallest(4 * limit, best, key=lambda one: (-one[0], *one[1:]))
    sentences = warehouse.query(
        sql_file("reading", "similar.sql"),
        {
            "reviews": [review for _, review, *_ in best],
            "places": [place for *_, place, _ in best],
            "lengths": [length for *_, length in best],
        },
    )
    unique: dict[str, dict[str, Any]] = {}
    for (closeness, *_), row in zip(best, sentences, strict=True):
        unique.setdefault(row["sentence"], {"closeness": round(closeness, 3), **row})
    return list(unique.values())[:limit]
