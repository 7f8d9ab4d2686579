"""The reader: everything that it says, beside one plain pass of its encoder over the same words."""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from typing import Any

from pipeline.bench.measure import Measured, Sizes, medians, speedup, take_turns
from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError


def run(sizes: Sizes) -> list[Measured]:
    """How many times as long all answers take as one plain pass."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        texts = [row["review"] for row in csv.DictReader(file) if row["review"]]
    result = reading(texts[: sizes.limit or None], sizes.rounds)
    return [Measured("read", "all answers beside a plain pass", result["ratio"], at_least=False, details=result)]


def reading(texts: Sequence[str], rounds: int = 3) -> dict[str, Any]:
    """Everything that the reader says about these texts, beside one plain pass of its encoder over the same words, 32 texts
    of similar length at a time.

    Keys of the result: texts (distinct ones), rounds, texts_per_second (per method), ratio (how many times as long all
    answers take: the median of the rounds).
    """
    import torch

    from pipeline.reader import reading as reader_module

    unique = sorted(set(texts), key=len)
    if not unique or rounds < 1:
        raise InputError("The reading benchmark needs a text and a round. Give a larger limit or file.")
    reader = reader_module.load()
    encoder = reader.encoder

    def plain() -> None:
        ids = [encoder.wrap(ids[: encoder.room]) for ids, _ in encoder.tokenize(unique)]
        with torch.inference_mode():
            for start in range(0, len(ids), 32):
                encoder.hidden(ids[start : start + 32])

    reader.read(unique[:1])
    seconds = take_turns({"plain pass": plain, "all answers": functools.partial(reader.read, unique)}, rounds)
    return {
        "texts": len(unique),
        "rounds": rounds,
        "texts_per_second": {name: len(unique) / value for name, value in medians(seconds).items()},
        "ratio": speedup(seconds["all answers"], seconds["plain pass"]),
    }
