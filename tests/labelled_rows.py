"""Small labelled data that a tiny random model can learn: the class is told by one word."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from pipeline.core.labels import SENTIMENTS
from pipeline.tuning.labelled.rows import Example, Labelled
from pipeline.tuning.labelled.split import stratified_split
from pipeline.tuning.trainer import Settings, load_recipe

WORDS = {0: ("awful", "broken"), 1: ("average", "usual"), 2: ("lovely", "great")}
THINGS = ("soup", "waiter", "room", "phone")


def texts(count: int) -> list[tuple[str, int, str]]:
    """(text, class, language)."""
    rng = random.Random(0)
    return [
        (f"The {rng.choice(THINGS)} was {rng.choice(WORDS[n % 3])}, day {n}.", n % 3, "de" if n % 4 == 0 else "en")
        for n in range(count)
    ]


def labelled(count: int = 160) -> Labelled:
    rows = tuple(Example(text, (label,), language, "rows") for text, label, language in texts(count))
    return Labelled("sentiment", SENTIMENTS, rows, count, {"duplicate": 0}, "content")


def parts(count: int = 160) -> dict[str, list[Example]]:
    return stratified_split(labelled(count))


def write(path: Path, count: int = 160) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("text", "stars", "language"), *((text, 2 * label + 1, tongue) for text, label, tongue in texts(count))]
        )
    return str(path)


def settings(model: str, method: str = "full", **changes: Any) -> Settings:
    """Few steps at a rate that tiny models need, in float32 on every processor: bfloat16, the default where the hardware
    multiplies it, rounds each weight's gradient to three digits, and no two processors need agree on the third.
    """
    own = {name: changes.pop(name) for name in ("balance", "seed", "report_to", "task") if name in changes}
    usual = {"num_train_epochs": 3, "learning_rate": 1e-2, "batch_size": 16, "max_tokens": 32, "bf16": False}
    return Settings(
        own.pop("task", "sentiment"), model, method=method, recipe=load_recipe(method, usual | changes), **own
    )
