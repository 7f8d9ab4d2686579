"""Which attributes of the reviews (country, app version, ...) split them into more and less happy customers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypedDict

from pipeline.report.scope import Row

TABLES = 3


class Segment(TypedDict):
    """An attribute and its rows of @segments."""

    key: str
    rows: list[Row]


def strongest(rows: Sequence[Row]) -> list[Segment]:
    """The attributes whose values certainly differ in their negative share, at most TABLES, the largest difference first.

    Certain: Wilson intervals do not overlap that hold for all values of all attributes at once, with 95 % (Bonferroni);
    among many attributes some would differ by chance. `rows`: of @segments.
    """
    judged = [row for row in rows if row["judged"]]
    if not judged:
        return []
    z = NormalDist().inv_cdf(1 - 0.05 / 2 / len(judged))
    by_key = itertools.groupby(judged, key=lambda row: row["key"])
    spreads = {key: _spread(list(values), z) for key, values in by_key}
    keys = sorted((key for key, spread in spreads.items() if spread > 0), key=lambda key: (-spreads[key], key))
    return [{"key": key, "rows": [row for row in rows if row["key"] == key]} for key in keys[:TABLES]]


def _spread(rows: Sequence[Row], z: float) -> float:
    """The largest difference of two shares whose intervals do not overlap; 0 if there is none."""
    return max(
        (
            high["negative_share"] - low["negative_share"]
            for low, high in itertools.permutations(rows, 2)
            if _wilson(low, z, 1) < _wilson(high, z, -1)
        ),
        default=0.0,
    )


def _wilson(row: Row, z: float, side: int) -> float:
    """The low (-1) or high (1) end of the interval of the negative share (Wilson 1927)."""
    n, share = row["judged"], row["negative_share"]
    return float(
        (share + z * z / (2 * n) + side * z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
        / (1 + z * z / n)
    )
