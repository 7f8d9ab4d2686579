"""Whether a pack is whole, and whether its examples are read as they should be."""

from __future__ import annotations

import contextlib
import csv
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from pipeline.advice.problems import own_problems
from pipeline.core import pack
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import load
from pipeline.core.profile import names as profile_names
from pipeline.core.warehouse import Warehouse, open_read_only
from pipeline.ingest.understanding import IngestOptions
from pipeline.reader import calibration
from pipeline.run import run
from pipeline.text.repair import repair
from pipeline.text.words import fold
from pipeline.themes.taxonomy import load_taxonomy

_COLUMNS = ["text", "label", "themes"]
_NO_COLUMN = ("stars", "reviewed_at", "business", "product", "language")  # that an example has


class Example(TypedDict):
    """A row of `examples.csv`. `themes`: ids that must be found, others may be."""

    text: str
    label: str
    themes: list[str]


@dataclass(frozen=True)
class Checked:
    """A pack that is whole. `measured`: what its tuned sentiment gained, "" if it has none; `misread`: what its examples were
    read as instead of what they say, a line each.
    """

    name: str
    themes: int
    own_themes: int
    problems: int
    examples: int
    measured: str
    misread: list[str]


def check(
    folder: Path,
    profile: str = "embedded",
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Checked:
    """Validates every file of a pack, and reads its examples as a run does with the pack on top of a profile.

    Raises InputError for the first file that is wrong, listing all that is wrong with it.
    """
    found = pack.load(folder)
    playbook = folder / pack.PLAYBOOK
    aspects = load_taxonomy(playbook).aspects
    shipped = {aspect.id for aspect in load_taxonomy().aspects}
    if found.sentiment.calibration:
        calibration.load(str(folder / found.sentiment.calibration))
    problems = own_problems(playbook)
    examples = read_examples(folder / pack.EXAMPLES, [aspect.id for aspect in aspects])
    misread = _misread(folder, profile, examples, progress) if examples else []
    own = sum(aspect.id not in shipped for aspect in aspects)
    return Checked(found.name, len(aspects), own, len(problems), len(examples), found.sentiment.measured, misread)


def read_examples(file: Path, themes: Sequence[str]) -> list[Example]:
    """The rows of an `examples.csv`; none if there is no such file. Raises InputError listing all that is wrong with it."""
    if not file.is_file():
        return []
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened, strict=True)
            rows, columns = list(reader), list(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read: {error}. Save it as CSV in UTF-8.") from error
    if columns != _COLUMNS:
        raise InputError(f"{file}: its columns must be {', '.join(_COLUMNS)}.")
    examples = [
        Example(text=row["text"] or "", label=row["label"] or "", themes=(row["themes"] or "").split()) for row in rows
    ]
    errors = [f"row {number}: {error}" for number, row in enumerate(examples, 1) for error in _row_errors(row, themes)]
    texts = [fold(repair(row["text"])) for row in examples]
    errors += [
        f"row {number}: stands there twice" for number, text in enumerate(texts, 1) if text in texts[: number - 1]
    ]
    if errors:
        raise InputError(f"{file} has {len(errors)} error(s): {'; '.join(errors[:20])}.")
    return examples


def _row_errors(row: Example, themes: Sequence[str]) -> list[str]:
    errors = [] if row["text"].strip() else ["there is no text"]
    if row["label"] not in SENTIMENTS:
        errors.append(f"the label {row['label']!r} is none of {', '.join(SENTIMENTS)}")
    return errors + [f"{theme!r} is no theme of the pack" for theme in row["themes"] if theme not in themes]


def _misread(
    folder: Path, profile: str, examples: Sequence[Example], progress: Callable[[str, int, int], None]
) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="review-insights-") as scratch:
        with_pack, texts = Path(scratch) / "pack.toml", Path(scratch) / "examples.csv"
        base = profile if profile in profile_names() else str(Path(profile).resolve())
        lines = (f"{key} = {json.dumps(value)}" for key, value in (("extends", base), ("pack", str(folder.resolve()))))
        with_pack.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with texts.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["text"], *([row["text"]] for row in examples)])
        options = IngestOptions(mapping={"text": "text", **dict.fromkeys(_NO_COLUMN, "")}, header=True)
        warehouse_path = Path(scratch) / "check.duckdb"
        run([str(texts)], warehouse_path, load(str(with_pack)), options, until="themes", progress=progress)
        with contextlib.closing(open_read_only(warehouse_path)) as warehouse:
            return _compared(examples, warehouse)


def _compared(examples: Sequence[Example], warehouse: Warehouse) -> list[str]:
    sql = (
        "SELECT r.text, any_value(s.label) AS label, list(t.theme) AS themes FROM reviews r "
        "LEFT JOIN sentiment s USING (review_id) LEFT JOIN themes t USING (review_id) GROUP BY r.review_id, r.text"
    )
    read = {fold(repair(row["text"])): row for row in warehouse.query(sql)}
    lines = []
    for number, example in enumerate(examples, 1):
        row = read.get(fold(repair(example["text"])))
        if row is None:
            lines.append(f"row {number}: it was not read as a review of its own")
            continue
        if row["label"] != example["label"]:
            lines.append(f"row {number}: {example['label']}, read as {row['label'] or 'not clear enough'}")
        if missing := [theme for theme in example["themes"] if theme not in row["themes"]]:
            others = ", ".join(theme for theme in sorted(row["themes"]) if theme) or "none"
            lines.append(f"row {number}: {', '.join(missing)} not found (found: {others})")
    return lines
