"""Reads a sentence of a review together with a statement: whether it is a case of what is stated.

A cross-encoder (Nogueira and Cho 2019, "Passage Re-ranking with BERT") on the reader's own encoder, with a LoRA adapter: what
a vector of each alone cannot tell ("I cancel" from "they cancel") it can, at the cost of a pass per pair. It shares the
encoder's embeddings, and ships as the adapter and a small head in the folder `pairs` of the reader's.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.core.assets import PAIRS
from pipeline.core.errors import InputError
from pipeline.reader import encoder as encoders
from pipeline.reader.base import Pair
from pipeline.reader.lora import merge_lora
from pipeline.reader.network import span_means

TOKENS = 4000  # of a batch, padding included
_STATEMENT, _SENTENCE, _CONTEXT = 56, 96, 64  # tokens that are read of each, at most


class Head(nn.Module):
    """One logit from the means of the statement's and of the sentence's tokens, and their product."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * width, 1)

    def forward(self, statement: torch.Tensor, sentence: torch.Tensor) -> torch.Tensor:
        """statement, sentence: (rows, width); returns (rows,)."""
        joined = torch.cat([statement, sentence, statement * sentence], dim=-1)
        logits: torch.Tensor = self.linear(joined)
        return logits.squeeze(-1)


Encoded = tuple[list[int], tuple[int, int], tuple[int, int]]  # token ids; the statement's and the sentence's tokens


def encode(encoder: encoders.Encoder, pairs: Sequence[Pair]) -> list[Encoded]:
    """Statement, sentence and context, one after the other, with the encoder's own separators."""
    parts = [
        [ids for ids, _ in encoder.tokenize([getattr(pair, name) for pair in pairs])] for name in Pair.__match_args__
    ]
    found = []
    for statement, sentence, context in zip(*parts, strict=True):
        ids = [*encoder.prefix, *(statement[:_STATEMENT] or [encoder.pad_id])]
        first = (len(encoder.prefix), len(ids))
        ids += encoder.suffix
        second = (len(ids), len(ids) + max(len(sentence[:_SENTENCE]), 1))
        ids += sentence[:_SENTENCE] or [encoder.pad_id]
        found.append(([*ids, *encoder.suffix, *context[:_CONTEXT], *encoder.suffix], first, second))
    return found


def logits(encoder: encoders.Encoder, head: Head, encoded: Sequence[Encoded]) -> torch.Tensor:
    """(rows,)."""
    hidden, _ = encoder.hidden([ids for ids, *_ in encoded])
    statement, sentence = (
        span_means(hidden.float(), [(row, *one[part]) for row, one in enumerate(encoded)]) for part in (1, 2)
    )
    return head(statement, sentence)


class PairReader:
    """The encoder with the adapter in it, and the head."""

    def __init__(self, encoder: encoders.Encoder, head: Head) -> None:
        self.encoder, self.head = encoder, head.eval()

    def probabilities(self, pairs: Sequence[Pair]) -> np.ndarray:
        """That each sentence is a case of its statement, float32, (pairs,)."""
        encoded = encode(self.encoder, pairs)
        values = np.zeros(len(pairs), np.float32)
        with torch.inference_mode():
            for batch in encoders.by_tokens([len(ids) for ids, *_ in encoded], TOKENS):
                found = logits(self.encoder, self.head, [encoded[index] for index in batch])
                values[batch] = found.sigmoid().numpy()
        return values


@functools.cache
def load(reader: Path) -> PairReader:
    """That beside the reader in a folder. Raises InputError if it is missing or damaged."""
    from safetensors.torch import load_file

    folder = reader / PAIRS
    encoder = encoders.load(reader)
    head = Head(encoder.width)
    try:
        merge_lora(encoder.network, folder)
        head.load_state_dict({name: value.float() for name, value in load_file(folder / "head.safetensors").items()})
    except Exception as error:  # a truncated file fails in whichever library reads it
        raise InputError(f"The reader of pairs in {folder} cannot be loaded ({error}). Reinstall it.") from error
    return PairReader(encoder, head)
