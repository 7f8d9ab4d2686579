"""Trains the embedded BLEURT stand-in: MiniLM with LoRA as a cross-encoder that predicts BLEURT-base-128's value.

    review-insights train bleurt --data DATA --out pipeline/models/bleurt

DATA holds `seed/phi2_vs_mistral_500.csv`: feedback by base and tuned phi-2, the Mistral text each is compared with, and
BLEURT-base-128's value for each pair. Rows are split by a hash of the review: 80 % train, 10 % dev, 10 % test.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from pipeline.metrics.bleurt_standin import tokenize_pairs
from pipeline.reader.lora import save
from pipeline.training.fit import SEED, Classifier, fit, split_of


def train(data: Path, out: Path, *, epochs: int = 8, learning_rate: float = 8e-4, seed: int = SEED) -> dict[str, Any]:
    """Writes the model to `out` and returns its figures on dev and test."""
    torch.manual_seed(seed)
    started = time.time()
    model = Classifier(1, rank=16, dropout=0.05)
    pairs = read_pairs(data)
    tokens = {
        split: tokenize_pairs(model.tokenizer, [row.candidate for row in rows], [row.reference for row in rows])
        for split, rows in pairs.items()
    }
    truth = torch.tensor([pair.bleurt for pair in pairs["train"]])
    with torch.no_grad():
        nn.init.zeros_(model.head.weight)
        model.head.bias.fill_(float(truth.mean()))

    def loss_of(values: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return nn.functional.mse_loss(values[:, 0], truth[batch])

    def dev_score() -> float:
        dev_figures = figures(model.predict(tokens["dev"])[:, 0], pairs["dev"])
        return dev_figures["pearson"] + dev_figures["pearson_tuned"]

    fit(model, tokens["train"], loss_of, dev_score, epochs=epochs, batch_size=16, rate=learning_rate)
    report = {
        "seed": seed,
        "minutes": round((time.time() - started) / 60, 1),
        **{split: figures(model.predict(tokens[split])[:, 0], pairs[split]) for split in ("dev", "test")},
    }
    save(model.encoder, model.head, {"figures": report}, out)
    return report


class Pair(NamedTuple):
    """A candidate, its reference, and BLEURT-base-128's value for them."""

    candidate: str
    reference: str
    bleurt: float
    writer: str  # of the candidate: base or tuned


def without_prompt(text: str, prompt: str) -> str:
    """The text without the prompt that the original project's outputs echo."""
    return text.strip().removeprefix(prompt.strip()).strip()


def read_pairs(data: Path) -> dict[str, list[Pair]]:
    """Pairs by split: train, dev and test. Each row has two, one per candidate."""
    splits: dict[str, list[Pair]] = {"train": [], "dev": [], "test": []}
    with (data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            reference = without_prompt(row["mistral_output"], row["input"])
            for name, column in (("base", "phi-2_output"), ("tuned", "phi-2_output_fine-tuned")):
                candidate = without_prompt(row[column], row["input"])
                pair = Pair(candidate, reference, float(row[f"{name}_bleurt"]), name)
                splits[split_of(row["input"])].append(pair)
    return splits


def figures(values: np.ndarray, pairs: list[Pair]) -> dict[str, float]:
    """Agreement of `values` with BLEURT-base-128: over all pairs, and within the tuned model's alone."""
    truth = np.array([pair.bleurt for pair in pairs])
    tuned = np.array([pair.writer == "tuned" for pair in pairs])
    return {
        "n": len(truth),
        "pearson": round(float(np.corrcoef(values, truth)[0, 1]), 4),
        "pearson_tuned": round(float(np.corrcoef(values[tuned], truth[tuned])[0, 1]), 4),
        "mean_absolute_error": round(float(np.abs(values - truth).mean()), 4),
    }
