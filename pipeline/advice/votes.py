"""What people think of the advice: thumbs up and down, in a small SQLite file beside the warehouse.

SQLite, because the service writes while a nightly run reads: a DuckDB file that is open for writing locks out every
other process. A file of its own, because publishing replaces the warehouse.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.core.provenance import now
from pipeline.core.warehouse import salt, sql_file

LONGEST = 2000  # characters of a suggestion that can be voted on


def votes_path(warehouse: Path) -> Path:
    """The file of votes beside a warehouse."""
    return warehouse.with_name(warehouse.name + ".votes")


def ballot(warehouse: Path | None, review_id: str, model: str, suggestion: str) -> str:
    """What proves to `record`'s callers that the suggestion was made for this review, 32 hex digits: nobody else can make one."""
    said = json.dumps([review_id, model, suggestion[:LONGEST]])
    return hmac.new(salt(warehouse), f"ballot {said}".encode(), "sha256").hexdigest()[:32]


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=10)
    try:
        with connection:  # commits, or rolls back
            connection.row_factory = sqlite3.Row
            connection.executescript(sql_file("votes", "schema.sql"))
            yield connection
    finally:
        connection.close()


def record(warehouse: Path, review_id: str, suggestion: str, model: str, vote: int, voter: str) -> None:
    """Stores one vote: 1 up, -1 down, 0 withdraws it. A voter's latest vote on a suggestion counts."""
    with _open(votes_path(warehouse)) as connection:
        if vote == 0:
            connection.execute(
                "DELETE FROM votes WHERE review_id = ? AND suggestion = ? AND voter = ?", [review_id, suggestion, voter]
            )
        else:
            connection.execute(
                "INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?, ?)",
                [review_id, suggestion, model, vote, voter, now().isoformat(timespec="seconds")],
            )


def summary(warehouse: Path | None) -> dict[str, list[dict[str, Any]]]:
    """`by_model` (model, up, down, reviews) and `worst` (suggestion, up, down); both empty if nobody has voted. Votes that
    cannot be read must not cost a report: then `damaged` names the file.
    """
    nothing: dict[str, list[dict[str, Any]]] = {"by_model": [], "worst": [], "damaged": []}
    if warehouse is None or not votes_path(warehouse).is_file():
        return nothing
    try:
        with _open(votes_path(warehouse)) as connection:
            return nothing | {
                name: [dict(row) for row in connection.execute(sql_file("votes", f"{name}.sql"))]
                for name in ("by_model", "worst")
            }
    except sqlite3.DatabaseError as error:
        return nothing | {"damaged": [{"file": votes_path(warehouse).name, "why": str(error)}]}


def forget(warehouse: Path, review_ids: Iterable[str], remove: bool) -> int:
    """How many votes there are on the advice for these reviews. `remove`: deletes them, their bytes too."""
    if not votes_path(warehouse).is_file():
        return 0
    ids = [(review_id,) for review_id in review_ids]
    with _open(votes_path(warehouse)) as connection:
        held = sum(connection.execute(sql_file("votes", "of_review.sql"), one).fetchone()[0] for one in ids)
        if remove:
            connection.execute("PRAGMA secure_delete = ON")
            connection.executemany(sql_file("votes", "forget.sql"), ids)
    return held
