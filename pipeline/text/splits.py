"""Which split a row belongs to, decided by a hash of its content."""

from __future__ import annotations

from collections.abc import Mapping


def split_by_hash(key: str, shares: Mapping[str, int]) -> str:
    """The split of a row whose content hashes to the hex digits `key`: the same row is always on the same side.

    `shares` are whole numbers in any unit, such as percent. The hash modulo their sum is a place on a line along which the
    splits lie one after the other, in the order of `shares`: reordering them moves rows.
    """
    place = int(key, 16) % sum(shares.values())
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    raise AssertionError("the place lies below the sum of the shares")
