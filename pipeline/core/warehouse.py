"""The files of a warehouse: opened, migrated, audited, published.

A run works in a file of its own beside the published one and replaces it in one step once its audits have passed, so
readers never see half a run and never wait for a lock:

    insights.duckdb          what SQL, report and API read
    insights.duckdb.work     a run in progress, or a killed one that the next run continues
    insights.duckdb.spare    the file that was published before, of a large warehouse: see `copies`
    insights.duckdb.models/  adapters trained by `distill`
    insights.duckdb.salt     see `salt`
    insights.duckdb.lock     see `lock.writing`
"""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.core import copies, kept, settled
from pipeline.core.assets import WAREHOUSE
from pipeline.core.connection import SAFE, Warehouse, connect, quoted, work_path
from pipeline.core.errors import AuditFailed, InputError

_AUDITS = "audits"  # settled when all reviews have passed them
_SALT_BYTES = 16
_MEMORY_SALT = secrets.token_bytes(_SALT_BYTES)
_LONGEST_QUERY = 24 * 3600.0  # seconds after which what a reader has spilled is no longer in use


def sql_file(*parts: str) -> str:
    """The text of a file under `warehouse/`, such as sql_file("stages", "sentiment.sql")."""
    return WAREHOUSE.joinpath(*parts).read_text(encoding="utf-8")


def migrate(warehouse: Warehouse) -> None:
    """Applies outstanding migrations and renews the views, in one transaction: all or nothing, and one write to disk. Raises
    InputError for a warehouse that a newer version has written.
    """
    warehouse.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY, applied_at TIMESTAMP DEFAULT current_timestamp)"
    )
    applied = {row["name"] for row in warehouse.query("SELECT name FROM migrations")}
    files = sorted((WAREHOUSE / "migrations").glob("*.sql"))
    if ahead := applied - {file.stem for file in files}:
        raise InputError(
            f"{warehouse.file} was written by a newer version (it has migration {max(ahead)}). "
            "Upgrade review-insights, or name another file with --warehouse."
        )
    with warehouse.transaction():
        for file in files:
            if file.stem not in applied:
                warehouse.execute(file.read_text(encoding="utf-8"))
                warehouse.execute("INSERT INTO migrations (name) VALUES (?)", [file.stem])
        for sql in _views():
            warehouse.execute(sql)


def _views() -> Iterator[str]:
    """SQL that creates the views, in order: `reviews`; one per stage, unless it has a file of its own (`10_themes.sql`); the macro
    `stage_errors()` with the errors of all stages (stage, role if it has one, error); the files of `views/`.
    """
    stages = sorted(file.stem for file in (WAREHOUSE / "stages").glob("*.sql"))
    first, *files = sorted((WAREHOUSE / "views").glob("*.sql"))
    handwritten = {file.stem.partition("_")[2] for file in files}
    yield first.read_text(encoding="utf-8")  # reviews, on which the views of the stages stand
    for stage in stages:
        if stage not in handwritten:
            yield f"CREATE OR REPLACE VIEW {stage} AS SELECT t.* {_current(stage)}"
    errors = (f"SELECT '{stage}' AS stage, COLUMNS('^(role|error)$') {_current(stage)}" for stage in stages)
    yield f"CREATE OR REPLACE MACRO stage_errors() AS TABLE {' UNION ALL BY NAME '.join(errors)}"
    for file in files:
        yield file.read_text(encoding="utf-8")


def _current(stage: str) -> str:
    """The rows `t` of a stage's table that hold now: of the current fingerprint and, if they are about reviews, current ones."""
    rows = f"FROM store.{stage} t JOIN store.current c ON c.stage = '{stage}' AND c.fingerprint = t.fingerprint"
    return rows if stage == "distill" else f"{rows} SEMI JOIN reviews USING (review_id)"


def open_memory() -> Warehouse:
    """A migrated warehouse in memory, for the service and for tests."""
    warehouse = Warehouse(connect(Path(":memory:")))
    migrate(warehouse)
    return warehouse


def models_path(path: Path) -> Path:
    """The folder of trained adapters beside a published warehouse."""
    return path.with_name(path.name + ".models")


def open_work(path: Path) -> Warehouse:
    """The working copy of a warehouse, for the one process that writes (`lock.writing`).

    A work file left behind by a killed run is continued; otherwise it starts as a copy of the published file.
    Raises InputError if another program holds the file, it is not a warehouse, is damaged, or a newer version wrote it.
    """
    work = work_path(path)
    left = work.exists()
    _sweep(path)
    if not left and path.exists():
        open_read_only(path).close()  # refuses a file that is not a warehouse before it is copied
        copies.copy(path, work)
    warehouse = Warehouse(connect(work), path)
    try:
        migrate(warehouse)
    except InputError as error:
        warehouse.close()
        if not left:
            discard_work(path)
            raise
        raise InputError(f"{error} Or delete {work}: nothing that was published is lost.") from error
    return warehouse


