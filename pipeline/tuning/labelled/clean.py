"""Labelled texts repaired, each once, each with a language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.text.language import detect_languages
from pipeline.text.repair import repair
from pipeline.text.words import fold
from pipeline.tuning.labelled.rows import Example


def clean(
    parsed: Iterable[tuple[str, tuple[str, ...], str, str]], order: Sequence[str], dropped: Counter[str]
) -> list[Example]:
    """Repaired texts, each once. A text that stands there with two different labels teaches nothing and is left out."""
    kept: dict[str, Example] = {}
    contradicted: set[str] = set()
    for text, names, language, source in parsed:
        body = repair(text)
        if not body or not any(map(str.isalpha, body)):
            dropped["no letters" if body else "empty text"] += 1
            continue
        key, indices = fold(body), tuple(sorted(order.index(name) for name in names))
        if key not in kept:
            kept[key] = Example(body, indices, language, source)
        elif kept[key].classes == indices:
            dropped["duplicate"] += 1
        else:
            dropped["contradictory labels"] += 1
            contradicted.add(key)
    dropped["contradictory labels"] += len(contradicted)
    if not dropped["contradictory labels"]:
        del dropped["contradictory labels"]
    return [example for key, example in kept.items() if key not in contradicted]


def with_languages(examples: list[Example]) -> list[Example]:
    """Languages that no column or folder tells are detected."""
    unknown = [example.text for example in examples if not example.language]
    if not unknown:
        return examples
    found = iter(detect_languages(unknown))
    return [
        example
        if example.language
        else Example(example.text, example.classes, next(found) or "unknown", example.source)
        for example in examples
    ]
