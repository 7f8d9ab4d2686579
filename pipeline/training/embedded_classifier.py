"""Trains the embedded sentiment and emotion classifier: one LoRA adapter on MiniLM, two heads, one encoder pass.

    python -m pipeline.training.embedded_classifier --data DATA --out pipeline/models/classifier

DATA holds `goemotions/{train,dev}.tsv` (Demszky et al. 2020), `umsab/english` (Barbieri et al. 2022) and
`reviews/` (star ratings; the model card lists the files). Reviews are split by a hash of their text into 80 %
train, 10 % dev and 10 % test; a tenth of GoEmotions' train file is our test. Thresholds, temperature and the best
epoch come from dev alone. Loss: binary cross-entropy per emotion, cross-entropy for sentiment, summed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from sklearn.metrics import f1_score
from torch import nn

from pipeline import sketch
from pipeline.backends import minilm
from pipeline.backends.embedded import save
from pipeline.labels import EMOTIONS, SENTIMENTS
from pipeline.text import repair

SEED = 20261121
LORA = {"r": 32, "lora_alpha": 64, "target_modules": ["query", "key", "value", "dense"]}

Example = tuple[str, np.ndarray]


def split_of(text: str) -> str:
    """train, dev or test, by content: the same review is never on two sides."""
    bucket = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 10
    return {0: "test", 1: "dev"}.get(bucket, "train")


def read_goemotions(data: Path) -> dict[str, list[Example]]:
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


def read_reviews(data: Path) -> dict[str, list[tuple[str, int, str]]]:
    """(text, class, source) per split; classes are indices into SENTIMENTS: 1-2 stars, 3, 4-5."""
    import pandas as pd

    def starred(name: str, text: str, stars: str, **options: Any) -> list[tuple[str, int, str]]:
        frame = pd.read_csv(data / "reviews" / name, **options)[[text, stars]].dropna()
        return [
            (repair(str(body)), 0 if rating <= 2 else 1 if rating == 3 else 2, name)
            for body, rating in zip(frame[text], frame[stars].astype(float), strict=True)
        ]

    def binary(name: str) -> list[tuple[str, int, str]]:
        lines = (data / "reviews" / name).read_text(encoding="utf-8").splitlines()
        pairs = [line.rsplit("\t", 1) for line in lines if "\t" in line]
        return [(repair(text), 2 * int(label), name) for text, label in pairs if label.strip() in {"0", "1"}]

    examples = [
        *starred("yelp_10k.csv", "text", "stars"),
        *starred("womens_clothing.csv", "Review Text", "Rating"),
        *starred("amazon_alexa.tsv", "verified_reviews", "rating", sep="\t"),
        *starred("amazon_pillow.csv", "review_text", "review_rating"),
        *starred("tripadvisor.csv", "Review", "Rating"),
        *starred("app_moniepoint.csv", "content", "score"),
        *binary("amazon_cells_labelled.txt"),
        *binary("imdb_labelled.txt"),
        *binary("yelp_labelled.txt"),
    ]
    tweets = data / "umsab" / "english"
    for name in ("train", "val"):
        texts = (tweets / f"{name}_text.txt").read_text(encoding="utf-8").splitlines()
        labels = (tweets / f"{name}_labels.txt").read_text().split()
        examples += [(text, int(label), "umsab") for text, label in zip(texts, labels, strict=True)]
    splits: dict[str, list[tuple[str, int, str]]] = {"train": [], "dev": [], "test": []}
    seen = set()
    for text, label, source in examples:
        if text and text not in seen:
            seen.add(text)
            splits[split_of(text)].append((text, label, source))
    return splits


def balance(examples: list[tuple[str, int, str]], per_source_and_class: int) -> list[tuple[str, int, str]]:
    """At most so many of each source and class: five-star reviews would drown the rest."""
    rng = random.Random(SEED)
    groups: dict[tuple[int, str], list[tuple[str, int, str]]] = {}
    for example in examples:
        groups.setdefault(example[1:], []).append(example)
    return [
        example
        for key in sorted(groups)
        for example in rng.sample(groups[key], min(len(groups[key]), per_source_and_class))
    ]


class MultiTask(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        base, self.tokenizer = minilm.load()
        self.encoder = get_peft_model(base, LoraConfig(**LORA))
        self.heads = nn.ModuleDict(
            {
                "emotions": nn.Linear(minilm.DIMENSION, len(EMOTIONS)),
                "sentiment": nn.Linear(minilm.DIMENSION, len(SENTIMENTS)),
            }
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, token_ids: list[list[int]], task: str) -> torch.Tensor:
        ids, mask = minilm.pad(token_ids, self.tokenizer.pad_token_id)
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.heads[task](self.dropout(minilm.mean_pool(hidden, mask)))


def predict(model: MultiTask, token_ids: list[list[int]], task: str) -> np.ndarray:
    model.eval()
    logits = np.zeros((len(token_ids), len(EMOTIONS if task == "emotions" else SENTIMENTS)), dtype=np.float32)
    with torch.inference_mode():
        for batch in minilm.by_length(token_ids, 64):
            logits[batch] = model([token_ids[index] for index in batch], task).numpy()
    return logits


def batches(token_ids: list[list[int]], size: int, rng: random.Random) -> list[list[int]]:
    """Shuffled batches whose members are of similar length (sorted within blocks of 50 batches)."""
    order = list(range(len(token_ids)))
    rng.shuffle(order)
    result = []
    for start in range(0, len(order), size * 50):
        block = sorted(order[start : start + size * 50], key=lambda index: len(token_ids[index]))
        result += [block[at : at + size] for at in range(0, len(block), size)]
    rng.shuffle(result)
    return result


def choose_thresholds(logits: np.ndarray, truth: np.ndarray) -> list[float]:
    """Per label, the probability that gives the best F1 on dev."""
    probabilities = 1 / (1 + np.exp(-logits))
    grid = np.arange(0.05, 0.95, 0.01)
    return [
        round(float(max(grid, key=lambda t: f1_score(truth[:, k], probabilities[:, k] >= t, zero_division=0))), 2)
        for k in range(truth.shape[1])
    ]


def choose_bias(logits: np.ndarray, truth: np.ndarray) -> list[float]:
    """What to add to the sentiment logits for the best macro-F1 on reviews as they come, not balanced by class."""
    grid = [(0.0, n, p) for n in np.arange(-1.5, 1.6, 0.1) for p in np.arange(-0.5, 2.6, 0.1)]
    best = max(grid, key=lambda bias: f1_score(truth, (logits + np.array(bias)).argmax(1), average="macro"))
    return [round(float(value), 1) for value in best]


def as_they_come(examples: list[tuple[str, int, str]], per_source: int) -> list[tuple[str, int, str]]:
    """At most so many of each source with stars, their classes as frequent as they are."""
    rng = random.Random(SEED)
    starred = [example for example in examples if example[2].endswith((".csv", ".tsv"))]
    groups = {source: [e for e in starred if e[2] == source] for source in sorted({e[2] for e in starred})}
    return [e for group in groups.values() for e in rng.sample(group, min(len(group), per_source))]


def emotion_figures(logits: np.ndarray, truth: np.ndarray, thresholds: list[float]) -> dict[str, float]:
    chosen = 1 / (1 + np.exp(-logits)) >= np.array(thresholds)
    return {
        "macro_f1": round(f1_score(truth, chosen, average="macro", zero_division=0), 4),
        "micro_f1": round(f1_score(truth, chosen, average="micro", zero_division=0), 4),
    }


def sentiment_figures(logits: np.ndarray, rows: list[tuple[str, int, str]]) -> dict[str, float]:
    truth, guess = np.array([row[1] for row in rows]), logits.argmax(1)
    polar = truth != 1
    figures = {
        "macro_f1": round(f1_score(truth, guess, average="macro"), 4),
        "accuracy": round(float((truth == guess).mean()), 4),
        "binary_accuracy": round(float(((logits[:, 2] > logits[:, 0]) == (truth == 2))[polar].mean()), 4),
    }
    for source in sorted({row[2] for row in rows}):
        at = np.array([row[2] == source for row in rows])
        figures[f"macro_f1:{source}"] = round(
            f1_score(truth[at], guess[at], average="macro", labels=sorted(set(truth[at]))), 4
        )
    return figures


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--reviews-per-class", type=int, default=1500, help="cap for each file and class")
    options = parser.parse_args(arguments)

    random.seed(SEED)
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    model = MultiTask()
    tokens: dict[tuple[str, str], list[list[int]]] = {}
    emotions = read_goemotions(options.data)
    reviews = read_reviews(options.data)
    natural = as_they_come(reviews["dev"], 250)
    reviews["train"] = balance(reviews["train"], options.reviews_per_class)
    for split in ("train", "dev", "test"):
        if split != "train":  # enough to choose by, and to judge by, without an hour of inference
            reviews[split] = balance(reviews[split], 250)
        limits = (64, 80) if split == "train" else (64, minilm.MAX_TOKENS)
        tokens["emotions", split] = minilm.tokenize(model.tokenizer, [text for text, _ in emotions[split]], limits[0])
        tokens["sentiment", split] = minilm.tokenize(model.tokenizer, [row[0] for row in reviews[split]], limits[1])
    targets = {
        "emotions": torch.tensor(np.stack([target for _, target in emotions["train"]])),
        "sentiment": torch.tensor([row[1] for row in reviews["train"]]),
    }
    print({key: len(value) for key, value in tokens.items()}, file=sys.stderr, flush=True)

    loss_of = {"emotions": nn.BCEWithLogitsLoss(), "sentiment": nn.CrossEntropyLoss(label_smoothing=0.05)}
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=options.learning_rate, weight_decay=0.01)
    size = {"emotions": 64, "sentiment": 16}
    steps = options.epochs * -(-len(tokens["emotions", "train"]) // size["emotions"])
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / (0.06 * steps), max(0.0, (steps - step) / (0.94 * steps)))
    )
    dev_emotions = np.stack([target for _, target in emotions["dev"]])
    best, best_state, started = -1.0, dict[str, torch.Tensor](), time.time()
    queue: list[list[int]] = []
    for epoch in range(options.epochs):
        model.train()
        for step, emotion_batch in enumerate(batches(tokens["emotions", "train"], size["emotions"], rng)):
            queue = queue or batches(tokens["sentiment", "train"], size["sentiment"], rng)
            loss = torch.zeros(())
            for task, batch in (("emotions", emotion_batch), ("sentiment", queue.pop())):
                logits = model([tokens[task, "train"][index] for index in batch], task)
                weight = 4.0 if task == "emotions" else 0.5  # the mean over 28 sigmoids is small
                loss = loss + weight * loss_of[task](logits, targets[task][batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            schedule.step()
            if step % 50 == 0:
                print(
                    f"epoch {epoch} step {step} loss {loss.item():.4f} {time.time() - started:.0f}s",
                    file=sys.stderr,
                    flush=True,
                )
        emotion_logits = predict(model, tokens["emotions", "dev"], "emotions")
        thresholds = choose_thresholds(emotion_logits, dev_emotions)
        dev = {
            "emotions": emotion_figures(emotion_logits, dev_emotions, thresholds),
            "sentiment": sentiment_figures(predict(model, tokens["sentiment", "dev"], "sentiment"), reviews["dev"]),
        }
        print(json.dumps({"epoch": epoch, "dev": dev}), file=sys.stderr, flush=True)
        if (reached := dev["emotions"]["macro_f1"] + dev["sentiment"]["macro_f1"]) > best:
            best, best_thresholds, best_dev = reached, thresholds, dev
            best_state = {
                name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad
            }

    model.load_state_dict(best_state, strict=False)
    test = {
        "emotions": emotion_figures(
            predict(model, tokens["emotions", "test"], "emotions"),
            np.stack([target for _, target in emotions["test"]]),
            best_thresholds,
        ),
        "sentiment": sentiment_figures(predict(model, tokens["sentiment", "test"], "sentiment"), reviews["test"]),
    }
    figures = {"seed": SEED, "minutes": round((time.time() - started) / 60, 1), "dev": best_dev, "test": test}
    natural_tokens = minilm.tokenize(model.tokenizer, [row[0] for row in natural])
    config = {
        "thresholds": dict(zip(EMOTIONS, best_thresholds, strict=True)),
        "sentiment_bias": choose_bias(
            predict(model, natural_tokens, "sentiment"), np.array([row[1] for row in natural])
        ),
        "figures": figures,
    }
    save(model.encoder, model.heads, config, options.out)
    sketch.save([row[0] for row in [*reviews["train"], *reviews["dev"], *natural]], options.out)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