def _sweep(path: Path) -> None:
    """Removes what killed processes left beside a warehouse: half a copy, spilled rows, half a training, and the log of a working
    copy that is gone, which DuckDB would replay into the next one.
    """
    work = work_path(path)
    kept = {work.name, f"{work.name}.wal"} if work.exists() else set()
    left = [file for file in path.parent.glob(f"{glob.escape(work.name)}*") if file.name not in kept]
    left += models_path(path).glob("training-*")
    long_ago = time.time() - _LONGEST_QUERY  # readers hold no lock, and may still need theirs
    others = (
        *path.with_name(f"{path.name}.tmp").glob("duckdb_temp_*"),
        *path.parent.glob(f"{glob.escape(path.name)}.salt.*"),
    )
    left += [file for file in others if file.stat().st_mtime < long_ago]
    for file in left:
        _remove(file)


def _remove(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file, ignore_errors=True)
    else:
        file.unlink(missing_ok=True)


def salt(path: Path | None) -> bytes:
    """What the names of reviewers are hashed with: 16 random bytes of the warehouse at `path`, in a file of their own beside it, so
    that neither a query nor a copy of the warehouse gives a name away. None: of this process. Raises InputError if it is damaged.
    """
    if path is None:
        return _MEMORY_SALT
    file = path.with_name(path.name + ".salt")
    if not file.exists():
        descriptor, new = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # whole, or not at all
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(secrets.token_bytes(_SALT_BYTES))
            try:
                os.link(new, file)
            except FileExistsError:
                pass  # of a process that was faster
            except OSError:  # a file system without links
                os.replace(new, file)
        finally:
            Path(new).unlink(missing_ok=True)
    found = file.read_bytes()
    if len(found) != _SALT_BYTES:
        raise InputError(
            f"{file} is damaged: restore it from a backup. Without it, authors cannot be found again by their name; to begin "
            "with a new one, delete it."
        )
    return found


def open_read_only(path: Path) -> Warehouse:
    """The published warehouse, locked down: no writes, no files, no network, no extensions. Raises InputError if there is
    none or the file is not a warehouse.
    """
    if not path.exists():
        raise InputError(
            f"There is no warehouse at {path} yet. Make one with: review-insights run --reviews FILE --warehouse {path}"
        )
    return Warehouse(connect(path, read_only=True, config=SAFE), path, published=True)


def audit(warehouse: Warehouse) -> None:
    """Runs every query in `warehouse/audits`; each must return zero rows. Raises AuditFailed naming those that do not.

    Of reviews that the same audits have passed, those are looked at that have changed since.
    """
    audits = {file.stem: file.read_text(encoding="utf-8") for file in sorted((WAREHOUSE / "audits").glob("*.sql"))}
    version = hashlib.sha256("".join(audits.values()).encode()).hexdigest()
    broken = []
    with settled.narrowed(warehouse, _AUDITS, version):
        for name, sql in audits.items():
            if rows := warehouse.query(sql):
                broken.append(f"{name} ({len(rows)} rows, first: {rows[0]})")
    if broken:
        raise AuditFailed("The warehouse breaks its own rules, so nothing was published: " + "; ".join(broken))
    run_id = warehouse.value("SELECT run_id FROM runs WHERE status = 'running'")
    if run_id:
        settled.settle(warehouse, _AUDITS, version, run_id)


def publish(warehouse: Warehouse, tracked: bool = False) -> Path:
    """Closes the working copy, puts it in place of the published file in one step, and returns the published path. `tracked`:
    whether `store.changed` names all that has changed; else what is kept of the views is put together anew.
    """
    assert warehouse.path is not None, "an in-memory warehouse has no place to be published to"
    kept.renew(warehouse, tracked)
    warehouse.execute("CHECKPOINT")
    warehouse.close()
    copies.keep_spare(warehouse.path)
    _replace(work_path(warehouse.path), warehouse.path)
    return warehouse.path


def _replace(new: Path, path: Path) -> None:
    """Puts a finished file in place of the published one, whose log, left by a program that wrote into it, DuckDB would replay into
    the new one.
    """
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    os.replace(new, path)


def publish_afresh(warehouse: Warehouse, tracked: bool = False) -> Path:
    """Like `publish`, but in a new file, without the bytes of what was deleted: DuckDB only marks their blocks as free."""
    path = warehouse.path
    assert path is not None, "an in-memory warehouse has no place to be published to"
    kept.renew(warehouse, tracked)
    warehouse.execute("CHECKPOINT")
    warehouse.close()
    new = work_path(path).with_name(work_path(path).name + ".fresh")
    new.unlink(missing_ok=True)
    fresh = Warehouse(connect(new))
    try:
        _copy_database(work_path(path), fresh)
        migrate(fresh)
        kept.renew(fresh, tracked=True)
        fresh.execute("CHECKPOINT")
    finally:
        fresh.close()
    copies.spare(path).unlink(missing_ok=True)  # it holds what was deleted
    _replace(new, path)
    discard_work(path)
    return path


def _copy_database(source: Path, target: Warehouse) -> None:
    """Copies every table, view and macro of the database file `source` into an empty warehouse."""
    target.execute(f"ATTACH {quoted(str(source))} AS source_of_copy (READ_ONLY)")
    name = target.value("SELECT current_database()").replace('"', '""')
    target.execute(f'COPY FROM DATABASE source_of_copy TO "{name}"')
    target.execute("DETACH source_of_copy")


def discard_work(path: Path) -> None:
    """Deletes the working copy beside a published warehouse, with everything that DuckDB or a killed run left of it."""
    name = work_path(path).name
    for file in path.parent.glob(f"{glob.escape(name)}.*"):
        _remove(file)
    work_path(path).unlink(missing_ok=True)
