"""Text metrics: lists of texts in, one value per text or pair out, in order."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import InputError


def check_pairs(candidates: Sequence[str], references: Sequence[str]) -> None:
    """Raises InputError unless both are lists of strings of one length: a shifted pair would score silently wrong."""
    for name, side in (("candidates", candidates), ("references", references)):
        if isinstance(side, str):
            raise InputError(f"{name} is one string. Pass a list of strings, one per pair.")
        wrong = next((index for index, text in enumerate(side) if not isinstance(text, str)), None)
        if wrong is not None:
            raise InputError(f"{name}[{wrong}] is {type(side[wrong]).__name__}, not str. Leave rows without text out.")
    if len(candidates) != len(references):
        raise InputError(
            f"{len(candidates)} candidates for {len(references)} references. Pass one reference per candidate."
        )
