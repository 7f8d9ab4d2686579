"""Trains the embedded sentiment classifier for English: one LoRA adapter on MiniLM, five stars.

    review-insights train sentiment --data DATA --out pipeline/models/sentiment

DATA holds `reviews/` (star ratings and labelled sentences; the model card lists the files) and `umsab/english` (tweets,
Barbieri et al. 2022). The model predicts stars; negative is 1 or 2 of them, neutral 3, positive 4 or 5. If a source
only has classes, the loss is on the class. Split by a hash of the text into 80 % train, 10 % dev, 10 % test;
near-duplicates of dev and test are not trained on. Best epoch, temperature and bias are chosen on dev alone.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn

from pipeline.quality.calibration import calibration_error, reliability
from pipeline.reader import minilm
from pipeline.reader.heads import by_class, save
from pipeline.text import duplicates
from pipeline.text.repair import repair
from pipeline.training.fit import SEED, Classifier, fit, split_of

# What a label stands for, as a mask over the five stars.
STARS = {stars: tuple(float(star == stars) for star in range(1, 6)) for stars in range(1, 6)}
CLASSES = {
    "negative": (1.0, 1.0, 0.0, 0.0, 0.0),
    "neutral": (0.0, 0.0, 1.0, 0.0, 0.0),
    "positive": (0.0, 0.0, 0.0, 1.0, 1.0),
}
PLAIN = {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]}


class Example(NamedTuple):
    """A text, and the stars that its label stands for."""

    text: str
    mask: tuple[float, ...]  # a value of STARS or CLASSES
    source: str  # the file it comes from, or umsab


def train(
    data: Path,
    out: Path,
    *,
    epochs: int = 3,
    learning_rate: float = 4e-4,
    most: int = 1500,
    max_tokens: int = 192,
    init: Path | None = None,
) -> dict[str, Any]:
    """Writes the model to `out` and returns its figures on dev and test, both balanced and with the natural class balance.

    `most`: training reviews of each source and label. `max_tokens`: of a training review; longer ones keep head and tail.
    `init`: a model of the same kind to continue from.
    """
    torch.manual_seed(SEED)
    started = time.time()
    splits = read(data)
    held_out = {split: balance(splits[split], 120) for split in ("dev", "test")}
    natural = {split: as_they_come(splits[split], 250) for split in ("dev", "test")}
    examples = without_copies(balance(splits["train"], most), splits["dev"] + splits["test"])
    model = Classifier(5, init=init)

    def tokens(rows: list[Example], longest: int = minilm.MAX_TOKENS) -> list[list[int]]:
        return minilm.tokenize(model.tokenizer, [row.text for row in rows], longest)

    masks, dev_tokens = torch.tensor([row.mask for row in examples]), tokens(held_out["dev"])

    def batch_loss(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return loss_of(logits, masks[batch])

    def dev_score() -> float:
        dev_figures = figures(model.predict(dev_tokens), held_out["dev"], PLAIN)
        return dev_figures["macro_f1"] + dev_figures["binary_accuracy"]

    fit(model, tokens(examples, max_tokens), batch_loss, dev_score, epochs=epochs, batch_size=32, rate=learning_rate)
    truth = np.array([class_of(row.mask) for row in natural["dev"]])
    settings = calibrate(model.predict(tokens(natural["dev"])), truth)

    def measured(sets: dict[str, list[Example]], chosen: dict[str, Any]) -> dict[str, Any]:
        return {split: figures(model.predict(tokens(rows)), rows, chosen) for split, rows in sets.items()}

    report = {
        "seed": SEED,
        "minutes": round((time.time() - started) / 60, 1),
        "trained_on": len(examples),
        "balanced": measured(held_out, PLAIN),
        "as_they_come": measured(natural, settings),
    }
    save(model.encoder, model.head, {**settings, "figures": report}, out)
    duplicates.save([row.text for row in [*examples, *held_out["dev"], *natural["dev"]]], out)
    return report


def class_of(mask: tuple[float, ...]) -> int:
    """The class of a mask, as an index into SENTIMENTS."""
    return int(np.argmax([sum(mask[:2]), mask[2], sum(mask[3:])]))


def read(data: Path) -> dict[str, list[Example]]:
    """Examples by split: train, dev and test."""
    import pandas as pd

    def starred(name: str, text: str, stars: str, **options: Any) -> list[Example]:
        frame = pd.read_csv(data / "reviews" / name, **options)[[text, stars]].dropna()
        return [
            Example(repair(str(body)), STARS[min(5, max(1, round(float(rating))))], name)
            for body, rating in zip(frame[text], frame[stars], strict=True)
        ]

    def binary(name: str) -> list[Example]:
        lines = (data / "reviews" / name).read_text(encoding="utf-8").splitlines()
        pairs = [line.rsplit("\t", 1) for line in lines if "\t" in line]
        names = {"0": CLASSES["negative"], "1": CLASSES["positive"]}
        return [Example(repair(text), names[label.strip()], name) for text, label in pairs if label.strip() in names]

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
        masks = list(CLASSES.values())
        examples += [Example(text, masks[int(label)], "umsab") for text, label in zip(texts, labels, strict=True)]
    splits: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    seen = set()
    for example in examples:
        if example.text and example.text not in seen:
            seen.add(example.text)
            splits[split_of(example.text)].append(example)
    return splits


def balance(examples: list[Example], most: int) -> list[Example]:
    """At most `most` examples of each source and label: five-star reviews would swamp the rest."""
    rng = random.Random(SEED)
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(f"{example.source} {example.mask}", []).append(example)
    return [example for key in sorted(groups) for example in rng.sample(groups[key], min(len(groups[key]), most))]


def as_they_come(examples: list[Example], per_source: int) -> list[Example]:
    """A sample of at most `per_source` examples of each source with stars, which keeps its class balance."""
    rng = random.Random(SEED)
    starred = [example for example in examples if example.source.endswith((".csv", ".tsv"))]
    groups = {source: [e for e in starred if e.source == source] for source in sorted({e.source for e in starred})}
    return [e for group in groups.values() for e in rng.sample(group, min(len(group), per_source))]


def without_copies(examples: list[Example], held_out: list[Example]) -> list[Example]:
    """The examples that are no near-duplicates of held-out texts."""
    with tempfile.TemporaryDirectory() as folder:
        duplicates.save([example.text for example in held_out], Path(folder))
        copies = duplicates.trained_on([example.text for example in examples], Path(folder))
    return [example for example, copy in zip(examples, copies, strict=True) if not copy]


def loss_of(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Half the cross-entropy on the stars that a label allows (`masks`, shape (rows, 5)), plus that on the three classes."""
    log_probabilities = torch.log_softmax(logits, dim=1)
    stars = -(log_probabilities + masks.log()).logsumexp(dim=1)
    grouped = torch.stack([masks[:, :2].sum(1), masks[:, 2], masks[:, 3:].sum(1)], dim=1).argmax(dim=1)
    return 0.5 * stars.mean() + nn.functional.cross_entropy(by_class(log_probabilities), grouped, label_smoothing=0.03)


