"""What is left of reviews in files outside the warehouse: reports, uploads to the service, and baselines."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterator
from html import unescape
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.warehouse import open_memory
from pipeline.ingest.load import ingest
from pipeline.ingest.understanding import IngestOptions
from pipeline.report import masking

_REPORT = re.compile(r"\d{4}-\d\d-\d\d")
_PROMPTS = "prompts"  # what compare-prompts writes: it shows reviews, without their ids
_SCRATCH = re.compile(r"\.(report|old)-.*")  # a report that is being written, or that was when its run was killed
_ID = re.compile(rb"\b[0-9a-f]{16}\b")
_TELLING = 20  # characters of a quote that are enough to know it by


# --- Reports ---


def reports(out: Path, review_ids: Collection[str], quotes: Collection[str], texts: Collection[str] = ()) -> list[Path]:
    """The dated folders in `out` with one of these reviews or quotes in any of their files, the comparison of prompts if it shows
    one of the texts, and unfinished reports, sorted.
    """
    telling = {quote.removesuffix("…") for quote in quotes if len(quote) >= _TELLING}
    whole = {" ".join(text.split()) for text in texts} - {""}

    def shows(folder: Path) -> bool:
        if _REPORT.fullmatch(folder.name):
            return any(_shows(file, review_ids, telling) for file in _files(folder))
        return folder.name == _PROMPTS and any(_shows(file, (), whole) for file in _files(folder))

    folders = sorted(path for path in out.glob("*") if path.is_dir())
    return [folder for folder in folders if _SCRATCH.fullmatch(folder.name) or shows(folder)]


def is_masked(folder: Path) -> bool:
    """Whether a report was written with --mask."""
    return masking.NOTE in (folder / "report.md").read_text(encoding="utf-8")


def _files(folder: Path) -> Iterator[Path]:
    """The files that can be searched: Parquet and workbooks have the same rows as the CSV file beside them."""
    return (file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix not in (".parquet", ".xlsx"))


def _shows(file: Path, review_ids: Collection[str], quotes: Collection[str]) -> bool:
    content = file.read_bytes()
    if not set(review_ids).isdisjoint(match.decode() for match in _ID.findall(content)):
        return True
    text = " ".join(unescape(content.decode("utf-8", "replace")).split()) if quotes else ""
    return any(quote in text for quote in quotes)


# --- Uploads to the service ---


def uploads(jobs: Path, review_ids: Collection[str], texts: Collection[str], remove: bool) -> int:
    """How many records of uploaded files hold one of these reviews, by id or text. `remove`: a finished result keeps such a
    record as a rejected one without words; a file that still waits to be analysed is deleted with its job.
    """
    return sum(_job(folder, review_ids, texts, remove) for folder in sorted(jobs.glob("*/")))


def _job(folder: Path, review_ids: Collection[str], texts: Collection[str], remove: bool) -> int:
    waiting = sum(_waiting(upload, review_ids, texts) for upload in folder.glob("upload.*"))
    if waiting:
        if remove:
            shutil.rmtree(folder)
        return waiting
    results = folder / "results.jsonl"
    lines = (
        results.read_text(encoding="utf-8").split("\n")[:-1] if results.is_file() else []
    )  # without an unfinished one
    kept = [_without(line, review_ids, texts) for line in lines]
    removed = sum(new != line for new, line in zip(kept, lines, strict=True))
    if removed and remove:
        _replace(results, "".join(f"{line}\n" for line in kept))
    return removed


def _without(line: str, review_ids: Collection[str], texts: Collection[str]) -> str:
    """A line of results; without words if it is one of these reviews. Never left out: lines are counted."""
    row = json.loads(line)
    if row.get("review_id") not in review_ids and row.get("text") not in texts:
        return line
    return json.dumps({"source_row": row["source_row"], "status": "rejected", "reason": "forgotten"})


def _waiting(upload: Path, review_ids: Collection[str], texts: Collection[str]) -> int:
    """How many records of an upload are one of these reviews. One that cannot be read will not be analysed either."""
    mapping = json.loads((upload.parent / "mapping.json").read_text())
    warehouse = open_memory()
    try:
        ingest(warehouse, [str(upload)], IngestOptions(mapping=mapping), "forget", now())
        rows = warehouse.query("SELECT review_id, text FROM reviews")
    except InputError:
        return 0
    finally:
        warehouse.close()
    return sum(row["review_id"] in review_ids or row["text"] in texts for row in rows)


# --- Baselines ---


def baselines(folders: Collection[Path], review_ids: Collection[str], remove: bool) -> list[Path]:
    """The baselines that hold figures of these reviews. `remove`: takes the figures out."""
    held = []
    for file in sorted(file for folder in folders for file in folder.glob("*.json")):
        document = _document(file)
        if removed := _drop_keys(document, frozenset(review_ids)):
            held.append(file)
        if removed and remove:
            _replace(file, json.dumps(document, indent=1, sort_keys=True) + "\n")
    return held


def _document(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{file} is no baseline that can be read. Delete it, or name another folder.") from error


def _drop_keys(value: Any, keys: frozenset[str]) -> int:
    """Removes keys from a JSON document at any depth; returns how many."""
    if not isinstance(value, dict):
        return 0
    dropped = [key for key in value if key in keys]
    for key in dropped:
        del value[key]
    return len(dropped) + sum(_drop_keys(item, keys) for item in value.values())


def _replace(file: Path, content: str) -> None:
    """Writes a file in one step."""
    scratch = file.with_name(f"{file.name}.tmp")
    scratch.write_text(content, encoding="utf-8")
    os.replace(scratch, file)
