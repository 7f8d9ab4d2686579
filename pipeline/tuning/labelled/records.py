"""Sources of labelled rows: a file, a folder or a data set on the hub, and what is known about its labels.

A source is a file that `ingest` reads too, `hf:NAME[:CONFIG][:SPLIT]`, one of HUB by its id, or a folder of
`NAME_text.txt` beside `NAME_labels.txt` (one text, one label per line), as UMSAB is laid out, one folder per language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest import sources
from pipeline.ingest.formats.record import Broken, ReadOptions
from pipeline.ingest.places.address import scheme
from pipeline.text.language import languages
from pipeline.tuning.labelled.rows import Columns, RawRow


@dataclass(frozen=True)
class Source:
    """Raw rows, and what is known about their labels."""

    rows: Iterator[RawRow]
    label_map: str = ""  # a name in labels.NAMED_MAPS; empty: nothing is known
    classes: tuple[str, ...] = ()  # those it holds; empty: all of the task


@dataclass(frozen=True)
class HubSet:
    """How a data set on the hub is laid out, so that its id is enough. Its class labels are read as their names."""

    address: str  # as `ingest` takes it
    columns: Columns
    label_map: str
    classes: tuple[str, ...] = ()


HUB: dict[str, HubSet] = {
    "stanfordnlp/imdb": HubSet("hf:stanfordnlp/imdb", Columns(), "words", classes=("negative", "positive")),
    "tyqiangz/multilingual-sentiments": HubSet(
        "hf:tyqiangz/multilingual-sentiments:all:train", Columns(language="language"), "words"
    ),
    "hungnm/multilingual-amazon-review-sentiment-processed": HubSet(
        "hf:hungnm/multilingual-amazon-review-sentiment-processed", Columns(language="language"), "binary"
    ),
    "Yelp/yelp_review_full": HubSet("hf:Yelp/yelp_review_full", Columns(), "stars"),
}

_FOLDER_LANGUAGES = {language.name.lower(): code for code, language in languages().items()}


def open_source(source: str, columns: Columns) -> Source:
    """Opens `source`; `columns`: of a file, or of a hub data set that is not in HUB.

    Raises InputError if there is no such source; iterating over its rows does if a column or label is missing.
    """
    if scheme(source):  # what is trained on is recorded by its name, which would hold the secrets of an address
        raise InputError(
            "--data takes a file, a folder or a data set on the hub. Download the rows, and name the file."
        )
    address = source.removeprefix("hf:")
    known = HUB.get(address.split(":")[0])
    if known and not Path(source).exists():
        full_address = f"hf:{address}" if ":" in address else known.address
        return Source(_table_rows(full_address, known.columns), known.label_map, known.classes)
    if pairs := _line_pairs(Path(source)):
        return Source(_line_pair_rows(pairs), label_map="three")
    files = [source] if source.startswith("hf:") else _expand(source)
    return Source(row for file in files for row in _table_rows(file, columns))


def _expand(source: str) -> list[str]:
    try:
        return sources.expand([source])
    except InputError as error:
        message = str(error).replace("--reviews", "--data")
        raise InputError(f"{message} Hub data sets known by their id: {', '.join(HUB)}.") from error


# --- Folders of line pairs ---


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


def _line_pair_rows(pairs: Iterable[tuple[Path, Path, str]]) -> Iterator[RawRow]:
    for texts_file, labels_file, language in pairs:
        # split at \n alone: a text may hold other characters that splitlines takes for line ends
        texts = texts_file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        labels = labels_file.read_text(encoding="utf-8").split()
        if len(texts) != len(labels):
            raise InputError(
                f"{texts_file} has {len(texts)} lines and {labels_file.name} has {len(labels)} labels. Each text needs one."
            )
        for text, label in zip(texts, labels, strict=True):
            yield RawRow(text, label, language)


# --- Texts that need no label ---


def open_texts(source: str, columns: Columns) -> Iterator[RawRow]:
    """The texts of a file: a .txt has one per line, unless the text column is a number; anything else is a table, whose label
    column may be missing.

    Raises InputError if there is no such file; iterating does if the text column is missing.
    """
    file = Path(source)
    if file.suffix.lower() == ".txt" and file.is_file() and not columns.text.isdigit():
        return (RawRow(line, "", "") for line in file.read_text(encoding="utf-8-sig", errors="replace").split("\n"))
    if not file.is_file():
        raise InputError(f"--show {source}: there is no such file. Name a .txt with a text per line, or a table.")
    return (row for path in sources.expand([source]) for row in _table_rows(path, columns, needs_label=False))


# --- Parallel rows ---


def open_parallel(source: str, columns: Columns, name: str) -> Iterator[tuple[str, RawRow]]:
    """(value of the column `name`, row) of a file or folder whose texts stand there in several languages; labels may be missing.

    Raises InputError if there is no such source; iterating does if a column of the text, language or name is missing.
    """
    named = replace(columns, language=columns.language or "language")
    for file in _expand(source):
        for record in _records(file, named, [named.language, name]):
            yield record[name] or "", _raw_row(record, named)


# --- Tables: files and hub data sets ---


def _table_rows(source: str, columns: Columns, needs_label: bool = True) -> Iterator[RawRow]:
    required = [columns.label, columns.language] if needs_label else []
    return (_raw_row(record, columns) for record in _records(source, columns, required))


def _records(source: str, columns: Columns, required: Sequence[str]) -> Iterator[Mapping[str, str | None]]:
    """The records of a table, which must have the text's and the `required` columns."""
    # The columns of a file without a header have numbers; then every mapped column must be a number.
    mapping = {"text": columns.text, "label": columns.label}
    mapping |= {"language": columns.language} if columns.language else {}
    checked = False
    for record in sources.read_records(source, ReadOptions(mapping=mapping)):
        if isinstance(record, Broken):
            continue
        if not checked:
            _require_columns(record, [*columns.text.split("+"), *required], source)
            checked = True
        yield record


def _require_columns(record: Mapping[str, str | None], requested: Sequence[str], source: str) -> None:
    if missing := [name for name in requested if name and name not in record]:
        raise InputError(
            f"{source} has no column {missing[0]!r}. Its columns: {', '.join(record)}. "
            "Say which with --text, --label and --language."
        )


def _raw_row(record: Mapping[str, str | None], columns: Columns) -> RawRow:
    parts = [record.get(name) or "" for name in columns.text.split("+")]
    language = record.get(columns.language or "language") or ""
    return RawRow(
        text="\n\n".join(part for part in parts if part),
        label=record.get(columns.label) or "",
        language=language.lower()[:2] if language.isascii() else "",
    )