def calibrate(logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Temperature by cross-entropy, then the bias on the three classes' log-probabilities with the best macro-F1. It needs
    reviews with their natural class balance: in training all classes were equally frequent.
    """
    temperatures = np.arange(0.6, 3.0, 0.05)
    classes = {float(t): by_class(torch.log_softmax(torch.tensor(logits) / t, dim=1)).numpy() for t in temperatures}
    rows = np.arange(len(truth))
    temperature = max(classes, key=lambda t: float(classes[t][rows, truth].mean()))
    values = classes[temperature]
    grid = [(0.0, n, p) for n in np.arange(-1.0, 1.05, 0.1) for p in np.arange(-0.5, 1.55, 0.1)]
    best = max(grid, key=lambda bias: f1_score(truth, (values + np.array(bias)).argmax(1), average="macro"))
    return {"temperature": round(temperature, 2), "bias": [round(float(value), 1) for value in best]}


def figures(logits: np.ndarray, rows: list[Example], settings: dict[str, Any]) -> dict[str, float]:
    """Figures over three classes, over positive against negative alone, and macro-F1 per source."""
    log_probabilities = by_class(torch.log_softmax(torch.tensor(logits) / settings["temperature"], dim=1)).numpy()
    log_probabilities = log_probabilities + np.array(settings["bias"])
    truth, predicted = np.array([class_of(row.mask) for row in rows]), log_probabilities.argmax(1)
    polar = truth != 1
    probabilities = np.exp(log_probabilities) / np.exp(log_probabilities).sum(1, keepdims=True)
    correct = predicted == truth
    result = {
        "n": len(rows),
        "macro_f1": round(f1_score(truth, predicted, average="macro"), 4),
        "accuracy": round(float(correct.mean()), 4),
        "binary_accuracy": round(
            float(((log_probabilities[:, 2] > log_probabilities[:, 0]) == (truth == 2))[polar].mean()), 4
        ),
        "calibration_error": round(calibration_error(reliability(probabilities.max(1), correct, 15)), 4),
    }
    for source in sorted({row.source for row in rows}):
        of_source = np.array([row.source == source for row in rows])
        labels = sorted(set(truth[of_source].tolist()))
        result[f"macro_f1:{source}"] = round(
            f1_score(truth[of_source], predicted[of_source], average="macro", labels=labels), 4
        )
    return result
