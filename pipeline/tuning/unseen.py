"""Texts on which base and tuned model are shown side by side: those that the user gives, and some of the test rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from pipeline.core.errors import InputError
from pipeline.text.repair import repair
from pipeline.text.words import fold
from pipeline.tuning.labelled.labels import classes_of, parse_label_map, unmapped_message
from pipeline.tuning.labelled.records import open_texts
from pipeline.tuning.labelled.rows import CLASSES, Columns, Example, Labelled, Task

MOST = 200  # a page is read
EXAMPLES = 5  # test rows shown of each outcome
OUTCOMES = {  # of (base is right, tuned is right)
    (False, True): "mended by tuning",
    (True, True): "right before and after",
    (True, False): "spoilt by tuning",
    (False, False): "wrong before and after",
}


@dataclass(frozen=True)
class Text:
    """A text that the user gives; `label`: its classes separated by commas, "" if the file says none."""

    text: str
    label: str = ""


class Side(TypedDict):
    """A text with what both models say of it and how sure they are. `right`: whether the tuned one says `label`; None
    without one. `trained`: whether it is among the rows that were trained or chosen on.
    """

    text: str
    label: str
    base: str
    base_confidence: float
    tuned: str
    tuned_confidence: float
    right: bool | None
    trained: bool


class Outcome(TypedDict):
    """Test rows that came out in one way: how many, and the first of them."""

    name: str
    n: int
    rows: list[Side]


def read(file: Path, task: Task, columns: Columns, labels: Sequence[str] = ()) -> list[Text]:
    """The texts of a file (see `records.open_texts`), each once, with their labels where it has any.

    Raises InputError for a file without texts or with more than MOST, and for a label without a meaning.
    """
    label_map, unmapped = parse_label_map(task, labels, ""), Counter[str]()
    found: dict[str, Text] = {}
    for row in open_texts(str(file), columns):
        text = repair(row.text)
        if text:
            names = sorted(classes_of(row.label, label_map, task, unmapped) or (), key=CLASSES[task].index)
            found.setdefault(fold(text), Text(text, ", ".join(names)))
    if unmapped:
        raise InputError(unmapped_message(unmapped, task))
    if not 0 < len(found) <= MOST:
        raise InputError(
            f"--show {file} holds {len(found)} texts: give 1 to {MOST}, one per line of a .txt or a table."
        )
    return list(found.values())


def side_by_side(
    texts: Sequence[Text],
    base: tuple[Sequence[str], np.ndarray],
    tuned: tuple[Sequence[str], np.ndarray],
    trained: Iterable[Example],
) -> list[Side]:
    """A row per text. `base`, `tuned`: (classes said of each, separated by commas; probabilities (texts, classes))."""
    known = {fold(example.text) for example in trained}
    return [
        Side(
            text=text.text,
            label=text.label,
            base=base[0][at],
            base_confidence=round(float(base[1][at].max()), 4),
            tuned=tuned[0][at],
            tuned_confidence=round(float(tuned[1][at].max()), 4),
            right=tuned[0][at] == text.label if text.label else None,
            trained=fold(text.text) in known,
        )
        for at, text in enumerate(texts)
    ]


def outcomes(sides: Sequence[Side]) -> list[Outcome]:
    """The labelled rows by what became of them, right ones too, in the order of OUTCOMES."""
    by_outcome: dict[str, list[Side]] = {name: [] for name in OUTCOMES.values()}
    for side in sides:
        by_outcome[OUTCOMES[side["base"] == side["label"], bool(side["right"])]].append(side)
    return [Outcome(name=name, n=len(rows), rows=rows[:EXAMPLES]) for name, rows in by_outcome.items()]


def texts_of(rows: Sequence[Example], data: Labelled) -> list[Text]:
    """Labelled examples as texts. A row without any class is labelled "none", as decisions without any are."""
    return [Text(row.text, ", ".join(data.classes[at] for at in row.classes) or "none") for row in rows]
