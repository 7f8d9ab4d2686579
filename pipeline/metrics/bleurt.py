"""BLEURT for the published PyTorch checkpoints, on transformers' own BERT and RemBERT.

Source: Sellam et al. 2020, "BLEURT: Learning Robust Metrics for Text Generation"; Pu et al. 2021, "Learning Compact
Metrics for MT" (BLEURT-20). Checkpoints: https://huggingface.co/lucadiliello, converted by bleurt-pytorch, which does
not import under transformers 5. Two layouts:

- BERT (`bleurt-tiny|base|large-128|512`): WordPiece; the whole pair is read up to 128 or 512 tokens.
- RemBERT (`BLEURT-20`, `-D12`, `-D6`, `-D3`): SentencePiece, factorised embeddings, 512 tokens.

The input is `[CLS] reference [SEP] candidate [SEP]`; the score is a linear regression over the pooled `[CLS]`.
Special tokens spelled out in a text are read as plain text, so that a candidate cannot fake the end of its side.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.backends import minilm
from pipeline.errors import InputError
from pipeline.metrics import check_pairs

if TYPE_CHECKING:
    import torch

DEFAULT = "lucadiliello/BLEURT-20"
_FILES = ["*.json", "vocab.txt", "spm.model"]
_SPECIAL = 3  # [CLS] and two [SEP]
_SHARED = (
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "
    "max_position_embeddings type_vocab_size layer_norm_eps pad_token_id"
).split()


@dataclass(frozen=True)
class Bleurt:
    """A loaded checkpoint. `revision` is the hub commit it came from, None for a local folder."""

    module: torch.nn.ModuleDict
    tokenize: Callable[[Sequence[str]], list[list[int]]]
    cls_id: int
    sep_id: int
    pad_id: int
    max_tokens: int
    revision: str | None

    def pairs(self, candidates: Sequence[str], references: Sequence[str]) -> list[tuple[list[int], int]]:
        """Per pair: token ids, and how many tokens did not fit."""
        rows = []
        for reference, candidate in zip(self.tokenize(references), self.tokenize(candidates), strict=True):
            excess = max(0, len(reference) + len(candidate) + _SPECIAL - self.max_tokens)
            reference, candidate = _truncate(reference, candidate, excess)
            rows.append(([self.cls_id, *reference, self.sep_id, *candidate, self.sep_id], excess))
        return rows


def _truncate(first: list[int], second: list[int], excess: int) -> tuple[list[int], list[int]]:
    """Cuts tokens off the end of whichever side is longer, as transformers' `longest_first` does."""
    budget = len(first) + len(second) - excess
    if not excess:
        return first, second
    short = min(len(first), len(second))
    if 2 * short > budget:  # both sides lose tokens; an odd one is left to the second, or to a longer first
        keep_first = budget // 2 + (budget % 2 if len(first) > len(second) else 0)
    else:
        keep_first = len(first) if len(first) <= len(second) else budget - short
    return first[:keep_first], second[: budget - keep_first]


def _folder(model: str, revision: str | None) -> tuple[Path, str | None]:
    local = Path(model)
    if local.is_dir():
        return local, None
    from huggingface_hub import HfApi, snapshot_download

    try:
        files = HfApi().list_repo_files(model, revision=revision)
        weights = "model.safetensors" if "model.safetensors" in files else "pytorch_model.bin"
        folder = Path(snapshot_download(model, revision=revision, allow_patterns=[*_FILES, weights]))
    except Exception as error:
        raise InputError(
            f"BLEURT checkpoint {model!r} is neither a folder nor on the hub ({type(error).__name__}). "
            "Give the path of a downloaded checkpoint, or check the name and the network."
        ) from error
    return folder, folder.name
