"""Labelled texts for training and comparing classifiers: read, mapped onto our classes, cleaned, split.

Everything that can be wrong with data, columns or label maps is found here, before any model is loaded: one InputError.

A source is a file that `ingest` reads too, `hf:NAME[:CONFIG][:SPLIT]`, one of HUB by its id, or a folder of
`NAME_text.txt` beside `NAME_labels.txt` (one text, one label per line; UMSAB is laid out so, one folder per language).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

from pipeline.core.errors import InputError
from pipeline.tuning.labelled.clean import clean, with_languages
from pipeline.tuning.labelled.labels import class_names, class_order, label_mapping, promised_classes, unmapped_message
from pipeline.tuning.labelled.records import records
from pipeline.tuning.labelled.rows import Columns, Labelled, Task


def read_labelled(
    data: Sequence[str],
    task: Task,
    columns: Columns | None = None,
    labels: Sequence[str] = (),
    classes: Sequence[str] = (),
) -> Labelled:
    """Reads and cleans every source.

    labels: VALUE=CLASS pairs, or one name of NAMED_MAPS; `VALUE=` leaves rows with that value out. classes: those the
    model shall tell apart (default: all of the task; for two-valued maps negative and positive).
    Raises InputError for a column, value or class that is not there.
    """
    chosen = columns or Columns()
    rows_in = 0
    wanted: set[str] = set()
    unmapped: Counter[str] = Counter()
    parsed: list[tuple[str, tuple[str, ...], str, str]] = []
    dropped: Counter[str] = Counter()
    for source in data:
        known, rows = records(source, chosen, labels)
        mapping = label_mapping(task, labels, known.labels if known else "")
        wanted.update(promised_classes(task, mapping, source))
        for text, label, language in rows:
            rows_in += 1
            names = class_names(label, mapping, task, unmapped)
            if names is None:
                dropped["no label" if not label.strip() else "label left out"] += 1
            else:
                parsed.append((text, names, language, source))
    if unmapped:
        raise InputError(unmapped_message(unmapped, task))
    order = class_order(task, classes, wanted)
    if strange := sorted({name for _, names, _, _ in parsed for name in names} - set(order)):
        raise InputError(
            f"The data holds {', '.join(strange[:5])}, which --classes {','.join(order)} leaves out. "
            f"Add it there, or leave such rows out with --labels VALUE= for its values."
        )
    examples = clean(parsed, order, dropped)
    present = {index for example in examples for index in example.classes}
    if missing := [name for index, name in enumerate(order) if index not in present]:
        having = [name for name in order if name not in missing]
        raise InputError(
            f"No row is labelled {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}. Mend --labels, add data, or, "
            f"if the model shall not know {'it' if len(missing) == 1 else 'them'}, give --classes {','.join(having) or 'negative,positive'}."
        )
    if len(order) < 2:
        raise InputError("A classifier needs two classes or more. Mend --labels or --classes.")
    examples = with_languages(examples)
    content = hashlib.sha256(json.dumps([[e.text, e.classes, e.language] for e in examples]).encode()).hexdigest()
    return Labelled(task, order, tuple(examples), rows_in, dict(sorted(dropped.items())), content)
