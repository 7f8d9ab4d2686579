"""Training of the student by its own recipe, beside the same with padding: to the longest text of a batch, and to the longest of
all. The same texts in the same order; tokens are those of the texts, padding is none.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.bench.measure import Measured, Sizes, sample, speedup
from pipeline.core.assets import STUDENT
from pipeline.core.errors import InputError

OURS = "no padding"
_ROWS, _STEP, _LONGEST, _BAR, _ROUNDS = 40, 8, 512, 2.5, 2  # texts, texts a step, tokens of a text at most
_PADDED: Mapping[str, Any] = {
    "padding_free": False,
    "per_device_train_batch_size": _STEP,
    "gradient_accumulation_steps": 1,
}
_PLAIN = {
    "padding to the longest of each batch": _PADDED,
    "padding to the longest that fits": {**_PADDED, "pad_to_multiple_of": _LONGEST},
}
_SHORT = (
    "with eight texts a step about half of what is computed is padding, and no more can be saved; larger batches, or texts that differ "
    "more in length, would save more"
)


def run(sizes: Sizes) -> list[Measured]:
    """How many times the tokens per second, and the validation loss of each, on up to 40 of the sample's reviews."""
    examples = [
        {"prompt": f"{row['rating']} stars. Review:", "completion": row["review"]}
        for row in sample()[: min(sizes.limit or _ROWS, _ROWS)]
    ]
    result = training(examples, min(sizes.rounds, _ROUNDS))
    found = [
        Measured("train", f"{OURS}, beside {name}", ratio, bar=_BAR, why=_SHORT, details=result)
        for name, ratio in result["ratios"].items()
    ]
    apart = max(abs(loss / result["validation_loss"][OURS] - 1) for loss in result["validation_loss"].values())
    return [*found, Measured("train", "validation losses differ by", 100 * apart, "%", 1, at_least=False)]


def training(examples: Sequence[Mapping[str, str]], rounds: int = 2) -> dict[str, Any]:
    """Keys of the result: texts, rounds, ratios (per way of padding, the median over the rounds), validation_loss (per method), seconds
    (per method and round, of all steps but the first). A sixth of the `examples` (prompt, completion) is for validation.

    Raises InputError for fewer than two steps of texts, or no round.
    """
    held = len(examples) // 6
    if len(examples) - held < 2 * _STEP or rounds < 1:
        raise InputError("The training benchmark needs 20 texts and a round. Give a larger limit.")
    parts = {"train": examples[held:], "validation": examples[:held], "test": []}
    methods: dict[str, Mapping[str, Any]] = {OURS: {}, **_PLAIN}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    losses = {}
    for _ in range(rounds):
        for name, changes in methods.items():
            took, losses[name] = _train(parts, changes)
            seconds[name].append(took)
    return {
        "texts": len(parts["train"]),
        "rounds": rounds,
        "ratios": {name: speedup(seconds[name], seconds[OURS]) for name in _PLAIN},
        "validation_loss": losses,
        "seconds": seconds,
    }


def _train(parts: Mapping[str, Sequence[Mapping[str, str]]], changes: Mapping[str, Any]) -> tuple[float, float]:
    """(seconds from the end of the first step to that of the last, validation loss) of one epoch."""
    from pipeline.student.recipe import load_recipe
    from pipeline.student.sft import train

    recipe = load_recipe("embedded")
    recipe["sft"] |= {"num_train_epochs": 1, "max_length": _LONGEST, **changes}
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            parts,
            model=str(STUDENT),
            revision="main",
            recipe=recipe,
            out=Path(folder) / "adapter",
            progress=lambda done, total: ends.append(time.perf_counter()),
        )
    return ends[-1] - ends[0], result["validation_loss"]
