"""What a warehouse shows, as the JSON that a baseline holds and a check compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from pipeline.core.assets import BASELINES
from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import COMPARED, METRICS
from pipeline.quality import summary

MODELS = ("student", "teacher")  # controls are no models: they cannot regress
ROWS = 5000  # rows kept in a baseline: the first by review_id, a hash, so a random sample


class Snapshot(TypedDict):
    """What is compared, as JSON holds it: its tuples come back from a file as lists."""

    rows: dict[str, dict[str, dict[str, float]]]  # role -> metric -> review_id -> value
    computed_by: dict[str, str]  # metric -> model and settings
    judged: dict[str, tuple[str, str]]  # review_id -> (truth, guess) of the sentiment model
    shares: dict[str, dict[str, tuple[int, int]]]  # role -> what -> (how many, of how many)
    counts: dict[str, dict[str, int]]  # what -> category -> reviews
    volume: int  # reviews
    nights: list[int]  # reviews added by each run that read a source, the latest last


def record(warehouse: Warehouse, profile: str, reason: str, baselines: Path = BASELINES) -> Path:
    """Writes what the warehouse shows now as the baseline of a profile, with where it comes from and why.

    Raises InputError where no run has finished and where the file cannot be written.
    """
    run = latest_run(warehouse)
    content = {
        "profile": profile,
        "reason": reason,
        "recorded_at": now().isoformat(timespec="seconds"),
        "version": run["version"],
        "git_sha": run["git_sha"],
        "environment": json.loads(run["environment"]),
        **snapshot(warehouse, run),
    }
    path = baselines / f"{profile}.json"
    try:
        baselines.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}). Name a folder with --baselines DIR.") from error
    return path


def latest_run(warehouse: Warehouse) -> dict[str, Any]:
    """Its row of `runs`. Raises InputError where no run of the stages has finished."""
    runs = warehouse.query("SELECT * FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY started_at DESC LIMIT 1")
    if not runs:
        raise InputError(f"No finished run in {warehouse.path}. Run first: review-insights run")
    return runs[0]


def snapshot(warehouse: Warehouse, run: Mapping[str, Any]) -> Snapshot:
    """What the views show. Drift is counted among the reviews that `run`, a row of `runs`, has added."""
    scores = warehouse.query("SELECT * FROM scores WHERE role IN (?, ?) ORDER BY review_id", MODELS)
    written = warehouse.query("SELECT role, error, truncated FROM feedback WHERE role IN (?, ?)", MODELS)
    metrics = warehouse.query(
        "SELECT metric, model, settings FROM metrics WHERE run_id = ? AND model IS NOT NULL", [run["run_id"]]
    )
    nights = warehouse.query(
        "SELECT sum(added)::BIGINT AS n FROM ingests JOIN runs USING (run_id) GROUP BY run_id, started_at ORDER BY started_at"
    )
    judged = summary.judged_reviews(warehouse)[:ROWS]
    return {
        "rows": _rows(scores),
        "computed_by": {row["metric"]: f"{row['model']} ({row['settings']})" for row in metrics},
        "judged": {row["review_id"]: (row["truth"], row["guess"]) for row in judged},
        "shares": _broken(scores, written) | {"reviews": _unread(warehouse)},
        "counts": {
            "language mix": _counts(warehouse, run["run_id"], "coalesce(r.language, 'unknown')"),
            "emotions": _counts(
                warehouse, run["run_id"], "CASE WHEN e.labels IS NOT NULL THEN coalesce(e.labels[1], 'none') END"
            ),
            "sentiment": _counts(warehouse, run["run_id"], "s.label"),
        },
        "volume": warehouse.value("SELECT count(*) FROM reviews"),
        "nights": [row["n"] for row in nights],
    }


def _rows(scores: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for row in scores:
        for metric in COMPARED:
            if (value := metric.of(row)) is not None:
                values = rows.setdefault(row["role"], {}).setdefault(metric.name, {})
                if len(values) < ROWS:
                    values[row["review_id"]] = round(value, 6)
    return rows


def _broken(scores: list[dict[str, Any]], written: list[dict[str, Any]]) -> dict[str, dict[str, tuple[int, int]]]:
    """Of each role, how many texts are broken in each way; texts of which it is not known are left out."""
    shares: dict[str, dict[str, tuple[int, int]]] = {}
    for metric in METRICS:
        if metric.broken is None:
            continue
        name, limit = metric.broken
        for row in scores if metric.rows == "scores" else written:
            if (value := metric.of(row)) is not None:
                hits, n = shares.setdefault(row["role"], {}).get(name, (0, 0))
                shares[row["role"]][name] = (hits + (value > limit), n + 1)
    return shares


def _unread(warehouse: Warehouse) -> dict[str, tuple[int, int]]:
    """How many reviews could not be judged, and how many records could not be read."""
    shares = {}
    for name in ("sentiment", "emotions"):
        counted = warehouse.query(f"SELECT count(error) AS failed, count(*) AS n FROM {name}")[0]
        shares[f"{name} not judged"] = (counted["failed"], counted["n"])
    read = warehouse.query("SELECT sum(rejected)::BIGINT AS rejected, sum(rows)::BIGINT AS n FROM ingests")[0]
    return shares | {"rejected": (read["rejected"] or 0, read["n"] or 0)}


def _counts(warehouse: Warehouse, run_id: str, category: str) -> dict[str, int]:
    """Reviews per value of an SQL expression. What is new can have drifted; a night without any is compared as a whole."""
    rows = warehouse.query(
        f"""
        SELECT {category} AS name, count(*) AS n
        FROM reviews r LEFT JOIN sentiment s USING (review_id) LEFT JOIN emotions e USING (review_id)
        WHERE r.run_id = $run_id OR NOT EXISTS (SELECT 1 FROM reviews WHERE run_id = $run_id)
        GROUP BY 1 ORDER BY n DESC, 1
        """,
        {"run_id": run_id},
    )
    return {row["name"]: row["n"] for row in rows if row["name"]}
