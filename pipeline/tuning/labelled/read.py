"""A data set from its sources: read, mapped onto our classes, checked, cleaned.

Whatever is wrong with data, columns or label maps ends here in one InputError, before any model is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from pipeline.core.errors import InputError
from pipeline.tuning.labelled.clean import clean, detect_missing_languages
from pipeline.tuning.labelled.labels import class_order, classes_of, expected_classes, parse_label_map, unmapped_message
from pipeline.tuning.labelled.records import open_source
from pipeline.tuning.labelled.rows import Columns, Example, Labelled, MappedRow, Task


def read_labelled(
    data: Sequence[str],
    task: Task,
    columns: Columns | None = None,
    labels: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> Labelled:
    """Reads and cleans every source (see `records`).

    `labels`: VALUE=CLASS pairs, or a name in NAMED_MAPS; `VALUE=` leaves rows with that value out. `classes`: those to tell
    apart (default: those to be expected, see `expected_classes`).
    Raises InputError for a missing column, a value without a meaning, and a class that is unknown or has no rows.
    """
    dropped: Counter[str] = Counter()
    mapped, expected = _map_rows(data, task, columns or Columns(), labels, dropped)
    rows = len(mapped) + sum(dropped.values())
    order = class_order(task, classes, expected)
    _require_requested(mapped, order)
    examples = clean(mapped, order, dropped)
    _require_examples_of_each(examples, order)
    examples = detect_missing_languages(examples)
    return Labelled(task, order, tuple(examples), rows, dict(sorted(dropped.items())), _digest(examples))


def _map_rows(
    data: Sequence[str], task: Task, columns: Columns, labels: Sequence[str], dropped: Counter[str]
) -> tuple[list[MappedRow], set[str]]:
    """(rows with classes, the classes to expect). Counts in `dropped` the rows that have no label or are to be left out."""
    expected: set[str] = set()
    unmapped: Counter[str] = Counter()
    mapped: list[MappedRow] = []
    for name in data:
        source = open_source(name, columns)
        label_map = parse_label_map(task, labels, source.label_map)
        expected |= expected_classes(task, label_map, source.classes)
        for row in source.rows:
            names = classes_of(row.label, label_map, task, unmapped)
            if names is None:
                dropped["label left out" if row.label.strip() else "no label"] += 1
            else:
                mapped.append(MappedRow(row.text, names, row.language, name))
    if unmapped:
        raise InputError(unmapped_message(unmapped, task))
    return mapped, expected


def _require_requested(rows: Sequence[MappedRow], order: Sequence[str]) -> None:
    if excluded := sorted({name for row in rows for name in row.classes} - set(order)):
        raise InputError(
            f"The data holds {', '.join(excluded[:5])}, which --classes {','.join(order)} leaves out. "
            f"Add it there, or leave such rows out with --labels VALUE= for its values."
        )


def _require_examples_of_each(examples: Sequence[Example], order: Sequence[str]) -> None:
    present = {index for example in examples for index in example.classes}
    if missing := [name for index, name in enumerate(order) if index not in present]:
        held = ",".join(name for name in order if name not in missing) or "negative,positive"
        raise InputError(
            f"No row is labelled {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}. Mend --labels, add data, or, "
            f"if the model shall not know {'it' if len(missing) == 1 else 'them'}, give --classes {held}."
        )
    if len(order) < 2:
        raise InputError("A classifier needs two classes or more. Mend --labels or --classes.")


def _digest(examples: Sequence[Example]) -> str:
    content = [[example.text, example.classes, example.language] for example in examples]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
