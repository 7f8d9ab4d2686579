"""Trains the embedded BLEURT stand-in: MiniLM with LoRA as a cross-encoder that predicts BLEURT-base-128.

    python -m pipeline.training.bleurt --data DATA --out pipeline/models/bleurt

DATA holds `seed/phi2_vs_mistral_500.csv`: feedback of base and tuned phi-2, the Mistral text it is compared with, and
the value BLEURT-base-128 gave each pair. Rows are split by a hash of the review: 80 % train, 10 % dev, 10 % test.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pipeline.metrics.bleurt_standin import tokenize_pairs
from pipeline.reader.heads import save
from pipeline.training.fit import SEED, Classifier, fit, split_of


def without_prompt(text: str, prompt: str) -> str:
    """The original project's outputs echo their prompt; what was written comes after it."""
    return text.strip().removeprefix(prompt.strip()).strip()


def read_pairs(data: Path) -> dict[str, list[tuple[str, str, float, str]]]:
    """(candidate, reference, BLEURT, which candidate) per split."""
    splits: dict[str, list[tuple[str, str, float, str]]] = {"train": [], "dev": [], "test": []}
    with (data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            reference = without_prompt(row["mistral_output"], row["input"])
            for name, column in (("base", "phi-2_output"), ("tuned", "phi-2_output_fine-tuned")):
                candidate = without_prompt(row[column], row["input"])
                splits[split_of(row["input"])].append((candidate, reference, float(row[f"{name}_bleurt"]), name))
    return splits


def figures(values: np.ndarray, pairs: list[tuple[str, str, float, str]]) -> dict[str, float]:
    """Agreement with BLEURT-base-128: over both candidates, and within the tuned one alone."""
    truth, tuned = np.array([pair[2] for pair in pairs]), np.array([pair[3] == "tuned" for pair in pairs])
    return {
        "n": len(truth),
        "pearson": round(float(np.corrcoef(values, truth)[0, 1]), 4),
        "pearson_tuned": round(float(np.corrcoef(values[tuned], truth[tuned])[0, 1]), 4),
        "mean_absolute_error": round(float(np.abs(values - truth).mean()), 4),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)

    torch.manual_seed(options.seed)
    started = time.time()
    model = Classifier(1, rank=16, dropout=0.05)
    pairs = read_pairs(options.data)
    tokens = {
        split: tokenize_pairs(model.tokenizer, [row[0] for row in rows], [row[1] for row in rows])
        for split, rows in pairs.items()
    }
    truth = torch.tensor([pair[2] for pair in pairs["train"]])
    with torch.no_grad():
        nn.init.zeros_(model.head.weight)
        model.head.bias.fill_(float(truth.mean()))

    def loss_of(values: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return nn.functional.mse_loss(values[:, 0], truth[batch])

    def judge() -> float:
        reached = figures(model.predict(tokens["dev"])[:, 0], pairs["dev"])
        return reached["pearson"] + reached["pearson_tuned"]

    fit(model, tokens["train"], loss_of, judge, epochs=options.epochs, batch_size=16, rate=options.learning_rate)
    report = {
        "seed": options.seed,
        "minutes": round((time.time() - started) / 60, 1),
        **{split: figures(model.predict(tokens[split])[:, 0], pairs[split]) for split in ("dev", "test")},
    }
    save(model.encoder, model.head, {"figures": report}, options.out)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
