"""Repairs texts, removes duplicates and contradictions, and detects missing languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.text.language import detect_languages
from pipeline.text.repair import repair
from pipeline.text.words import fold
from pipeline.tuning.labelled.rows import Example, MappedRow


def clean(rows: Iterable[MappedRow], order: Sequence[str], dropped: Counter[str]) -> list[Example]:
    """Examples with repaired texts, each text once, and classes as indices into `order`. A text with contradictory labels
    is left out. What is left out is counted in `dropped`, by reason.
    """
    kept: dict[str, Example] = {}
    contradicted: set[str] = set()
    for row in rows:
        text = repair(row.text)
        if not text or not any(map(str.isalpha, text)):
            dropped["no letters" if text else "empty text"] += 1
            continue
        key, indices = fold(text), tuple(sorted(order.index(name) for name in row.classes))
        if key not in kept:
            kept[key] = Example(text, indices, row.language, row.source)
        elif kept[key].classes == indices:
            dropped["duplicate"] += 1
        else:
            dropped["contradictory labels"] += 1
            contradicted.add(key)
    if contradicted:
        dropped["contradictory labels"] += len(contradicted)  # the first of each, kept until now
    return [example for key, example in kept.items() if key not in contradicted]


def detect_missing_languages(examples: list[Example]) -> list[Example]:
    """The examples, each with a language: detected if the source gives none, "unknown" if that fails."""
    missing = [example.text for example in examples if not example.language]
    if not missing:
        return examples
    detected = iter(detect_languages(missing))
    return [
        example if example.language else replace(example, language=next(detected) or "unknown") for example in examples
    ]
