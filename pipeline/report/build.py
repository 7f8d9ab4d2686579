"""The report: one self-contained HTML page, Markdown, Parquet, CSV, XLSX and JSON in a dated folder that appears in one step.

Every number comes from a named query in `warehouse/queries/`. The same warehouse and date give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.advice import reply
from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse, open_read_only, read
from pipeline.quality import check
from pipeline.report import export
from pipeline.report.content import Scope, gather, read_emotion_groups, run_query, theme_labels
from pipeline.report.render import template

if TYPE_CHECKING:
    pass

FEWEST, MOST = 4, 100  # reviews a business must have for a report of its own, and how many get one


def write(
    warehouse_path: Path,
    out: Path,
    day: date | None = None,
    *,
    scope: Scope | None = None,
    per_business: bool = False,
    emotion_groups: Path | None = None,
    baselines: Path | None = None,
) -> Path:
    """Writes `out/YYYY-MM-DD/` from the published warehouse, replacing an older one of that date, and returns it.

    `per_business`: also `businesses/NAME/` in it, for each that has FEWEST reviews or more, at most MOST of them.
    Raises InputError for a warehouse or a file of groups that cannot be read, and where `out` cannot be written.
    """
    scope, day = scope or Scope(), day or now().date()
    groups = read_emotion_groups(emotion_groups) if emotion_groups else None
    if scope.since and scope.until and scope.since > scope.until:
        raise InputError(f"--since {scope.since} is after --until {scope.until}: no day lies between them.")
    warehouse = open_read_only(warehouse_path)
    try:
        content = gather(warehouse, scope, groups) | {"day": day}
        content["check"] = _checked(warehouse, baselines)
        try:
            out.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".report-", dir=out))
        except OSError as error:
            raise InputError(f"--out {out}: {error.strerror}. Name a folder that can be written.") from error
        try:
            own = _businesses(warehouse, scope) if per_business else []
            content["own_reports"] = {name: f"businesses/{_slug(name)}/report.html" for name in own}
            _write_files(scratch, warehouse, scope, content)
            for name in own:
                folder = scratch / "businesses" / _slug(name)
                folder.mkdir(parents=True)
                one = replace(scope, business=name)
                # Models, rejects and the check are about the whole warehouse: the main report has them.
                _write_files(folder, warehouse, one, gather(warehouse, one, groups) | {"day": day, "brief": True})
            return _into_place(scratch, out / day.isoformat())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    finally:
        warehouse.close()


def _into_place(scratch: Path, folder: Path) -> Path:
    scratch.chmod(0o755)
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        os.replace(folder, old / folder.name)
    os.replace(scratch, folder)
    if old:
        shutil.rmtree(old)
    return folder


def _write_files(folder: Path, warehouse: Warehouse, scope: Scope, content: Mapping[str, Any]) -> None:
    for name in ("report.html", "report.md"):
        text = template(f"{name}.jinja").render(content)
        # Lone surrogates cannot be written; no browser could show them either.
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    names, types, rows = _insights(warehouse, scope)
    export.write({form: folder / f"insights.{form}" for form in export.FORMATS}, names, types, rows)


def _insights(warehouse: Warehouse, scope: Scope) -> tuple[list[str], list[str], Iterator[tuple[Any, ...]]]:
    """The view `insights` with a reply draft for each unhappy review."""
    query = queries.load("insights")
    result = read(warehouse, query.sql, query.bind(asdict(scope)))
    at = {name: place for place, name in enumerate(result.names)}
    spoken = {row["review_id"]: row["themes"] for row in run_query(warehouse, scope, "theme_evidence")}
    labels = theme_labels()

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in result.rows:
            if row[at["review_id"]] not in spoken:
                yield (*row, None, None)
                continue
            review = {name: row[at[name]] for name in ("text", "language", "business")}
            made = reply.draft(review | {"themes": spoken[row[at["review_id"]]]}, labels)
            yield (*row, made.text, made.language)

    return [*result.names, "reply", "reply_language"], [*result.types, "VARCHAR", "VARCHAR"], rows()


def _businesses(warehouse: Warehouse, scope: Scope) -> list[str]:
    rows = run_query(warehouse, scope, "businesses", limit=1_000_000)
    enough = sorted((-row["reviews"], row["business"]) for row in rows if row["reviews"] >= FEWEST)
    return sorted(name for _, name in enough[:MOST])


def _slug(name: str) -> str:
    """A folder name that every system takes; the hash keeps apart what looks alike."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{re.sub('[^a-z0-9]+', '-', plain).strip('-')[:40]}-{mark}".strip("-")


def _checked(warehouse: Warehouse, baselines: Path | None) -> list[str]:
    """The check's verdict on the latest run, line by line; nothing where there is no run or no baseline."""
    runs = run_query(warehouse, Scope(), "latest_run")
    try:
        found = check.verdict_if_recorded(warehouse, runs[0]["profile"], baselines) if runs else None
    except InputError as error:
        return [str(error)]
    return found.as_text().splitlines() if found else []
