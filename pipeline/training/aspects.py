"""Trains the embedded aspect sentiment: MiniLM with LoRA reads a sentence beside an aspect and says how it fares.

    python -m pipeline.training.aspects --data DATA --out pipeline/models/aspects
    python -m pipeline.training.evaluate_aspects --data DATA

DATA holds `absa/mams_atsa` and `absa/mams_acsa` (Jiang et al. 2019, "A Challenge Dataset and Effective Models for
Aspect-Based Sentiment Analysis"): restaurant sentences with two or more aspects of different polarity, once with the
terms as written and once with eight categories. Best epoch from a tenth of the training sentences; MAMS' own validation
files and SemEval-2014 (`absa/*_Train.xml.seg`, never trained on) are the tests.
"""

from __future__ import annotations

import argparse
import json
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score
from torch import nn

from pipeline.core.labels import SENTIMENTS
from pipeline.reader.heads import save, tokenize_aspects
from pipeline.training.fit import SEED, Classifier, fit, split_of

Example = tuple[str, str, int]  # sentence, aspect, index into SENTIMENTS


def read_mams(path: Path) -> list[Example]:
    """Of one MAMS file, terms or categories."""
    return [
        (
            sentence.findtext("text", "").strip(),
            node.get("term") or node.get("category") or "",
            SENTIMENTS.index(polarity),
        )
        for sentence in ElementTree.parse(path).getroot()
        for node in sentence.iter()
        if (polarity := node.get("polarity")) in SENTIMENTS
    ]


def read_semeval(path: Path) -> list[Example]:
    """Of one SemEval-2014 file: sentence with $T$, aspect, -1, 0 or 1, a line each."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    triples = zip(lines[0::3], lines[1::3], lines[2::3], strict=True)
    return [(sentence.replace("$T$", aspect), aspect, int(polarity) + 1) for sentence, aspect, polarity in triples]


def tests(data: Path) -> dict[str, list[Example]]:
    """What no sentence is trained on."""
    absa = data / "absa"
    return {
        "mams_terms": read_mams(absa / "mams_atsa" / "val.xml"),
        "mams_categories": read_mams(absa / "mams_acsa" / "val.xml"),
        "semeval_restaurants": read_semeval(absa / "Restaurants_Train.xml.seg"),
        "semeval_laptops": read_semeval(absa / "Laptops_Train.xml.seg"),
    }


def figures(logits: np.ndarray, rows: Sequence[Example]) -> dict[str, float]:
    truth, guess = [row[2] for row in rows], logits.argmax(1)
    return {
        "n": len(rows),
        "accuracy": round(float((guess == truth).mean()), 4),
        "macro_f1": round(f1_score(truth, guess, average="macro"), 4),
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)

    torch.manual_seed(options.seed)
    started = time.time()
    held_out = tests(options.data)
    tested = {row[0] for rows in held_out.values() for row in rows}
    folders = [options.data / "absa" / name for name in ("mams_atsa", "mams_acsa")]
    known = [row for folder in folders for row in read_mams(folder / "train.xml")]
    known = [row for row in known if row[0] not in tested]
    train = [row for row in known if split_of(row[0]) != "dev"]
    dev = [row for row in known if split_of(row[0]) == "dev"]
    model = Classifier(len(SENTIMENTS), pool="last")

    def tokens(rows: Sequence[Example]) -> list[list[int]]:
        return tokenize_aspects(model.tokenizer, [row[0] for row in rows], [row[1] for row in rows])

    truth, dev_tokens = torch.tensor([row[2] for row in train]), tokens(dev)

    def loss_of(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        return nn.functional.cross_entropy(logits, truth[batch], label_smoothing=0.05)

    def judge() -> float:
        return figures(model.predict(dev_tokens), dev)["accuracy"]

    fit(model, tokens(train), loss_of, judge, epochs=options.epochs, batch_size=32, rate=options.learning_rate)
    report = {
        "seed": options.seed,
        "minutes": round((time.time() - started) / 60, 1),
        "trained_on": len(train),
        **{name: figures(model.predict(tokens(rows)), rows) for name, rows in [("dev", dev), *held_out.items()]},
    }
    save(model.encoder, model.head, {"pool": "last", "figures": report}, options.out)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
