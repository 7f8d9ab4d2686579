"""Trains the embedded BLEURT stand-in: MiniLM with LoRA as a cross-encoder that predicts BLEURT-base-128.

    python -m pipeline.training.embedded_bleurt --data DATA --out pipeline/models/bleurt

DATA holds `seed/phi2_vs_mistral_500.csv`: feedback of base and tuned phi-2, the Mistral text it is compared with, and
the value BLEURT-base-128 gave each pair. Rows are split by a hash of the review: 80 % train, 10 % dev, 10 % test.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from pipeline.backends import minilm
from pipeline.backends.embedded import save, tokenize_pairs
from pipeline.training.embedded_classifier import batches, split_of

SEED = 20261121
LORA = {"r": 16, "lora_alpha": 32, "target_modules": ["query", "key", "value", "dense"]}


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


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    options = parser.parse_args(arguments)

    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    base, tokenizer = minilm.load()
    encoder = get_peft_model(base, LoraConfig(**LORA))
    head = nn.Linear(minilm.DIMENSION, 1)
    pairs = read_pairs(options.data)
    tokens = {
        split: tokenize_pairs(tokenizer, [p[0] for p in rows], [p[1] for p in rows]) for split, rows in pairs.items()
    }
    centre = float(np.mean([pair[2] for pair in pairs["train"]]))
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, centre)

    def predict(token_ids: list[list[int]]) -> torch.Tensor:
        ids, mask = minilm.pad(token_ids, tokenizer.pad_token_id)
        return head(minilm.mean_pool(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask))[:, 0]

    def figures(split: str) -> dict[str, float]:
        encoder.eval()
        values = np.zeros(len(pairs[split]))
        with torch.inference_mode():
            for batch in minilm.by_length(tokens[split], 32):
                values[batch] = predict([tokens[split][index] for index in batch]).numpy()
        truth = np.array([pair[2] for pair in pairs[split]])
        tuned = np.array([pair[3] == "tuned" for pair in pairs[split]])
        return {
            "n": len(truth),
            "pearson": round(float(np.corrcoef(values, truth)[0, 1]), 4),
            "pearson_tuned": round(float(np.corrcoef(values[tuned], truth[tuned])[0, 1]), 4),
            "mean_absolute_error": round(float(np.abs(values - truth).mean()), 4),
        }

    trainable = [p for p in encoder.parameters() if p.requires_grad] + list(head.parameters())
    optimizer = torch.optim.AdamW(trainable, lr=options.learning_rate, weight_decay=0.01)
    steps = options.epochs * -(-len(tokens["train"]) // 16)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, total_steps=steps + 1, pct_start=0.1
    )
    truth = torch.tensor([pair[2] for pair in pairs["train"]])
    best, started = -1.0, time.time()
    for epoch in range(options.epochs):
        encoder.train()
        for batch in batches(tokens["train"], 16, rng):
            loss = nn.functional.mse_loss(predict([tokens["train"][index] for index in batch]), truth[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            schedule.step()
        dev = figures("dev")
        print(
            json.dumps({"epoch": epoch, "seconds": round(time.time() - started), "dev": dev}),
            file=sys.stderr,
            flush=True,
        )
        if dev["pearson"] > best:
            best = dev["pearson"]
            report = {"seed": SEED, "dev": dev, "test": figures("test")}
            save(encoder, head, {"figures": report}, options.out)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
