"""What label values mean: maps from the values of a column to our classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENT_WORDS, from_stars
from pipeline.ingest.values import parse_stars
from pipeline.tuning.labelled.records import _TWO_CLASSES
from pipeline.tuning.labelled.rows import CLASSES, Task

# Maps that a user can name with --labels. Numbers mean nothing by themselves: {0, 1} may be two classes of three.
NAMED_MAPS: dict[str, dict[str, str]] = {
    "words": SENTIMENT_WORDS,
    "binary": {"0": "negative", "1": "positive"},
    "three": {"0": "negative", "1": "neutral", "2": "positive"},
    "three_reversed": {"0": "positive", "1": "neutral", "2": "negative"},
    "stars": {str(stars): from_stars(stars) for stars in range(1, 6)},
    "stars_from_0": {str(stars): from_stars(stars + 1) for stars in range(5)},
    "goemotions": {str(number): name for number, name in enumerate(EMOTIONS)},
}


# --- Labels ---


def label_mapping(task: Task, labels: Sequence[str], default: str) -> dict[str, str] | None:
    """VALUE -> class ("" leaves out), or None to take names as they are (and stars where they are written out)."""
    if not labels:
        return NAMED_MAPS[default] if default else None
    if len(labels) == 1 and "=" not in labels[0]:
        if labels[0] not in NAMED_MAPS:
            raise InputError(
                f"--labels {labels[0]}: write VALUE=CLASS pairs such as 0=negative, or one of {', '.join(NAMED_MAPS)}."
            )
        return NAMED_MAPS[labels[0]]
    mapping = {}
    for item in labels:
        value, equals, name = item.rpartition("=")
        if not equals or not value.strip():
            raise InputError(f"--labels {item}: write VALUE=CLASS, for instance 0=negative.")
        name = name.strip().lower()
        if name and name not in CLASSES[task]:
            known = ", ".join(CLASSES[task][:5]) + (", ..." if len(CLASSES[task]) > 5 else "")
            raise InputError(f"--labels {item}: there is no class {name!r} in {task}. Classes: {known}.")
        mapping[value.strip().lower()] = name
    return mapping


def promised_classes(task: Task, mapping: Mapping[str, str] | None, source: str) -> set[str]:
    """The classes that a map promises."""
    if mapping is None or mapping is SENTIMENT_WORDS:
        two = source.removeprefix("hf:").split(":")[0] in _TWO_CLASSES
        return {"negative", "positive"} if two else set(CLASSES[task])
    return {name for name in mapping.values() if name}


def class_names(
    label: str, mapping: Mapping[str, str] | None, task: Task, unmapped: Counter[str]
) -> tuple[str, ...] | None:
    """Class names of one label cell; None when the row is to be left out. Counts what has no meaning."""
    value = label.strip().lower()
    if not value:
        return None
    parts = [part for part in re.split(r"[,;|\s\[\]'\"]+", value) if part] if task == "emotions" else [value]
    found: list[str] = []
    for part in parts:
        name = _name(part, mapping, task)
        if name is None:
            unmapped[part] += 1
        elif name:
            found.append(name)
    return tuple(dict.fromkeys(found)) or None


def _name(part: str, mapping: Mapping[str, str] | None, task: Task) -> str | None:
    if mapping is NAMED_MAPS["stars"]:
        stars = parse_stars(part)
        return from_stars(stars) if stars is not None and 1 <= stars <= 5 else None
    if mapping is not None:
        return mapping.get(part) if part in mapping else mapping.get(_whole(part))
    return SENTIMENT_WORDS.get(part) if task == "sentiment" else part if part in EMOTIONS else None


def _whole(value: str) -> str:
    """ "2.0" is how a spreadsheet writes 2."""
    return value[:-2] if value.endswith(".0") else value


def unmapped_message(unmapped: Counter[str], task: Task) -> str:
    shown = ", ".join(value[:30] for value, _ in sorted(unmapped.items(), key=lambda item: -item[1])[:8])
    example = "0=negative 1=neutral 2=positive, or --labels stars" if task == "sentiment" else "goemotions"
    return (
        f"The label column holds values without a meaning: {shown} ({sum(unmapped.values())} rows). "
        f"Say what they mean, for instance --labels {example}; leave rows out with --labels VALUE=."
    )


def class_order(task: Task, given: Sequence[str], wanted: set[str]) -> tuple[str, ...]:
    names = [name.strip().lower() for name in given] or sorted(wanted)
    if unknown := [name for name in names if name not in CLASSES[task]]:
        raise InputError(f"--classes: there is no class {unknown[0]!r} in {task}: {', '.join(CLASSES[task])}.")
    return tuple(name for name in CLASSES[task] if name in names)
