"""The training of the BLEURT stand-in: MiniLM with a LoRA adapter and a linear head, and how it is fit.

Splits are by a hash of the text, so that a text is in the same split in every training. Weights are averaged over the steps
(exponential moving average), which costs nothing and gains a point of F1 on small data. Progress is logged at level INFO.
"""

from __future__ import annotations

import hashlib
import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from pipeline.backends.adapters import without_bitsandbytes
from pipeline.reader import minilm
from pipeline.text.splits import split_by_hash

logger = logging.getLogger(__name__)

SEED = 20261121
SHARES = {"test": 1, "dev": 1, "train": 8}  # tenths
AVERAGE = 0.998  # decay of the averaged weights, per step


def split_of(text: str) -> str:
    """train, dev or test, by a hash of the text: the same review is never in two splits."""
    return split_by_hash(hashlib.sha256(text.encode()).hexdigest(), SHARES)


def batches(token_ids: Sequence[Sequence[int]], size: int, rng: random.Random) -> list[list[int]]:
    """Shuffled batches of indices of texts of similar length (sorted within blocks of 50 batches)."""
    order = list(range(len(token_ids)))
    rng.shuffle(order)
    result = []
    for start in range(0, len(order), size * 50):
        block = sorted(order[start : start + size * 50], key=lambda index: len(token_ids[index]))
        result += [block[at : at + size] for at in range(0, len(block), size)]
    rng.shuffle(result)
    return result


class Classifier(nn.Module):
    """MiniLM with a LoRA adapter and a linear head. `init`: a folder written by `lora.save`, to
    continue from.
    """

    def __init__(self, outputs: int, rank: int = 32, dropout: float = 0.1, init: Path | None = None) -> None:
        super().__init__()
        base, self.tokenizer = minilm.load()
        with without_bitsandbytes():
            from peft import LoraConfig, PeftModel, get_peft_model

            if init is None:
                lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=["query", "key", "value", "dense"])
                self.encoder = get_peft_model(base, lora)
            else:
                self.encoder = PeftModel.from_pretrained(base, init, is_trainable=True)
        self.head = nn.Linear(minilm.DIMENSION, outputs)
        if init is not None:
            head = load_file(init / "head.safetensors")
            self.head.load_state_dict({name: value.float() for name, value in head.items()})
        self.dropout = nn.Dropout(dropout)

    def forward(self, token_ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits of shape (texts, outputs)."""
        ids, mask = minilm.pad(token_ids, self.tokenizer.pad_token_id)
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        logits: torch.Tensor = self.head(self.dropout(minilm.mean_pool(hidden, mask)))
        return logits

    def predict(self, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
        """Logits of shape (texts, outputs), float32, in the order of the texts, without dropout."""
        self.eval()
        logits = np.zeros((len(token_ids), self.head.out_features), dtype=np.float32)
        with torch.inference_mode():
            for batch in minilm.by_length(token_ids, 64):
                logits[batch] = self([token_ids[index] for index in batch]).numpy()
        self.train()
        return logits


def fit(
    model: Classifier,
    token_ids: Sequence[Sequence[int]],
    loss_of: Callable[[torch.Tensor, list[int]], torch.Tensor],
    dev_score: Callable[[], float],
    *,
    epochs: int,
    batch_size: int,
    rate: float,
) -> None:
    """Trains with AdamW, warm-up and cosine decay. After each epoch `dev_score` is called with the averaged weights in the
    model; the best ones are in it at the end. The order of the texts follows torch's seed.

    `loss_of`: (logits, indices of the batch) -> loss. `rate`: the highest learning rate.
    """
    rng = random.Random(torch.initial_seed())
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    averaged = [parameter.detach().clone() for parameter in trainable]
    best, kept, started, step = -math.inf, averaged, time.time(), 0
    optimizer = torch.optim.AdamW(trainable, lr=rate, weight_decay=0.01)
    steps = epochs * -(-len(token_ids) // batch_size)
    model.train()
    for epoch in range(epochs):
        for batch in batches(token_ids, batch_size, rng):
            warm, cool = (step + 1) / (0.06 * steps), 0.51 + 0.49 * math.cos(math.pi * step / steps)
            for group in optimizer.param_groups:
                group["lr"] = rate * min(warm, cool)
            loss = loss_of(model([token_ids[index] for index in batch]), batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            step += 1
            _average(averaged, trainable, step)
            if step % 50 == 0:
                logger.info("step %d/%d loss %.3f %.0f s", step, steps, loss.item(), time.time() - started)
        current = [parameter.detach().clone() for parameter in trainable]
        _copy_into(averaged, trainable)
        score = dev_score()
        logger.info("epoch %d: %.4f on dev", epoch + 1, score)
        if score > best:
            best, kept = score, [average.clone() for average in averaged]
        _copy_into(current, trainable)
    _copy_into(kept, trainable)


def _average(averaged: Sequence[torch.Tensor], parameters: Sequence[torch.Tensor], step: int) -> None:
    """Moves the averages towards the parameters: faster at first, while they still hold the initial weights."""
    decay = min(AVERAGE, step / (step + 9))
    with torch.no_grad():
        for average, parameter in zip(averaged, parameters, strict=True):
            average.lerp_(parameter, 1 - decay)


def _copy_into(values: Sequence[torch.Tensor], parameters: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        for value, parameter in zip(values, parameters, strict=True):
            parameter.copy_(value)
