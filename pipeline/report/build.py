"""The report: one self-contained HTML page, Markdown, Parquet, CSV, XLSX and JSON in a dated folder that appears in one step.

Every number comes from a named query in `warehouse/queries/`. The same warehouse and date give the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.advice import reply
from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.lock import alone
from pipeline.core.outside import read
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse
from pipeline.quality import check
from pipeline.report import export
from pipeline.report.content import Content, gather
from pipeline.report.emotion_groups import read_emotion_groups
from pipeline.report.masking import Masking
from pipeline.report.render import template
from pipeline.report.scope import Scope, require_known, run_query

MIN_REVIEWS = 4  # that a business needs for a report of its own
MAX_BUSINESSES = 100  # that get one
MOST, NEWEST = 100_000, 10_000  # reviews that the files hold; of more, the newest: `sql @insights --out FILE` has all
_SCRATCH, _OLD = ".report-", ".old-"


@dataclass(frozen=True)
class Report:
    """What was written. `verdict`: of the check; None without a baseline, InputError if the baseline is unusable."""

    folder: Path
    content: Content
    verdict: check.Verdict | InputError | None


def write(
    warehouse: Warehouse,
    out: Path,
    day: date | None = None,
    *,
    scope: Scope | None = None,
    per_business: bool = False,
    emotion_groups: Path | None = None,
    baselines: Path | None = None,
    night: bool = False,
    mask: bool = False,
) -> Report:
    """Writes `out/YYYY-MM-DD/` from a published warehouse, replacing an older one of that date.

    `per_business`: also a folder `businesses/CODE/` inside it for each business with at least MIN_REVIEWS reviews, the
    MAX_BUSINESSES largest at most. `night`: a nightly report, which says so if the run brought no new reviews. `mask`: with
    placeholders for what identifies a person.
    Raises InputError if `emotion_groups` cannot be read, `out` cannot be written, or the scope names what no review has.
    """
    scope, day = scope or Scope(), day or now().date()
    groups = read_emotion_groups(emotion_groups) if emotion_groups else None
    require_known(warehouse, scope)
    masking = Masking(warehouse) if mask else None
    content = gather(warehouse, scope, groups, masking) | {"day": day, "night": night}
    content["newest"] = _newest(content)
    verdict = _check(warehouse, content, baselines)
    if verdict:
        content["check"] = verdict.as_text().splitlines() if isinstance(verdict, check.Verdict) else [str(verdict)]
    businesses = _businesses(warehouse, scope) if per_business else []
    content["business_reports"] = {
        masking.of("business", name) if masking else name: f"businesses/{_code(name)}/report.html"
        for name in businesses
    }
    with _atomic_folder(out, day.isoformat()) as folder:
        _write_files(folder, warehouse, scope, content, masking)
        for name in businesses:
            business_scope = replace(scope, business=name)
            # Models, rejects and the check concern the whole warehouse: only the main report has them.
            brief = gather(warehouse, business_scope, groups, masking) | {"day": day, "brief": True}
            brief["newest"] = _newest(brief)
            _write_files(folder / "businesses" / _code(name), warehouse, business_scope, brief, masking)
    return Report(out / day.isoformat(), content, verdict)


def _newest(content: Content) -> int | None:
    """How many reviews the files hold; None: all."""
    return NEWEST if content["headline"]["reviews"] > MOST else None


def _check(warehouse: Warehouse, content: Content, baselines: Path | None) -> check.Verdict | InputError | None:
    """The latest run's verdict. An unusable baseline must not cost us the report."""
    if content["latest"] is None:
        return None
    try:
        return check.verdict_if_recorded(warehouse, content["latest"]["profile"], baselines)
    except InputError as error:
        return error


@contextlib.contextmanager
def _atomic_folder(out: Path, name: str) -> Iterator[Path]:
    """A scratch folder in `out` that becomes `out/name` at the end, or disappears if an error is raised. One at a time."""
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            stack.enter_context(alone(out))
            _sweep(out)
            scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=out))
        except OSError as error:
            raise InputError(f"--out {out}: {error.strerror}. Name a folder that can be written.") from error
        with _becoming(scratch, out, name):
            yield scratch


def _sweep(out: Path) -> None:
    """Removes what killed processes left; a report that one of them had set aside, and not yet replaced, is put back."""
    for old in out.glob(f"{_OLD}*/*"):
        if not (place := out / old.name).exists():
            os.replace(old, place)
    for left in (*out.glob(f"{_SCRATCH}*"), *out.glob(f"{_OLD}*")):
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _becoming(scratch: Path, out: Path, name: str) -> Iterator[None]:
    try:
        yield
        scratch.chmod(0o755)
        if (out / name).exists():
            old = Path(tempfile.mkdtemp(prefix=_OLD, dir=out))
            os.replace(out / name, old / name)
            os.replace(scratch, out / name)
            shutil.rmtree(old)
        else:
            os.replace(scratch, out / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_files(folder: Path, warehouse: Warehouse, scope: Scope, content: Content, masking: Masking | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    names, types, rows = _insights(warehouse, scope, content["labels"], masking, content["newest"])
    export.write({form: folder / f"insights.{form}" for form in export.FORMATS}, names, types, rows)
    content = content | {"masked": masking.line if masking else None}
    for name in ("report.html", "report.md"):
        text = template(f"{name}.jinja").render(content)
        # Lone surrogates cannot be written; no browser could show them either.
        (folder / name).write_text(text, encoding="utf-8", errors="replace")


def _insights(
    warehouse: Warehouse, scope: Scope, labels: Mapping[str, str], masking: Masking | None, newest: int | None
) -> tuple[list[str], list[str], Iterator[export.Row]]:
    """Column names, their types, and the rows of the view `insights`, with a reply draft for each unhappy one without an answer;
    None: all.
    """
    query = queries.load("insights")
    result = read(warehouse, query.sql, query.bind({**scope.parameters, "limit": newest}))
    unanswered = {row["review_id"]: row for row in run_query(warehouse, scope, "theme_evidence", limit=newest)}

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in result.rows:
            review = dict(zip(result.names, row, strict=True))
            found = unanswered.get(review["review_id"])
            asked = {**review, **found} if found and review["text"] else None
            draft = reply.draft(masking.signed(asked) if masking else asked, labels) if asked else None
            shown = masking.of("insights", review).values() if masking else row
            yield (*shown, draft.text if draft else None, draft.language if draft else None)

    return [*result.names, "reply", "reply_language"], [*result.types, "VARCHAR", "VARCHAR"], rows()


def _businesses(warehouse: Warehouse, scope: Scope) -> list[str]:
    """Names of the businesses that get a report of their own, sorted."""
    rows = run_query(warehouse, scope, "businesses", limit=1_000_000)
    largest = sorted((-row["reviews"], row["business"]) for row in rows if row["reviews"] >= MIN_REVIEWS)
    return sorted(name for _, name in largest[:MAX_BUSINESSES])


def _code(name: str) -> str:
    """What a business's folder is called. No part of its name: that may be a person's, and a folder's name is seen by everybody."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
