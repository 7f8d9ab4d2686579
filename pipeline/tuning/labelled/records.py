"""From what was given (files, folders, hub ids) to records of text, label and language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest import sources
from pipeline.ingest.formats.record import Broken, ReadOptions
from pipeline.text.language import languages
from pipeline.tuning.labelled.rows import Columns


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

_FOLDER_LANGUAGES = {language.name.lower(): code for code, language in languages().items()}


# --- Records ---


def records(
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
    asked = [*columns.text.split("+"), columns.label, *([columns.language] if columns.language else [])]
    mapping = {"text": columns.text, "label": columns.label}
    # A file without a header has its columns by number; then every mapped column must be a number.
    options = ReadOptions(mapping=mapping | ({"language": columns.language} if columns.language else {}))
    checked = False
    for record in sources.read_records(source, options):
        if isinstance(record, Broken):
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
