"""Labelled texts for training and comparing classifiers: read, mapped onto our classes, cleaned, split.

Everything that can be wrong with data, columns or label maps is found here, before any model is loaded: one InputError.

A source is a file that `ingest` reads too, `hf:NAME[:CONFIG][:SPLIT]`, one of HUB by its id, or a folder of
`NAME_text.txt` beside `NAME_labels.txt` (one text, one label per line; UMSAB is laid out so, one folder per language).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline import sources
from pipeline.columns import parse_stars
from pipeline.errors import InputError
from pipeline.labels import EMOTIONS, SENTIMENTS, from_stars
from pipeline.text import repair

Task = Literal["sentiment", "emotions"]
CLASSES: dict[str, tuple[str, ...]] = {"sentiment": SENTIMENTS, "emotions": EMOTIONS}
SPLITS = ("train", "validation", "test")

_WORDS = {"negative": "negative", "neg": "negative", "neutral": "neutral", "neu": "neutral", "positive": "positive",
          "pos": "positive"}  # fmt: skip

# Maps that a user can name with --labels. Numbers mean nothing by themselves: {0, 1} may be two classes of three.
NAMED_MAPS: dict[str, dict[str, str]] = {
    "words": _WORDS,
    "binary": {"0": "negative", "1": "positive"},
    "three": {"0": "negative", "1": "neutral", "2": "positive"},
    "three_reversed": {"0": "positive", "1": "neutral", "2": "negative"},
    "stars": {str(stars): from_stars(stars) for stars in range(1, 6)},
    "stars_from_0": {str(stars): from_stars(stars + 1) for stars in range(5)},
    "goemotions": {str(number): name for number, name in enumerate(EMOTIONS)},
}


@dataclass(frozen=True)
class HubSet:
    """How a data set of the hub is laid out, so that its id is all that must be given."""

    name: str  # for sources.read
    text: str
    label: str
    labels: str  # a name in NAMED_MAPS
    language: str = ""


# Class labels of the hub come by name.
HUB: dict[str, HubSet] = {
    "stanfordnlp/imdb": HubSet("hf:stanfordnlp/imdb", "text", "label", "words"),
    "tyqiangz/multilingual-sentiments": HubSet(
        "hf:tyqiangz/multilingual-sentiments:all:train", "text", "label", "words", "language"
    ),
    "hungnm/multilingual-amazon-review-sentiment-processed": HubSet(
        "hf:hungnm/multilingual-amazon-review-sentiment-processed", "text", "label", "binary", "language"
    ),
    "Yelp/yelp_review_full": HubSet("hf:Yelp/yelp_review_full", "text", "label", "stars"),
}
_TWO_CLASSES = ("stanfordnlp/imdb",)

_FOLDER_LANGUAGES = {"arabic": "ar", "chinese": "zh", "danish": "da", "dutch": "nl", "english": "en", "french": "fr",
                     "german": "de", "hindi": "hi", "indonesian": "id", "italian": "it", "japanese": "ja",
                     "portuguese": "pt", "spanish": "es"}  # fmt: skip


@dataclass(frozen=True)
class Example:
    text: str
    classes: tuple[int, ...]  # indices; exactly one for sentiment
    language: str  # ISO 639-1, or "unknown"
    source: str


@dataclass(frozen=True)
class Labelled:
    """Cleaned examples and what became of the rest: rows = len(examples) + sum(dropped.values())."""

    task: Task
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    rows: int
    dropped: dict[str, int]
    content: str  # sha256 of the examples, what a training depends on


@dataclass(frozen=True)
class Columns:
    text: str = "text"  # or a+b
    label: str = "label"
    language: str = ""  # empty: a column of that name where there is one, else the folder's, else detected


def read(
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
        known, rows = _records(source, chosen, labels)
        mapping = _mapping(task, labels, known.labels if known else "")
        wanted.update(_range(task, mapping, source))
        for text, label, language in rows:
            rows_in += 1
            names = _names(label, mapping, task, unmapped)
            if names is None:
                dropped["no label" if not label.strip() else "label left out"] += 1
            else:
                parsed.append((text, names, language, source))
    if unmapped:
        raise InputError(_unmapped(unmapped, task))
    order = _classes(task, classes, wanted)
    if strange := sorted({name for _, names, _, _ in parsed for name in names} - set(order)):
        raise InputError(
            f"The data holds {', '.join(strange[:5])}, which --classes {','.join(order)} leaves out. "
            f"Add it there, or leave such rows out with --labels VALUE= for its values."
        )
    examples = _clean(parsed, order, dropped)
    present = {index for example in examples for index in example.classes}
    if missing := [name for index, name in enumerate(order) if index not in present]:
        having = [name for name in order if name not in missing]
        raise InputError(
            f"No row is labelled {', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}. Mend --labels, add data, or, "
            f"if the model shall not know {'it' if len(missing) == 1 else 'them'}, give --classes {','.join(having) or 'negative,positive'}."
        )
    if len(order) < 2:
        raise InputError("A classifier needs two classes or more. Mend --labels or --classes.")
    examples = _with_languages(examples)
    content = hashlib.sha256(json.dumps([[e.text, e.classes, e.language] for e in examples]).encode()).hexdigest()
    return Labelled(task, order, tuple(examples), rows_in, dict(sorted(dropped.items())), content)


# --- Records ---


def _records(
    source: str, columns: Columns, labels: Sequence[str]
) -> tuple[HubSet | None, Iterator[tuple[str, str, str]]]:
    """(what is known of the source, its rows as (text, label, language))."""
    name = source.removeprefix("hf:").split(":")[0]
    if name in HUB and not Path(source).exists():
        known = HUB[name]
        place = known.name if ":" not in source.removeprefix("hf:") else f"hf:{source.removeprefix('hf:')}"
        return known, _file(place, Columns(known.text, known.label, known.language))
    if pairs := _line_pairs(Path(source)):
        return HubSet(source, "text", "label", "" if labels else "three"), _lines(pairs)
    if source.startswith("hf:"):
        return None, _file(source, columns)
    return None, (row for file in _expand(source) for row in _file(file, columns))


def _expand(source: str) -> list[str]:
    try:
        return sources.expand([source])
    except InputError as error:
        known = ", ".join(HUB)
        message = str(error).replace("--reviews", "--data")
        raise InputError(f"{message} Hub data sets known by their id: {known}.") from error


def _line_pairs(folder: Path) -> list[tuple[Path, Path, str]]:
    """(texts, labels, language) of every NAME_text.txt in a folder or in its sub-folders."""
    if not folder.is_dir():
        return []
    pairs = []
    for texts in sorted([*folder.glob("*_text.txt"), *folder.glob("*/*_text.txt")]):
        labels = texts.with_name(texts.name.replace("_text.txt", "_labels.txt"))
        if not labels.is_file():
            raise InputError(f"{texts} has no {labels.name} beside it. Put one there: one label per line of text.")
        pairs.append((texts, labels, _FOLDER_LANGUAGES.get(texts.parent.name.lower(), "")))
    return pairs


def _lines(pairs: Iterable[tuple[Path, Path, str]]) -> Iterator[tuple[str, str, str]]:
    for texts_file, labels_file, language in pairs:
        # split at \n alone: a text may hold other characters that splitlines takes for line ends
        texts = texts_file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        labels = labels_file.read_text(encoding="utf-8").split()
        if len(texts) != len(labels):
            raise InputError(
                f"{texts_file} has {len(texts)} lines and {labels_file.name} has {len(labels)} labels. Each text needs one."
            )
        for text, label in zip(texts, labels, strict=True):
            yield text, label, language


def _file(source: str, columns: Columns) -> Iterator[tuple[str, str, str]]:
    from pipeline.warehouse import open_memory

    asked = [*columns.text.split("+"), columns.label, *([columns.language] if columns.language else [])]
    mapping = {"text": columns.text, "label": columns.label}
    # A file without a header has its columns by number; then every mapped column must be a number.
    options = sources.ReadOptions(mapping=mapping | ({"language": columns.language} if columns.language else {}))
    checked = False
    memory = open_memory()
    try:
        for record in sources.read(source, options, memory):
            if isinstance(record, sources.Broken):
                continue
            if not checked:
                if missing := [name for name in asked if name not in record]:
                    raise InputError(
                        f"{source} has no column {missing[0]!r}. Its columns: {', '.join(record)}. "
                        "Say which with --text, --label and --language."
                    )
                checked = True
            text = "\n\n".join(part for part in (record.get(name) or "" for name in columns.text.split("+")) if part)
            language = record.get(columns.language or "language") or ""
            yield text, record.get(columns.label) or "", language.lower()[:2] if language.isascii() else ""
    finally:
        memory.close()


# --- Labels ---


def _mapping(task: Task, labels: Sequence[str], default: str) -> dict[str, str] | None:
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


def _range(task: Task, mapping: Mapping[str, str] | None, source: str) -> set[str]:
    """The classes that a map promises."""
    if mapping is None or mapping is _WORDS:
        two = source.removeprefix("hf:").split(":")[0] in _TWO_CLASSES
        return {"negative", "positive"} if two else set(CLASSES[task])
    return {name for name in mapping.values() if name}


def _names(label: str, mapping: Mapping[str, str] | None, task: Task, unmapped: Counter[str]) -> tuple[str, ...] | None:
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
    return _WORDS.get(part) if task == "sentiment" else part if part in EMOTIONS else None


def _whole(value: str) -> str:
    """ "2.0" is how a spreadsheet writes 2."""
    return value[:-2] if value.endswith(".0") else value


def _unmapped(unmapped: Counter[str], task: Task) -> str:
    shown = ", ".join(value[:30] for value, _ in sorted(unmapped.items(), key=lambda item: -item[1])[:8])
    example = "0=negative 1=neutral 2=positive, or --labels stars" if task == "sentiment" else "goemotions"
    return (
        f"The label column holds values without a meaning: {shown} ({sum(unmapped.values())} rows). "
        f"Say what they mean, for instance --labels {example}; leave rows out with --labels VALUE=."
    )


def _classes(task: Task, given: Sequence[str], wanted: set[str]) -> tuple[str, ...]:
    names = [name.strip().lower() for name in given] or sorted(wanted)
    if unknown := [name for name in names if name not in CLASSES[task]]:
        raise InputError(f"--classes: there is no class {unknown[0]!r} in {task}: {', '.join(CLASSES[task])}.")
    return tuple(name for name in CLASSES[task] if name in names)


# --- Cleaning ---


def fold(text: str) -> str:
    """What makes two texts the same text: case and blanks do not count."""
    return " ".join(text.casefold().split())


def _clean(
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


def _with_languages(examples: list[Example]) -> list[Example]:
    """Languages that no column or folder tells are detected."""
    unknown = [example.text for example in examples if not example.language]
    if not unknown:
        return examples
    from pipeline.ingest import detect_languages

    found = iter(detect_languages(unknown))
    return [
        example
        if example.language
        else Example(example.text, example.classes, next(found) or "unknown", example.source)
        for example in examples
    ]


# --- Subset, split, balance ---


def _rank(example: Example, salt: str) -> str:
    return hashlib.sha256(f"{salt}\0{fold(example.text)}".encode()).hexdigest()


def _strata_order(examples: Iterable[Example], salt: str) -> list[Example]:
    """Sorted by class and language, within them by a hash: every k-th of them is a stratified sample.

    An example with several classes counts for its rarest one, which needs it most.
    """
    rows = list(examples)
    counts = Counter(index for example in rows for index in example.classes)

    def key(example: Example) -> tuple[int, str, str]:
        return min(example.classes, key=lambda index: counts[index]), example.language, _rank(example, salt)

    return sorted(rows, key=key)


def _every(position: int, share: float) -> bool:
    """Whether a row at this position belongs to a share of evenly spaced rows. Half a step in: small strata count too."""
    return int((position + 1) * share + 0.5) > int(position * share + 0.5)


def split(
    labelled: Labelled, *, fraction: float = 1.0, validation: float = 0.1, test: float = 0.1, seed: int = 0
) -> dict[str, list[Example]]:
    """train, validation and test, stratified by class and language; which row goes where depends on its text and the seed.

    Raises InputError for shares that leave nothing, and when a class is missing where it is needed.
    """
    if not 0 < fraction <= 1:
        raise InputError(f"--fraction {fraction}: give a share above 0, up to 1.")
    if validation <= 0 or test <= 0 or validation + test >= 1:
        raise InputError("--validation and --test: two shares above 0 that leave something to train on, such as 0.1.")
    rows = _strata_order(labelled.examples, f"fraction {seed}")
    rows = [row for position, row in enumerate(rows) if _every(position, fraction)] if fraction < 1 else rows
    parts: dict[str, list[Example]] = {name: [] for name in SPLITS}
    rest: list[Example] = []
    for position, row in enumerate(_strata_order(rows, f"test {seed}")):
        (parts["test"] if _every(position, test) else rest).append(row)
    for position, row in enumerate(rest):
        parts["validation" if _every(position, validation / (1 - test)) else "train"].append(row)
    for name, part in parts.items():
        part.sort(key=lambda row: _rank(row, f"order {seed}"))
        present = {index for row in part for index in row.classes}
        missing = [label for index, label in enumerate(labelled.classes) if index not in present]
        # Of 28 emotions some are too rare for a small test set; what is never trained on is never learned.
        if not part or (missing and (labelled.task == "sentiment" or name == "train")):
            what = f"is labelled {', '.join(missing[:5])}" if part else "is left"
            raise InputError(f"No {name} row {what} ({len(rows)} rows in all). Raise --fraction or add data.")
    return parts


def undersample(examples: Sequence[Example], seed: int) -> list[Example]:
    """As many of each class as of the rarest, their order kept."""
    groups: dict[tuple[int, ...], list[Example]] = {}
    for example in examples:
        groups.setdefault(example.classes, []).append(example)
    least = min(map(len, groups.values()))
    kept = {
        id(example)
        for group in groups.values()
        for example in sorted(group, key=lambda row: _rank(row, f"balance {seed}"))[:least]
    }
    return [example for example in examples if id(example) in kept]


def class_weights(examples: Sequence[Example], classes: int, task: Task) -> list[float]:
    """sentiment: inverse frequency, 1 on average over the rows. emotions: the weight of a positive, its root of
    negatives per positive (the plain ratio, up to hundreds, would drown precision).
    """
    counts = Counter(index for example in examples for index in example.classes)
    if task == "emotions":
        return [((len(examples) - counts[index]) / max(counts[index], 1)) ** 0.5 for index in range(classes)]
    return [len(examples) / (classes * counts[index]) for index in range(classes)]
