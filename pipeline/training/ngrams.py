"""Trains the n-gram sentiment model for languages that the embedded encoder does not read.

    review-insights train ngrams --data DATA --out pipeline/models/ngrams

DATA holds `umsab/` (tweets in eight languages, Barbieri et al. 2022) and reviews in German, Danish, Chinese and
Indonesian (`reviews/`, `multilingual/`; the model card names them). Split by a hash of the text into 80 % train, 10 %
dev and 10 % test. Bias, temperature, the confidence below which the model abstains (`least`), and whether a language is
offered at all are chosen on dev: it is offered if the model answers ("speaks") on at least half of the texts and recognises
three quarters of the negative and of the positive ones among them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.metrics import f1_score

from pipeline.reader import ngrams
from pipeline.text import duplicates
from pipeline.text.repair import repair
from pipeline.training.fit import SEED, split_of

TWEETS = {
    "arabic": "ar",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}
# A language is offered if the model answers on this share of the texts, with this recall on them.
MIN_COVERAGE, MIN_RECALL = 0.5, 0.75


class Example(NamedTuple):
    """A text with its sentiment."""

    text: str
    label: int  # index into SENTIMENTS
    language: str  # ISO 639-1
    source: str  # the file it comes from, or umsab


def train(data: Path, out: Path, *, epochs: int = 8, learning_rate: float = 0.3, decay: float = 1e-5) -> dict[str, Any]:
    """Writes the model to `out` and returns its config: settings and figures of each language, offered or not."""
    splits = read(data)
    weights = fit_weights(splits["train"], epochs, learning_rate, decay)
    offered: dict[str, Any] = {}
    refused: dict[str, Any] = {}
    for language in sorted({example.language for example in splits["dev"]}):
        settings, measured = measure(weights, *(reviews_of(splits[split], language) for split in ("dev", "test")))
        if measured["dev"]["speaks"] >= MIN_COVERAGE:
            offered[language] = settings | measured
        else:
            refused[language] = measured
    config = {"seed": SEED, "languages": offered, "not_offered": refused}
    out.mkdir(parents=True, exist_ok=True)
    save_file({"weights": torch.tensor(weights).to(torch.bfloat16)}, out / "weights.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    duplicates.save([example.text for split in ("train", "dev") for example in splits[split]], out)
    return config


def measure(
    weights: np.ndarray, dev: list[Example], test: list[Example]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """(settings chosen on dev, figures on dev and test) for one language."""
    splits = {
        name: (ngrams.logits([row.text for row in rows], weights), np.array([row.label for row in rows]))
        for name, rows in (("dev", dev), ("test", test))
    }
    settings = calibrate(*splits["dev"])
    return settings, {name: figures(settings, *split) for name, split in splits.items()}


def read(data: Path) -> dict[str, list[Example]]:
    """Examples by split: train, dev and test."""
    import pandas as pd

    def starred(name: str, text: str, stars: str, language: str) -> list[Example]:
        frame = pd.read_csv(data / "reviews" / name)[[text, stars]].dropna()
        return [
            Example(repair(str(body)), 0 if rating <= 2 else 1 if rating == 3 else 2, language, name)
            for body, rating in zip(frame[text], frame[stars].astype(float), strict=True)
        ]

    examples = [
        *starred("places_leipzig_de.csv", "review_text", "review_rating", "de"),
        *starred("gyms_trustpilot_da.csv", "review", "rating", "da"),
    ]
    chinese = pd.read_csv(data / "reviews" / "waimai_zh.csv").dropna()
    examples += [
        Example(repair(str(body)), 2 * int(label), "zh", "waimai_zh.csv")
        for body, label in zip(chinese["review"], chinese["label"], strict=True)
    ]
    classes = {"negative": 0, "neutral": 1, "positive": 2}
    for line in (data / "multilingual" / "indonlu_smsa_id.tsv").read_text(encoding="utf-8").splitlines():
        body, _, label = line.rpartition("\t")
        if label in classes:
            examples.append(Example(repair(body), classes[label], "id", "indonlu_smsa_id.tsv"))
    for folder, language in TWEETS.items():
        for part in ("train", "val"):
            texts = (data / "umsab" / folder / f"{part}_text.txt").read_text(encoding="utf-8").splitlines()
            labels = (data / "umsab" / folder / f"{part}_labels.txt").read_text().split()
            examples += [
                Example(text, int(label), language, "umsab") for text, label in zip(texts, labels, strict=True)
            ]
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for example in {example.text: example for example in examples if example.text}.values():
        splits[split_of(example.text)].append(example)
    return splits


def fit_weights(examples: list[Example], epochs: int, rate: float, decay: float) -> np.ndarray:
    """Logistic regression in which every language and class has equal weight: weights of shape (BUCKETS, 3)."""
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    features = [torch.from_numpy(ngrams.features(example.text)) for example in examples]
    truth = torch.tensor([example.label for example in examples])
    per_cell = Counter((example.language, example.label) for example in examples)
    per_language = Counter(example.language for example in examples)
    classes = Counter(language for language, _ in per_cell)
    weight = torch.tensor(
        [per_language[e.language] / classes[e.language] / per_cell[e.language, e.label] for e in examples]
    )
    table = torch.nn.EmbeddingBag(ngrams.BUCKETS, 3, mode="sum")
    torch.nn.init.zeros_(table.weight)
    optimizer = torch.optim.Adagrad(table.parameters(), lr=rate)
    for _ in range(epochs):
        order = rng.sample(range(len(examples)), len(examples))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            bags = [features[index] for index in batch]
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


def reviews_of(examples: list[Example], language: str) -> list[Example]:
    """The reviews in a language, which are what the model will read; with tweets if there are too few."""
    examples = [example for example in examples if example.language == language]
    reviews = [example for example in examples if example.source != "umsab"]
    return reviews if len(reviews) >= 80 else examples


def calibrate(logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Bias and temperature with the least cross-entropy on dev, then the lowest confidence (`least`) with enough recall."""
    values, target = torch.tensor(logits), torch.tensor(truth)
    bias, log_temperature = torch.zeros(3, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([bias, log_temperature], max_iter=100)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (
            torch.nn.functional.cross_entropy((values + bias) / log_temperature.exp(), target)
            + 0.002 * bias.square().sum()
        )
        loss.backward()
        return loss

    optimizer.step(closure)
    bias, temperature = bias.detach(), float(log_temperature.detach().exp())
    probabilities = torch.softmax((values + bias) / temperature, 1).numpy()
    confidence, predicted = probabilities.max(1), probabilities.argmax(1)
    settings = {"bias": [round(float(b), 3) for b in bias], "temperature": round(temperature, 3), "least": 1.0}
    for threshold in np.arange(0.34, 0.96, 0.01):
        answered = confidence >= threshold
        if answered.any() and recall(predicted[answered], truth[answered]) >= MIN_RECALL:
            return settings | {"least": round(float(threshold), 2)}
    return settings


def recall(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Mean recall of negative and positive texts: a model that calls everything positive, as most reviews are, gets 0.5."""
    shares = [float((predicted[truth == label] == label).mean()) for label in (0, 2) if (truth == label).any()]
    return sum(shares) / len(shares) if shares else 0.0


def figures(settings: dict[str, Any], logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Figures over all texts, and over those that the model answers."""
    values = (logits + np.array(settings["bias"])) / settings["temperature"]
    probabilities = np.exp(values) / np.exp(values).sum(1, keepdims=True)
    predicted, answered = probabilities.argmax(1), probabilities.max(1) >= settings["least"]
    return {
        "n": len(truth),
        "accuracy": round(float((predicted == truth).mean()), 3),
        "macro_f1": round(float(f1_score(truth, predicted, average="macro", labels=sorted(set(truth.tolist())))), 3),
        "speaks": round(float(answered.mean()), 3),
        "accuracy_when_it_speaks": round(float((predicted == truth)[answered].mean()), 3) if answered.any() else None,
        "recall_when_it_speaks": round(recall(predicted[answered], truth[answered]), 3),
    }
