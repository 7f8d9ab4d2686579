"""Stratified subsets and splits that depend only on texts and a seed, and balancing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.core.errors import InputError
from pipeline.text.words import fold
from pipeline.tuning.labelled.rows import SPLITS, Example, Labelled, Task


def _hash_key(example: Example, salt: str) -> str:
    """A sort key that depends only on the text and the salt."""
    return hashlib.sha256(f"{salt}\0{fold(example.text)}".encode()).hexdigest()


def _stratified_order(examples: Iterable[Example], salt: str) -> list[Example]:
    """Sorted by class and language, within them by a hash: every k-th of them is a stratified sample.

    An example with several classes counts for its rarest one, which needs it most.
    """
    rows = list(examples)
    counts = Counter(index for example in rows for index in example.classes)

    def key(example: Example) -> tuple[int, str, str]:
        return min(example.classes, key=lambda index: counts[index]), example.language, _hash_key(example, salt)

    return sorted(rows, key=key)


def _is_in_share(position: int, share: float) -> bool:
    """Whether this position belongs to a share of evenly spaced rows; they start half a step in, so that small strata count."""
    return int((position + 1) * share + 0.5) > int(position * share + 0.5)


def stratified_split(
    labelled: Labelled, *, fraction: float = 1.0, validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> dict[str, list[Example]]:
    """Examples by split (see SPLITS), stratified by class and language; which split a row is in depends on texts and seed.

    Raises InputError for shares out of range, and if a class is missing from a split that needs it.
    """
    if not 0 < fraction <= 1:
        raise InputError(f"--fraction {fraction}: give a share above 0, up to 1.")
    if validation <= 0 or test <= 0 or validation + test >= 1:
        raise InputError("--validation and --test: two shares above 0 that leave something to train on, such as 0.1.")
    rows = _stratified_order(labelled.examples, f"fraction {seed}")
    rows = [row for position, row in enumerate(rows) if _is_in_share(position, fraction)]
    parts: dict[str, list[Example]] = {name: [] for name in SPLITS}
    rest: list[Example] = []
    for position, row in enumerate(_stratified_order(rows, f"test {seed}")):
        (parts["test"] if _is_in_share(position, test) else rest).append(row)
    for position, row in enumerate(rest):
        parts["validation" if _is_in_share(position, validation / (1 - test)) else "train"].append(row)
    for name, part in parts.items():
        part.sort(key=lambda row: _hash_key(row, f"order {seed}"))
        _require_classes(part, name, labelled, len(rows))
    return parts


def _require_classes(part: Sequence[Example], name: str, labelled: Labelled, rows: int) -> None:
    """Raises InputError if a class is missing. Of emotions only `train` needs all: some are too rare for a small test set."""
    present = {index for row in part for index in row.classes}
    missing = [label for index, label in enumerate(labelled.classes) if index not in present]
    if not part or (missing and (labelled.task == "sentiment" or name == "train")):
        what = f"is labelled {', '.join(missing[:5])}" if part else "is left"
        raise InputError(f"No {name} row {what} ({rows} rows in all). Raise --fraction or add data.")


def undersample(examples: Sequence[Example], seed: int) -> list[Example]:
    """As many examples of each class (or set of classes) as of the rarest, in their order."""
    groups: dict[tuple[int, ...], list[Example]] = {}
    for example in examples:
        groups.setdefault(example.classes, []).append(example)
    smallest = min(map(len, groups.values()))
    kept = {
        id(example)
        for group in groups.values()
        for example in sorted(group, key=lambda row: _hash_key(row, f"balance {seed}"))[:smallest]
    }
    return [example for example in examples if id(example) in kept]


def class_weights(examples: Sequence[Example], classes: int, task: Task) -> list[float]:
    """Loss weight per class. Sentiment: inverse frequency, 1 on average over the rows. Emotions: the weight of a positive,
    the root of negatives per positive (the ratio itself, up to hundreds, would ruin precision).
    """
    counts = Counter(index for example in examples for index in example.classes)
    if task == "emotions":
        return [((len(examples) - counts[index]) / max(counts[index], 1)) ** 0.5 for index in range(classes)]
    return [len(examples) / (classes * counts[index]) for index in range(classes)]
