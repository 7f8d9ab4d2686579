"""Train, validation and test splits by a hash of the content."""

from __future__ import annotations

from collections.abc import Mapping


def split_by_hash(key: str, shares: Mapping[str, int]) -> str:
    """The split of a row whose content hashes to the hex digits `key`: the same row is always in the same split.

    `shares` are whole numbers in any unit, such as percent. The hash modulo their sum falls into one of the
    splits, laid end to end in the order of `shares`: reordering them moves rows.
    """
    remainder = int(key, 16) % sum(shares.values())
    for split, share in shares.items():
        if remainder < share:
            return split
        remainder -= share
    raise AssertionError("the remainder is below the sum of the shares")
