"""Trains the embedded aspect sentiment model: MiniLM with LoRA classifies a sentence paired with an aspect.

    review-insights train aspects --data DATA --out pipeline/models/aspects
    review-insights study aspects --data DATA

DATA holds `absa/mams_atsa` and `absa/mams_acsa` (Jiang et al. 2019, "A Challenge Dataset and Effective Models for
Aspect-Based Sentiment Analysis"): restaurant sentences with two or more aspects of different polarity, once with the
terms as written and once with eight categories. The best epoch is chosen on a tenth of the training sentences; MAMS' own
validation files and SemEval-2014 (`absa/*_Train.xml.seg`, never trained on) are the tests.
"""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn

from pipeline.core.labels import SENTIMENTS
from pipeline.reader.heads import save, tokenize_aspects
from pipeline.training.fit import SEED, Classifier, fit, split_of


class Example(NamedTuple):
    """A sentence, one of its aspects, and the aspect's sentiment."""

    sentence: str
    aspect: str
    label: int  # index into SENTIMENTS


def train(data: Path, out: Path, *, epochs: int = 4, learning_rate: float = 5e-4, seed: int = SEED) -> dict[str, Any]:
    """Writes the model to `out` and returns its figures on dev and the test files."""
    torch.manual_seed(seed)
    started = time.time()
    held_out = tests(data)
    test_sentences = {row.sentence for rows in held_out.values() for row in rows}
    labelled = [row for name in ("mams_atsa", "mams_acsa") for row in read_mams(data / "absa" / name / "train.xml")]
    labelled = [row for row in labelled if row.sentence not in test_sentences]
    examples = [row for row in labelled if split_of(row.sentence) != "dev"]
    dev = [row for row in labelled if split_of(row.sentence) == "dev"]
    model = Classifier(len(SENTIMENTS), pool="last")

    def tokens(rows: Sequence[Example]) -> list[list[int]]:
        return tokenize_aspects(model.tokenizer, [row.sentence for row in rows], [row.aspect for row in rows])

    truth, dev_tokens = torch.tensor([row.label for row in examples]), tokens(dev)

    def loss_of(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return nn.functional.cross_entropy(logits, truth[batch], label_smoothing=0.05)

    def dev_score() -> float:
        return figures(model.predict(dev_tokens), dev)["accuracy"]

    fit(model, tokens(examples), loss_of, dev_score, epochs=epochs, batch_size=32, rate=learning_rate)
    report = {
        "seed": seed,
        "minutes": round((time.time() - started) / 60, 1),
        "trained_on": len(examples),
        **{name: figures(model.predict(tokens(rows)), rows) for name, rows in [("dev", dev), *held_out.items()]},
    }
    save(model.encoder, model.head, {"pool": "last", "figures": report}, out)
    return report


def read_mams(path: Path) -> list[Example]:
    """The aspects of one MAMS file, terms or categories."""
    return [
        Example(
            sentence.findtext("text", "").strip(),
            node.get("term") or node.get("category") or "",
            SENTIMENTS.index(polarity),
        )
        for sentence in ElementTree.parse(path).getroot()
        for node in sentence.iter()
        if (polarity := node.get("polarity")) in SENTIMENTS
    ]


def read_semeval(path: Path) -> list[Example]:
    """The aspects of one SemEval-2014 file: three lines each, the sentence with $T$, the aspect, and -1, 0 or 1."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=True)
    return [
        Example(sentence.replace("$T$", aspect), aspect, int(polarity) + 1) for sentence, aspect, polarity in triples
    ]


def tests(data: Path) -> dict[str, list[Example]]:
    """The test sets by name; none of their sentences are trained on."""
    absa = data / "absa"
    return {
        "mams_terms": read_mams(absa / "mams_atsa" / "val.xml"),
        "mams_categories": read_mams(absa / "mams_acsa" / "val.xml"),
        "semeval_restaurants": read_semeval(absa / "Restaurants_Train.xml.seg"),
        "semeval_laptops": read_semeval(absa / "Laptops_Train.xml.seg"),
    }


def figures(logits: np.ndarray, rows: Sequence[Example]) -> dict[str, float]:
    """Accuracy and macro-F1 of logits of shape (rows, 3)."""
    truth, predicted = [row.label for row in rows], logits.argmax(1)
    return {
        "n": len(rows),
        "accuracy": round(float((predicted == truth).mean()), 4),
        "macro_f1": round(f1_score(truth, predicted, average="macro"), 4),
    }
