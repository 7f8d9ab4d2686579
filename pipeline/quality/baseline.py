"""What a warehouse shows, as the JSON that a baseline holds and a check compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.core.assets import BASELINES
from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse, open_read_only
from pipeline.quality import summary

ROWS = 5000  # rows kept in a baseline: the first by review_id, a hash, so a random sample


def record(warehouse_path: Path, profile: str, reason: str, baselines: Path = BASELINES) -> Path:
    """Writes what the warehouse shows now as the baseline of a profile, with where it comes from and why."""
    warehouse = open_read_only(warehouse_path)
    try:
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
    finally:
        warehouse.close()
    path = baselines / f"{profile}.json"
    try:
        baselines.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}). Name a folder with --baselines DIR.") from error
    return path


def latest_run(warehouse: Warehouse) -> dict[str, Any]:
    runs = warehouse.query("SELECT * FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY started_at DESC LIMIT 1")
    if not runs:
        raise InputError(f"No finished run in {warehouse.path}. Run first: review-insights run")
    return runs[0]


def snapshot(warehouse: Warehouse, run: Mapping[str, Any]) -> dict[str, Any]:
    """What is compared, as JSON holds it.

    rows: role -> metric -> review_id -> value. computed_by: metric -> model and settings. judged: review_id -> (truth,
    guess). shares: role -> metric -> (how many, of how many). counts: what -> category -> reviews. volume: reviews.
    nights: reviews added by each run that read a source, the latest last.
    """
    rows: dict[str, dict[str, dict[str, float]]] = {}
    shares: dict[str, dict[str, tuple[int, int]]] = {}
    for row in warehouse.query("SELECT * FROM scores WHERE role IN ('student', 'teacher') ORDER BY review_id"):
        for metric in summary.TEXT_METRICS:
            values = rows.setdefault(row["role"], {}).setdefault(metric, {})
            if row[metric] is not None and len(values) < ROWS:
                values[row["review_id"]] = round(row[metric], 6)
        for metric in ("unfinished", "wrong_language"):
            if row[metric] is not None:
                _count(shares, row["role"], metric, row[metric])
        _count(shares, row["role"], "repetitive", (row["repetition"] or 0) > 0.2)
    for row in warehouse.query(
        "SELECT role, error IS NOT NULL AS failed, coalesce(truncated, false) AS truncated FROM feedback "
        "WHERE role IN ('student', 'teacher')"
    ):
        _count(shares, row["role"], "failed", row["failed"])
        _count(shares, row["role"], "truncated", row["truncated"])
    for name in ("sentiment", "emotions"):
        sql = f"SELECT count(*) AS n, count(error) AS failed FROM {name}"
        counted = warehouse.query(sql)[0]
        shares.setdefault("reviews", {})[f"{name} not judged"] = (counted["failed"], counted["n"])
    read = warehouse.query("SELECT sum(rejected)::BIGINT AS rejected, sum(rows)::BIGINT AS n FROM ingests")[0]
    shares.setdefault("reviews", {})["rejected"] = (read["rejected"] or 0, read["n"] or 0)
    # What is new is what can have drifted; a night without anything new is compared as a whole.
    new = warehouse.value("SELECT count(*) FROM reviews WHERE run_id = ?", [run["run_id"]])
    window = "WHERE r.run_id = $run_id" if new else "WHERE $run_id IS NOT NULL"

    def counts(category: str) -> dict[str, int]:
        sql = f"""SELECT {category} AS name, count(*) AS n FROM reviews r LEFT JOIN sentiment s USING (review_id)
                  LEFT JOIN emotions e USING (review_id) {window} GROUP BY 1 ORDER BY n DESC, 1"""
        return {row["name"]: row["n"] for row in warehouse.query(sql, {"run_id": run["run_id"]}) if row["name"]}

    nights = warehouse.query(
        "SELECT sum(added)::BIGINT AS n FROM ingests JOIN runs USING (run_id) GROUP BY run_id, started_at ORDER BY started_at"
    )
    metrics = warehouse.query("SELECT metric, model, settings FROM metrics WHERE run_id = ? AND model IS NOT NULL", [run["run_id"]])  # fmt: skip
    return {
        "rows": {role: {name: values for name, values in by.items() if values} for role, by in rows.items()},
        "computed_by": {row["metric"]: f"{row['model']} ({row['settings']})" for row in metrics},
        "judged": {row["review_id"]: (row["truth"], row["guess"]) for row in summary.judged_reviews(warehouse)[:ROWS]},
        "shares": shares,
        "counts": {
            "language mix": counts("coalesce(r.language, 'unknown')"),
            "emotions": counts("CASE WHEN e.labels IS NOT NULL THEN coalesce(e.labels[1], 'none') END"),
            "sentiment": counts("s.label"),
        },
        "volume": warehouse.value("SELECT count(*) FROM reviews"),
        "nights": [row["n"] for row in nights],
    }


def _count(shares: dict[str, dict[str, tuple[int, int]]], role: str, metric: str, hit: bool) -> None:
    counted, n = shares.setdefault(role, {}).get(metric, (0, 0))
    shares[role][metric] = (counted + bool(hit), n + 1)


Snapshot = Mapping[str, Any]  # see `snapshot`
