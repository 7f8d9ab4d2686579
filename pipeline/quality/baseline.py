"""What a warehouse shows, as the JSON that a baseline holds and a check compares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from pipeline.core.assets import BASELINES, SAMPLE
from pipeline.core.errors import InputError
from pipeline.core.provenance import now
from pipeline.core.warehouse import Warehouse
from pipeline.ingest.sources import content_hash
from pipeline.metrics.table import COMPARED, METRICS
from pipeline.quality import summary

MODELS = ("student", "teacher")  # controls are not models: they cannot regress
ROWS = 5000  # kept in a baseline: the first by review_id, a hash, so a random sample


class Snapshot(TypedDict):
    """The figures that are compared, as stored in JSON: read back from a file, the tuples are lists."""

    rows: dict[str, dict[str, dict[str, float]]]  # role -> metric -> review_id -> value
    computed_by: dict[str, str]  # metric -> model and settings
    judged: dict[str, tuple[str, str]]  # review_id -> (truth, guess) of the sentiment model
    shares: dict[str, dict[str, tuple[int, int]]]  # role -> name -> (how many, of how many)
    counts: dict[str, dict[str, int]]  # name -> category -> reviews
    volume: int  # reviews
    nights: list[int]  # reviews added by each run that read a source, the latest last


def folder_of(warehouse: Warehouse) -> Path:
    """Where baselines are kept unless a folder is named: those that are shipped for the bundled sample, which other
    reviews cannot be compared with; for those a folder beside the warehouse.
    """
    if warehouse.path is None:
        return BASELINES
    others = warehouse.value("SELECT count(*) FROM sources WHERE content_hash <> ?", [content_hash(str(SAMPLE))])
    if not others:
        return BASELINES
    return warehouse.path.with_name(f"{warehouse.path.name}.baselines")


def record(warehouse: Warehouse, profile: str, reason: str, baselines: Path | None = None) -> Path:
    """Writes what the warehouse shows now as the baseline of a profile, with its provenance and the reason; returns the file.

    `baselines`: the folder, by default `folder_of`. Raises InputError if no run has finished or the file cannot be written.
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
    folder = baselines or folder_of(warehouse)
    path = folder / f"{profile}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}). Name a folder with --baselines DIR.") from error
    return path


def record_first(warehouse: Warehouse, profile: str) -> Path | None:
    """Records the latest run as the first baseline of these reviews and returns its file. None where there is one already,
    and for the sample, whose baselines are shipped.
    """
    folder = folder_of(warehouse)
    if folder == BASELINES or (folder / f"{profile}.json").is_file():
        return None
    return record(warehouse, profile, "the first check of these reviews")


def latest_run(warehouse: Warehouse) -> dict[str, Any]:
    """The row of `runs` of the latest finished run. Raises InputError if no run of the stages has finished."""
    runs = warehouse.query(
        "SELECT * FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1"
    )
    if not runs:
        raise InputError(f"No finished run in {warehouse.path}. Run first: review-insights run")
    return runs[0]


def snapshot(warehouse: Warehouse, run: Mapping[str, Any]) -> Snapshot:
    """What the views show. Drift is measured on the reviews that `run`, a row of `runs`, has added."""
    scores = warehouse.query("SELECT * FROM scores WHERE role IN (?, ?) ORDER BY review_id", MODELS)
    written = warehouse.query("SELECT role, error, truncated FROM feedback WHERE role IN (?, ?)", MODELS)
    metrics = warehouse.query(
        "SELECT metric, model, settings FROM metrics WHERE run_id = ? AND model IS NOT NULL", [run["run_id"]]
    )
    nights = warehouse.query(
        "SELECT sum(added)::BIGINT AS n FROM store.sources JOIN runs USING (run_id) GROUP BY run_id, number, started_at ORDER BY number NULLS FIRST, started_at"
    )
    judged = summary.judged_reviews(warehouse, ROWS)
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
    """Per role, how many texts are broken in each way; texts for which that is unknown are left out."""
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
    """How many reviews could not be judged, and how many records were rejected."""
    shares = {}
    for name in ("sentiment", "emotions"):
        counts = warehouse.query(f"SELECT count(error) AS failed, count(*) AS n FROM {name}")[0]
        shares[f"{name} not judged"] = (counts["failed"], counts["n"])
    records = warehouse.query("SELECT sum(rejected)::BIGINT AS rejected, sum(rows)::BIGINT AS n FROM sources")[0]
    return shares | {"rejected": (records["rejected"] or 0, records["n"] or 0)}


def _counts(warehouse: Warehouse, run_id: str, category: str) -> dict[str, int]:
    """Reviews per value of an SQL expression: only new ones, which may have drifted; all, if the run added none."""
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
