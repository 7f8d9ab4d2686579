"""A stand-in for BLEURT that needs no download: MiniLM as a cross-encoder, trained to imitate BLEURT-base-128.

Its values compare only with each other. Trained by `pipeline.training.bleurt`; for figures and limits see the model card,
models/bleurt/README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.core.assets import BLEURT
from pipeline.core.integrity import require_intact
from pipeline.reader.lora import load_head

_MAX_TOKENS = 110  # read of each text
MODEL = "stand-in: MiniLM trained on BLEURT-base-128"
SETTINGS = f"{_MAX_TOKENS} tokens of each text"


def tokenize_pairs(tokenizer: Any, candidates: Sequence[str], references: Sequence[str]) -> list[list[int]]:
    """[CLS] reference [SEP] candidate [SEP], each side cut to _MAX_TOKENS: BLEURT-base-128 reads openings only, too."""
    sides = [
        tokenizer(list(side), truncation=True, max_length=_MAX_TOKENS + 2, verbose=False)["input_ids"]
        for side in (references, candidates)
    ]
    return [reference + candidate[1:] for reference, candidate in zip(*sides, strict=True)]


def score(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    """One value per pair, in order: an estimate of BLEURT-base-128; not bounded."""
    require_intact(BLEURT)
    model = load_head(BLEURT)
    return [float(value) for value in model.logits(tokenize_pairs(model.tokenizer, candidates, references))[:, 0]]


def truncated(candidates: Sequence[str], references: Sequence[str]) -> list[bool]:
    """Whether each pair has a text whose end is not read."""
    tokenizer = load_head(BLEURT).tokenizer
    sides = [
        tokenizer(list(side), add_special_tokens=False, verbose=False)["input_ids"] for side in (candidates, references)
    ]
    return [max(len(candidate), len(reference)) > _MAX_TOKENS for candidate, reference in zip(*sides, strict=True)]
