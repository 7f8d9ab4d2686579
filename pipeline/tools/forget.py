"""forget: removes a source, single reviews, or all reviews of an author from the warehouse and from every file beside it.

Reads top to bottom: what is asked for, what that touches, what is done about it. Nothing is written before `forget`, and
what a killed `forget` leaves behind is thrown away by the next one. Ingest refuses what was forgotten by review or author;
a source as a whole may be read again.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pipeline.advice import votes
from pipeline.core import ledger
from pipeline.core.assets import BASELINES
from pipeline.core.errors import InputError
from pipeline.core.lock import writing
from pipeline.core.provenance import new_run_id, now
from pipeline.core.warehouse import (
    Warehouse,
    audit,
    discard_work,
    models_path,
    open_read_only,
    open_work,
    publish_afresh,
    salt,
    sql_file,
    work_path,
)
from pipeline.ingest import forgotten
from pipeline.ingest.identity import author_hash
from pipeline.report import build
from pipeline.report.scope import hint
from pipeline.service.settings import jobs_path
from pipeline.tools import traces

_ACCOUNTED_FOR = ("store.reviews", "store.forgotten", "main.rejects")  # by forget.sql


@dataclass(frozen=True)
class Request:
    """What is to be forgotten. `sources`: as the warehouse names them, or "sample"; `reviews`: review_id or native_id; `authors`:
    a name as the source writes it, or its hash; `adapters`: folders of `distill`.
    """

    sources: Sequence[str] = ()
    reviews: Sequence[str] = ()
    authors: Sequence[str] = ()
    adapters: Sequence[str] = ()


@dataclass(frozen=True)
class Adapter:
    """An adapter that was trained on reviews that are forgotten."""

    adapter: str
    trained_on: int
    validated_on: int


@dataclass(frozen=True)
class Findings:
    """What a request touches. Counts are of rows, but `reviews`: those of which nothing is left; `shared`: those that another
    source keeps; `adapters`: that stay although they had seen some; `dropped`: that go; `unsure`: sources whose next reading may
    bring a review back, because ids have changed since they were read.
    """

    sources: list[str]
    reviews: int
    versions: int
    shared: int
    rejects: int
    derived: dict[str, int]  # table -> rows
    votes: int
    uploads: int
    reports: list[Path]
    per_business: bool  # whether one of them has reports of businesses
    masked: bool  # whether one of them hides what identifies a person
    baselines: list[Path]
    adapters: list[Adapter]
    dropped: list[str]
    unsure: list[str]


@dataclass(frozen=True)
class Places:
    """Files outside the warehouse: where reports are written, and baselines besides those beside the warehouse."""

    out: Path
    baselines: Path | None = None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Warehouse]:
    """A working copy of a published warehouse, for `find` and `forget`; thrown away if the block raises.

    Raises InputError if there is no warehouse, another process writes it, or a run that did not finish waits to be continued.
    """
    open_read_only(path).close()
    with writing(path):
        _require_finished(path)
        discard_work(path)
        warehouse = open_work(path)
        try:
            ledger.enter(warehouse, ledger.row(new_run_id(), "forget", now(), kind="forget"))
            yield warehouse
        except BaseException:
            warehouse.close()
            discard_work(path)
            raise


def _require_finished(path: Path) -> None:
    """Raises InputError for a working copy that holds more than the published file and a killed `forget`."""
    work = work_path(path)
    if not work.exists():
        return
    with contextlib.closing(open_read_only(work)) as warehouse:
        runs = warehouse.query("SELECT * FROM runs ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1")
    with contextlib.closing(open_read_only(path)) as published:
        held = {row["run_id"] for row in published.query("SELECT run_id FROM runs")}
    if not runs or (runs[0].get("kind") != "forget" and runs[0]["run_id"] not in held):
        named = f"Run {runs[0]['run_id']} of {runs[0]['started_at']:%Y-%m-%d %H:%M}" if runs else "A run"
        raise InputError(
            f"{named} did not finish, and {work} holds what it has read. Finish it first: repeat its review-insights run; "
            f"or give it up: delete {work}"
        )


# --- What is meant, and what that touches ---


def find(warehouse: Warehouse, request: Request, places: Places) -> Findings:
    """What a request touches; changes nothing. Raises InputError, with names that come near, for what is not there."""
    sources = [name for wanted in request.sources for name in _sources(warehouse, wanted)]
    reviews = [review_id for wanted in request.reviews for review_id in _reviews(warehouse, wanted)]
    authors = [_author(warehouse, wanted) for wanted in request.authors]
    dropped = _with_later_rounds(warehouse, request.adapters)
    warehouse.execute(sql_file("forget", "prepare.sql"))
    wanted = [{"source": name} for name in sources] + [{"review_id": name} for name in reviews]
    wanted += [{"author": name} for name in authors]
    warehouse.append("wanted", [row | {"asked_at": now()} for row in wanted])
    rejected = _rejected_authors(warehouse) if authors else []
    warehouse.append("authored", [{"reject_id": id} for id, author in rejected if author in authors])
    warehouse.execute(sql_file("forget", "find.sql"))
    (counts,) = warehouse.query(
        "SELECT (SELECT count(*) FROM gone) AS reviews, count(*) AS versions, count(DISTINCT review_id) AS ids FROM going"
    )
    return Findings(
        sources=sources,
        reviews=counts["reviews"],
        versions=counts["versions"],
        shared=counts["ids"] - counts["reviews"],
        rejects=warehouse.value(
            "SELECT count(*) FROM rejects WHERE source IN (SELECT source FROM wanted) "
            "OR reject_id IN (FROM authored) OR review_id IN (SELECT review_id FROM going)"
        ),
        derived=_derived(warehouse),
        adapters=[
            Adapter(**row)
            for row in warehouse.query(sql_file("forget", "adapters.sql"))
            if row["adapter"] not in dropped
        ],
        dropped=dropped,
        unsure=[row["source"] for row in warehouse.query(sql_file("forget", "unsure.sql"))],
        **_outside(warehouse, places, _samples(warehouse), remove=False),
    )


def _sources(warehouse: Warehouse, name: str) -> list[str]:
    held = [
        row["source"]
        for row in warehouse.query("SELECT source FROM store.sources UNION SELECT source FROM store.reviews")
    ]
    matching = [source for source in held if source == name]
    if not matching:
        raise InputError(f"--source {name}: no source is called that. {near(name, held)}")
    return matching


def near(name: str, sources: Sequence[str]) -> str:
    """A sentence about an unknown source: those whose path or file name comes near, or some that there are."""
    same = [source for source in sources if PurePath(source).name == PurePath(name).name]
    return f"Did you mean {' or '.join(same)}?" if same else hint(name, sources)


def _reviews(warehouse: Warehouse, name: str) -> list[str]:
    rows = warehouse.query(
        "SELECT DISTINCT review_id FROM store.reviews WHERE review_id = $id OR native_id = $id", {"id": name}
    )
    if rows:
        return [row["review_id"] for row in rows]
    when = warehouse.value(
        "SELECT max(forgotten_at) FROM store.forgotten WHERE review_id = $id OR native_id = $id", {"id": name}
    )
    if when:
        raise InputError(f"--review {name}: it was forgotten on {when:%Y-%m-%d}.")
    close = warehouse.query(
        "SELECT DISTINCT review_id FROM store.reviews WHERE levenshtein(review_id, ?) <= 4 ORDER BY ALL LIMIT 3", [name]
    )
    ids = " or ".join(row["review_id"] for row in close)
    raise InputError(
        f"--review {name}: no review has this id. "
        + (f"Did you mean {ids}?" if ids else "Find it by its words: review-insights sql @search --words WORDS")
    )


def _author(warehouse: Warehouse, name: str) -> str:
    hashed = author_hash(name, salt(warehouse.path))
    for author in filter(None, (hashed, name.lower() if re.fullmatch("[0-9a-fA-F]{16}", name) else None)):
        known = warehouse.value("SELECT count(*) FROM store.reviews WHERE author = ?", [author])
        if known or any(author == rejected for _, rejected in _rejected_authors(warehouse)):
            return author
        if when := warehouse.value(
            "SELECT max(forgotten_at) FROM store.forgotten WHERE author = ? AND review_id IS NULL", [author]
        ):
            raise InputError(f"--author {name}: they were forgotten on {when:%Y-%m-%d}.")
    raise InputError(
        f"--author {name}: no review is by them. Only hashes of names are kept, so write the name as the source has it "
        '(capitals do not matter), or give the hash: review-insights sql "SELECT author, text FROM reviews"'
    )


def _rejected_authors(warehouse: Warehouse) -> list[tuple[str, str | None]]:
    """(reject_id, hash of the author's name) of the rejects that name one."""
    key = salt(warehouse.path)
    rows = warehouse.query(sql_file("forget", "rejected_authors.sql"))
    return [(row["reject_id"], author_hash(row["name"], key)) for row in rows]


def _with_later_rounds(warehouse: Warehouse, adapters: Sequence[str]) -> list[str]:
    """The adapters, and those whose training went on from one of them."""
    held = [row["adapter"] for row in warehouse.query("SELECT adapter FROM store.distill WHERE adapter IS NOT NULL")]
    for name in adapters:
        if name not in held:
            raise InputError(f"--adapter {name}: no adapter is called that. {hint(name, held)}")
    rows = warehouse.query(
        "SELECT DISTINCT later.adapter FROM store.distill first JOIN store.distill later "
        "ON later.fingerprint = first.fingerprint AND later.round >= first.round "
        "WHERE later.adapter IS NOT NULL AND list_contains($adapters::VARCHAR[], first.adapter) ORDER BY ALL",
        {"adapters": list(adapters)},
    )
    return [row["adapter"] for row in rows]


def _derived(warehouse: Warehouse) -> dict[str, int]:
    """Table -> rows about reviews that are gone, in every table that has a column review_id, whoever added it."""
    counts = {
        table: warehouse.value(f"SELECT count(*) FROM {table} WHERE review_id IN (FROM gone)")
        for table in _tables(warehouse)
    }
    return {table: count for table, count in counts.items() if count}


def _tables(warehouse: Warehouse) -> list[str]:
    rows = warehouse.query(
        "SELECT DISTINCT schema_name || '.' || table_name AS name FROM duckdb_columns() JOIN duckdb_tables() "
        "USING (database_name, schema_name, table_name) WHERE column_name = 'review_id' AND NOT temporary ORDER BY ALL"
    )
    return [row["name"] for row in rows if row["name"] not in _ACCOUNTED_FOR]


def _samples(warehouse: Warehouse) -> list[str]:
    """What the kept tables of how sources were understood show of the reviews that are gone."""
    reviews = warehouse.query("FROM going SEMI JOIN gone USING (review_id)")
    readings = warehouse.query("SELECT fields FROM store.sources WHERE source IN (SELECT source FROM going)")
    return [sample for row in readings for sample in forgotten.remove_samples(json.loads(row["fields"]), reviews)]


def _outside(warehouse: Warehouse, places: Places, samples: Sequence[str], remove: bool) -> dict[str, Any]:
    """What files outside the warehouse hold of the reviews that are gone: the fields of Findings. `remove`: deletes it."""
    path = warehouse.path
    assert path is not None, "only a warehouse in a file has files beside it"
    rows = warehouse.query("SELECT review_id, text FROM going SEMI JOIN gone USING (review_id)")
    ids, texts = {row["review_id"] for row in rows}, {row["text"] for row in rows} - {""}
    folders = {path.with_name(f"{path.name}.baselines"), places.baselines} - {None, BASELINES}
    reports = traces.reports(places.out, ids, samples, texts)
    per_business = any((folder / "businesses").is_dir() for folder in reports)
    masked = any((folder / "report.md").is_file() and traces.is_masked(folder) for folder in reports)
    for folder in reports if remove else ():
        shutil.rmtree(folder)
    return {
        "votes": votes.forget(path, ids, remove),
        "uploads": traces.uploads(jobs_path(path), ids, texts, remove),
        "baselines": traces.baselines([folder for folder in folders if folder], ids, remove),
        "reports": reports,
        "per_business": per_business,
        "masked": masked,
    }


# --- Doing it ---


def forget(warehouse: Warehouse, findings: Findings, places: Places) -> None:
    """Removes what `find` found and publishes the warehouse in a new file.

    Raises AuditFailed, with everything left as it was, if the warehouse would break its own rules.
    """
    path = warehouse.path
    assert path is not None, "only a warehouse in a file can be published"
    samples = _samples(warehouse)
    with warehouse.transaction():
        _remove_rows(warehouse, findings.dropped)
        audit(warehouse)
        warehouse.execute(
            "UPDATE runs SET status = 'done', finished_at = ? WHERE kind = 'forget' AND status = 'running'", [now()]
        )
    _outside(warehouse, places, samples, remove=True)
    for adapter in findings.dropped:
        shutil.rmtree(models_path(path) / adapter, ignore_errors=True)
    publish_afresh(warehouse)


def renew_report(path: Path, findings: Findings, places: Places) -> Path | None:
    """Writes today's report again if it was among those that were deleted; returns its folder."""
    if not any(folder.name == now().date().isoformat() for folder in findings.reports):
        return None
    with contextlib.closing(open_read_only(path)) as published:
        return build.write(published, places.out, per_business=findings.per_business, mask=findings.masked).folder


def _remove_rows(warehouse: Warehouse, adapters: Sequence[str]) -> None:
    _remove_samples(warehouse)
    warehouse.execute(sql_file("forget", "forget.sql"))
    for table in _tables(warehouse):
        warehouse.execute(f"DELETE FROM {table} WHERE review_id IN (FROM gone)")
    warehouse.execute(sql_file("ingest", "settle.sql"))
    warehouse.execute(sql_file("ingest", "recompute.sql"))
    warehouse.execute("CREATE OR REPLACE TEMP TABLE dropped (adapter VARCHAR)")
    warehouse.append("dropped", [{"adapter": adapter} for adapter in adapters])
    warehouse.execute(sql_file("forget", "drop_adapters.sql"))


def _remove_samples(warehouse: Warehouse) -> None:
    reviews = warehouse.query("FROM going")
    for row in warehouse.query(
        "SELECT source, run_id, fields FROM store.sources WHERE source IN (SELECT source FROM going)"
    ):
        fields = json.loads(row["fields"])
        if forgotten.remove_samples(fields, reviews):
            warehouse.execute(
                "UPDATE store.sources SET fields = ? WHERE source = ? AND run_id = ?",
                [json.dumps(fields), row["source"], row["run_id"]],
            )
