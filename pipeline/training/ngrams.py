"""Trains the sentiment model for languages that the embedded encoder does not read.

    python -m pipeline.training.ngrams --data DATA --out pipeline/models/ngrams

DATA holds `umsab/` (tweets in eight languages, Barbieri et al. 2022) and reviews in German, Danish, Chinese and
Indonesian (`reviews/`, `multilingual/`; the model card names them). Split by a hash of the text into 80 % train, 10 %
dev and 10 % test. Bias, temperature, the least probability at which the model speaks, and whether a language is
offered at all are chosen on dev: it is offered where, speaking on at least half of the texts, it recognises three
quarters of the negative and of the positive ones.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.metrics import f1_score

from pipeline.reader import ngrams
from pipeline.text import duplicates
from pipeline.text.repair import repair
from pipeline.training.fit import SEED, split_of

TWEETS = {"arabic": "ar", "french": "fr", "german": "de", "hindi": "hi", "italian": "it", "portuguese": "pt", "spanish": "es"}  # fmt: skip
RIGHT, SPEAKS = 0.75, 0.5  # recall on the texts it speaks on; share of those it speaks on

Example = tuple[str, int, str, str]  # text, class, language, source


def read(data: Path) -> dict[str, list[Example]]:
    """Examples per split; classes are indices into SENTIMENTS."""
    import pandas as pd

    def starred(name: str, text: str, stars: str, language: str) -> list[Example]:
        frame = pd.read_csv(data / "reviews" / name)[[text, stars]].dropna()
        return [
            (repair(str(body)), 0 if rating <= 2 else 1 if rating == 3 else 2, language, name)
            for body, rating in zip(frame[text], frame[stars].astype(float), strict=True)
        ]

    examples = [
        *starred("places_leipzig_de.csv", "review_text", "review_rating", "de"),
        *starred("gyms_trustpilot_da.csv", "review", "rating", "da"),
    ]
    chinese = pd.read_csv(data / "reviews" / "waimai_zh.csv").dropna()
    examples += [
        (repair(str(body)), 2 * int(label), "zh", "waimai_zh.csv")
        for body, label in zip(chinese["review"], chinese["label"], strict=True)
    ]
    classes = {"negative": 0, "neutral": 1, "positive": 2}
    for line in (data / "multilingual" / "indonlu_smsa_id.tsv").read_text(encoding="utf-8").splitlines():
        body, _, label = line.rpartition("\t")
        if label in classes:
            examples.append((repair(body), classes[label], "id", "indonlu_smsa_id.tsv"))
    for folder, language in TWEETS.items():
        for part in ("train", "val"):
            texts = (data / "umsab" / folder / f"{part}_text.txt").read_text(encoding="utf-8").splitlines()
            labels = (data / "umsab" / folder / f"{part}_labels.txt").read_text().split()
            examples += [(text, int(label), language, "umsab") for text, label in zip(texts, labels, strict=True)]
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for example in {example[0]: example for example in examples if example[0]}.values():
        splits[split_of(example[0])].append(example)
    return splits


def train(examples: list[Example], epochs: int, rate: float, decay: float) -> np.ndarray:
    """Weights of shape (BUCKETS, 3): logistic regression, every language and class with equal weight."""
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    found = [torch.from_numpy(ngrams.features(text)) for text, *_ in examples]
    truth = torch.tensor([example[1] for example in examples])
    often = Counter((example[2], example[1]) for example in examples)
    per_language = Counter(example[2] for example in examples)
    kinds = Counter(language for language, _ in often)
    weight = torch.tensor([per_language[e[2]] / kinds[e[2]] / often[e[2], e[1]] for e in examples])
    table = torch.nn.EmbeddingBag(ngrams.BUCKETS, 3, mode="sum")
    torch.nn.init.zeros_(table.weight)
    optimizer = torch.optim.Adagrad(table.parameters(), lr=rate)
    for _ in range(epochs):
        order = rng.sample(range(len(examples)), len(examples))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            bags = [found[index] for index in batch]
            offsets = torch.tensor([0, *np.cumsum([len(bag) for bag in bags])[:-1].tolist()])
            scale = torch.cat([torch.full((len(bag),), len(bag) ** -0.5) for bag in bags])
            buckets = torch.cat(bags)
            logits = table(buckets, offsets, per_sample_weights=scale)
            penalty = decay * table.weight[buckets].square().sum() / len(batch)
            loss = (torch.nn.functional.cross_entropy(logits, truth[batch], reduction="none") * weight[batch]).mean()
            optimizer.zero_grad(set_to_none=True)
            (loss + penalty).backward()
            optimizer.step()
    return table.weight.detach().numpy()


def of_reviews(examples: list[Example]) -> list[Example]:
    """Reviews are what it will read: tweets tune and judge it only where there are too few reviews."""
    reviews = [example for example in examples if example[3] != "umsab"]
    return reviews if len(reviews) >= 80 else examples


def settle(logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Bias and temperature with the least cross-entropy on dev, then the least probability at which to speak."""
    values, wanted = torch.tensor(logits), torch.tensor(truth)
    bias, heat = torch.zeros(3, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([bias, heat], max_iter=100)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy((values + bias) / heat.exp(), wanted) + 0.002 * bias.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    bias, temperature = bias.detach(), float(heat.detach().exp())
    probabilities = torch.softmax((values + bias) / temperature, 1).numpy()
    sure, guess = probabilities.max(1), probabilities.argmax(1)
    settings = {"bias": [round(float(b), 3) for b in bias], "temperature": round(temperature, 3), "least": 1.0}
    for least in np.arange(0.34, 0.96, 0.01):
        speaks = sure >= least
        if speaks.any() and recall(guess[speaks], truth[speaks]) >= RIGHT:
            return settings | {"least": round(float(least), 2)}
    return settings


def recall(guess: np.ndarray, truth: np.ndarray) -> float:
    """Mean share of the negative and of the positive texts that were recognised: a model that calls everything
    positive, as most reviews are, gets one half.
    """
    shares = [float((guess[truth == kind] == kind).mean()) for kind in (0, 2) if (truth == kind).any()]
    return sum(shares) / len(shares) if shares else 0.0


def figures(settings: dict[str, Any], logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    values = (logits + np.array(settings["bias"])) / settings["temperature"]
    probabilities = np.exp(values) / np.exp(values).sum(1, keepdims=True)
    guess, speaks = probabilities.argmax(1), probabilities.max(1) >= settings["least"]
    return {
        "n": len(truth),
        "accuracy": round(float((guess == truth).mean()), 3),
        "macro_f1": round(float(f1_score(truth, guess, average="macro", labels=sorted(set(truth.tolist())))), 3),
        "speaks": round(float(speaks.mean()), 3),
        "accuracy_when_it_speaks": round(float((guess == truth)[speaks].mean()), 3) if speaks.any() else None,
        "recall_when_it_speaks": round(recall(guess[speaks], truth[speaks]), 3),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=0.3)
    parser.add_argument("--decay", type=float, default=1e-5)
    options = parser.parse_args(arguments)
    splits = read(options.data)
    weights = train(splits["train"], options.epochs, options.learning_rate, options.decay)
    offered: dict[str, Any] = {}
    judged: dict[str, Any] = {}
    for language in sorted({example[2] for example in splits["dev"]}):
        dev, test = (of_reviews([e for e in splits[split] if e[2] == language]) for split in ("dev", "test"))
        sides = [(ngrams.logits([e[0] for e in side], weights), np.array([e[1] for e in side])) for side in (dev, test)]
        settings = settle(*sides[0])
        judged[language] = {name: figures(settings, *side) for name, side in zip(("dev", "test"), sides, strict=True)}
        if judged[language]["dev"]["speaks"] >= SPEAKS:
            offered[language] = settings | judged[language]
    options.out.mkdir(parents=True, exist_ok=True)
    save_file({"weights": torch.tensor(weights).to(torch.bfloat16)}, options.out / "weights.safetensors")
    refused = {language: found for language, found in judged.items() if language not in offered}
    config = {"seed": SEED, "languages": offered, "not_offered": refused}
    (options.out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    duplicates.save([example[0] for split in ("train", "dev") for example in splits[split]], options.out)
    print(json.dumps(config, indent=1))


if __name__ == "__main__":
    main()
