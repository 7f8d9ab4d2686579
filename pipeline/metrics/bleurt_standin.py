"""A stand-in for BLEURT that needs no download: MiniLM as a cross-encoder, trained to imitate BLEURT-base-128."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.core.assets import BLEURT
from pipeline.reader.heads import load_head

if TYPE_CHECKING:
    pass

_SIDE = 110  # tokens that the BLEURT stand-in reads of each text


def tokenize_pairs(tokenizer: Any, candidates: Sequence[str], references: Sequence[str]) -> list[list[int]]:
    """[CLS] reference [SEP] candidate [SEP], each side cut to _SIDE tokens, as BLEURT-base-128 also sees openings only."""
    sides = [
        tokenizer(list(side), truncation=True, max_length=_SIDE + 2, verbose=False)["input_ids"]
        for side in (references, candidates)
    ]
    return [reference + candidate[1:] for reference, candidate in zip(*sides, strict=True)]


class BleurtStandIn:
    """Predicts BLEURT-base-128 from reference and candidate. A stand-in: compare its values only with themselves."""

    model = "stand-in: MiniLM trained on BLEURT-base-128"
    settings = f"{_SIDE} tokens of each text"

    def truncated(self, candidates: Sequence[str], references: Sequence[str]) -> list[bool]:
        """Which pairs have a text whose end is not read."""
        tokenizer = load_head(BLEURT).tokenizer
        sides = [
            tokenizer(list(side), add_special_tokens=False, verbose=False)["input_ids"]
            for side in (candidates, references)
        ]
        return [max(len(candidate), len(reference)) > _SIDE for candidate, reference in zip(*sides, strict=True)]

    def score(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        model = load_head(BLEURT)
        return [float(value) for value in model.logits(tokenize_pairs(model.tokenizer, candidates, references))[:, 0]]
