"""Parallel rows: the same text in several languages, with a name that says which text it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.text.repair import repair
from pipeline.tuning.labelled.labels import classes_of, parse_label_map, unmapped_message
from pipeline.tuning.labelled.records import open_parallel
from pipeline.tuning.labelled.rows import Columns


class ParallelRow(NamedTuple):
    """A text in one of its languages."""

    text: str
    language: str  # ISO 639-1
    name: str  # the same in all languages of the text
    truth: int | None  # index into SENTIMENTS; None: not labelled


def read_parallel(data: Sequence[str], columns: Columns, name: str, labels: Sequence[str] = ()) -> list[ParallelRow]:
    """The rows of every source that have a text, a language and a value of the column `name`, of each text and language the
    first. The label column may be missing; `labels` as in `read_labelled`.

    Raises InputError for a missing column or a label without a meaning.
    """
    meaning = parse_label_map("sentiment", labels, "")
    unmapped: Counter[str] = Counter()
    rows: dict[tuple[str, str], ParallelRow] = {}
    for source in data:
        for key, row in open_parallel(source, columns, name):
            text, classes = repair(row.text), classes_of(row.label, meaning, "sentiment", unmapped)
            if text and key and row.language:
                truth = SENTIMENTS.index(classes[0]) if classes else None
                rows.setdefault((key, row.language), ParallelRow(text, row.language, key, truth))
    if unmapped:
        raise InputError(unmapped_message(unmapped, "sentiment"))
    return list(rows.values())
