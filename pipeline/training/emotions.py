"""Trains the embedded emotion classifier: one LoRA adapter on MiniLM, 28 sigmoids.

    python -m pipeline.training.emotions --data DATA --out pipeline/models/emotions

DATA holds `goemotions/{train,dev}.tsv` (Demszky et al. 2020). A tenth of the train file, by a hash of the text, is our
own test; the best epoch and the thresholds come from the dev file. Rare labels weigh more in the loss (by the root of
their rarity), or grief and pride would never be predicted.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn

from pipeline.core.labels import EMOTIONS
from pipeline.reader import minilm
from pipeline.reader.heads import save
from pipeline.training.fit import SEED, Classifier, fit, split_of

MAX_TOKENS = 64
SMOOTHING = 0.98, 0.001  # of the targets: 1 -> 0.981, 0 -> 0.001
GRID = np.arange(0.05, 0.95, 0.01)
WINDOW = 11  # grid points that a threshold's F1 is averaged over

Example = tuple[str, np.ndarray]


def read(data: Path) -> dict[str, list[Example]]:
    def rows(name: str) -> list[Example]:
        examples = []
        with (data / "goemotions" / name).open(encoding="utf-8") as file:
            for text, labels, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                target = np.zeros(len(EMOTIONS), dtype=np.float32)
                target[[int(label) for label in labels.split(",")]] = 1
                examples.append((text, target))
        return examples

    train = rows("train.tsv")
    return {
        "train": [example for example in train if split_of(example[0]) != "test"],
        "dev": rows("dev.tsv"),
        "test": [example for example in train if split_of(example[0]) == "test"],
    }


def choose_thresholds(logits: np.ndarray, truth: np.ndarray) -> list[float]:
    """Per label the probability with the best F1 on dev, averaged over its neighbours: the sharp peaks of rare labels
    are chance (worth 0.4 points of macro-F1 when chosen on one half of dev and tried on the other).
    """
    chances = 1 / (1 + np.exp(-logits))
    thresholds = []
    for label in range(truth.shape[1]):
        scores = [f1_score(truth[:, label], chances[:, label] >= t, zero_division=0) for t in GRID]
        smooth = np.convolve(np.pad(scores, WINDOW // 2, mode="edge"), np.full(WINDOW, 1 / WINDOW), "valid")
        thresholds.append(round(float(GRID[smooth.argmax()]), 2))
    return thresholds


def figures(logits: np.ndarray, truth: np.ndarray, thresholds: list[float]) -> dict[str, float]:
    """macro-F1, micro-F1, and the expected calibration error over all labels (15 bins; Guo et al. 2017)."""
    chances = 1 / (1 + np.exp(-logits))
    chosen = chances >= np.array(thresholds)
    bins = np.minimum((chances * 15).astype(int), 14)
    gaps = [(abs(chances[bins == b].mean() - truth[bins == b].mean()), (bins == b).mean()) for b in np.unique(bins)]
    return {
        "macro_f1": round(f1_score(truth, chosen, average="macro", zero_division=0), 4),
        "micro_f1": round(f1_score(truth, chosen, average="micro", zero_division=0), 4),
        "calibration_error": round(float(sum(gap * share for gap, share in gaps)), 4),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)

    torch.manual_seed(options.seed)
    started = time.time()
    splits = read(options.data)
    model = Classifier(len(EMOTIONS), dropout=0.15)
    tokens = {
        split: minilm.tokenize(model.tokenizer, [text for text, _ in rows], MAX_TOKENS)
        for split, rows in splits.items()
    }
    truth = {split: np.stack([target for _, target in rows]) for split, rows in splits.items()}
    often = torch.tensor(truth["train"].mean(axis=0))
    with torch.no_grad():  # start from how often each label occurs
        nn.init.zeros_(model.head.weight)
        model.head.bias.copy_(torch.log(often / (1 - often)))
    rare = (0.05 / often).clamp(1, 8).sqrt()
    targets = torch.tensor(truth["train"])
    entropy = nn.BCEWithLogitsLoss(reduction="none")

    def loss_of(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        wanted = targets[batch]
        loss = entropy(logits, wanted * SMOOTHING[0] + SMOOTHING[1]) * (1 + (rare - 1) * wanted)
        return loss.sum(dim=1).mean()

    def judge() -> float:
        logits = model.predict(tokens["dev"])
        reached = figures(logits, truth["dev"], choose_thresholds(logits, truth["dev"]))
        return reached["macro_f1"] + 0.5 * reached["micro_f1"]

    fit(model, tokens["train"], loss_of, judge, epochs=options.epochs, batch_size=64, rate=options.learning_rate)
    logits = {split: model.predict(tokens[split]) for split in ("dev", "test")}
    thresholds = choose_thresholds(logits["dev"], truth["dev"])
    report = {
        "seed": options.seed,
        "minutes": round((time.time() - started) / 60, 1),
        **{split: figures(values, truth[split], thresholds) for split, values in logits.items()},
    }
    config = {"thresholds": dict(zip(EMOTIONS, thresholds, strict=True)), "figures": report}
    save(model.encoder, model.head, config, options.out)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
