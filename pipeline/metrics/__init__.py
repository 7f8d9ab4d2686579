"""Text metrics: lists of texts in, one value per text or pair out, in order. `table` says which there are.

In: candidates with references or reviews. Out: a float for each.
Imported by stages, quality and what stands above; imports core, text, reader and backends.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.errors import InputError


def check_pairs(
    first: Sequence[str], second: Sequence[str], names: tuple[str, str] = ("candidates", "references")
) -> None:
    """Raises InputError unless both are lists of strings of one length: pairs out of step would get wrong scores silently."""
    for name, side in zip(names, (first, second), strict=True):
        if isinstance(side, str):
            raise InputError(f"{name} is one string. Pass a list of strings, one per pair.")
        wrong = next((index for index, text in enumerate(side) if not isinstance(text, str)), None)
        if wrong is not None:
            raise InputError(f"{name}[{wrong}] is {type(side[wrong]).__name__}, not str. Leave rows without text out.")
    if len(first) != len(second):
        raise InputError(f"{len(first)} {names[0]} for {len(second)} {names[1]}. Pass lists of one length.")
