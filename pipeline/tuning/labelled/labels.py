"""What label values mean: maps from the values of a column to our classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENT_WORDS, from_stars
from pipeline.ingest.values import parse_stars, to_five
from pipeline.tuning.labelled.rows import CLASSES, Task

LabelMap = Mapping[str, str]  # value -> class; the class "" leaves its rows out

# Maps that --labels can name. Numbers mean nothing by themselves: {0, 1} may be two classes out of three.
NAMED_MAPS: dict[str, dict[str, str]] = {
    "words": SENTIMENT_WORDS,
    "binary": {"0": "negative", "1": "positive"},
    "three": {"0": "negative", "1": "neutral", "2": "positive"},
    "three_reversed": {"0": "positive", "1": "neutral", "2": "negative"},
    "stars": {str(stars): from_stars(stars) for stars in range(1, 6)},
    "stars_from_0": {str(stars): from_stars(stars + 1) for stars in range(5)},
    "goemotions": {str(number): name for number, name in enumerate(EMOTIONS)},
}


def parse_label_map(task: Task, labels: Sequence[str], default: str) -> LabelMap | None:
    """The map given by --labels: VALUE=CLASS pairs, or a name in NAMED_MAPS; without it the map named `default`. None if that
    is empty too: the values then are names of classes.

    Raises InputError for a malformed pair, or an unknown class or map.
    """
    if not labels:
        return NAMED_MAPS[default] if default else None
    if len(labels) == 1 and "=" not in labels[0]:
        if labels[0] not in NAMED_MAPS:
            raise InputError(
                f"--labels {labels[0]}: write VALUE=CLASS pairs such as 0=negative, or one of {', '.join(NAMED_MAPS)}."
            )
        return NAMED_MAPS[labels[0]]
    return dict(_parse_pair(pair, task) for pair in labels)


def _parse_pair(pair: str, task: Task) -> tuple[str, str]:
    value, equals, name = pair.rpartition("=")
    if not equals or not value.strip():
        raise InputError(f"--labels {pair}: write VALUE=CLASS, for instance 0=negative.")
    name = name.strip().lower()
    if name and name not in CLASSES[task]:
        known = ", ".join(CLASSES[task][:5]) + (", ..." if len(CLASSES[task]) > 5 else "")
        raise InputError(f"--labels {pair}: there is no class {name!r} in {task}. Classes: {known}.")
    return value.strip().lower(), name


def expected_classes(task: Task, label_map: LabelMap | None, known: Sequence[str]) -> set[str]:
    """The classes to expect: those in the user's map, else those the source is `known` to hold, else all of the task."""
    if label_map is None or label_map is SENTIMENT_WORDS:
        return set(known or CLASSES[task])
    return {name for name in label_map.values() if name}


def classes_of(label: str, label_map: LabelMap | None, task: Task, unmapped: Counter[str]) -> tuple[str, ...] | None:
    """The classes named in one label cell; None if its row is to be left out. Values without a meaning are counted in
    `unmapped`.
    """
    value = label.strip().lower()
    if not value:
        return None
    parts = [part for part in re.split(r"[,;|\s\[\]'\"]+", value) if part] if task == "emotions" else [value]
    names = [_class_of(part, label_map, task) for part in parts]
    unmapped.update(part for part, name in zip(parts, names, strict=True) if name is None)
    return tuple(dict.fromkeys(name for name in names if name)) or None


def _class_of(value: str, label_map: LabelMap | None, task: Task) -> str | None:
    """The class of one value, "" to leave its row out, None if it has no meaning."""
    if label_map is NAMED_MAPS["stars"]:  # ratings come in many notations
        stars = to_five(parse_stars(value), "1-5")
        return from_stars(stars) if stars is not None else None
    if label_map is not None:
        return label_map.get(value, label_map.get(value.removesuffix(".0")))  # "2.0" is how a spreadsheet writes 2
    return SENTIMENT_WORDS.get(value) if task == "sentiment" else value if value in EMOTIONS else None


def unmapped_message(unmapped: Counter[str], task: Task) -> str:
    """The error for a label column with values without a meaning."""
    shown = ", ".join(value[:30] for value, _ in sorted(unmapped.items(), key=lambda item: -item[1])[:8])
    example = "0=negative 1=neutral 2=positive, or --labels stars" if task == "sentiment" else "goemotions"
    return (
        f"The label column holds values without a meaning: {shown} ({sum(unmapped.values())} rows). "
        f"Say what they mean, for instance --labels {example}; leave rows out with --labels VALUE=."
    )


def class_order(task: Task, requested: Sequence[str], expected: set[str]) -> tuple[str, ...]:
    """The `requested` classes (--classes), else the expected ones, in our order. Raises InputError for an unknown class."""
    names = [name.strip().lower() for name in requested] or sorted(expected)
    if unknown := [name for name in names if name not in CLASSES[task]]:
        raise InputError(f"--classes: there is no class {unknown[0]!r} in {task}: {', '.join(CLASSES[task])}.")
    return tuple(name for name in CLASSES[task] if name in names)
