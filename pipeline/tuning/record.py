"""Bench results in the warehouse: a row of `runs` (its `kind` says what it was) and rows of `metrics`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.core.errors import InputError
from pipeline.core.provenance import environment, git_sha, now
from pipeline.core.warehouse import audit, open_read_only, open_work, publish, work_path

Rows = Sequence[tuple[str, str, Mapping[str, Any]]]  # role, model, what figures.quality returns


def require_writable(path: Path) -> None:
    """Raises InputError before hours of work when its result could not be recorded."""
    if path.is_dir() or not path.parent.is_dir():
        raise InputError(f"--warehouse {path}: name a file in a folder that exists.")
    if work_path(path).exists():
        raise InputError(
            f"{path} has an unfinished run. Finish it with: review-insights run --warehouse {path}; "
            "or name another file with --warehouse."
        )
    if path.exists():
        open_read_only(path).close()


def metric_rows(role: str, model: str, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of `metrics` without run_id. n: rows judged; per class and per language the metric's name says which."""

    def row(metric: str, n: int, mean: float | None, **more: Any) -> dict[str, Any]:
        return {"role": role, "metric": metric, "model": model, "n": n, "mean": mean, **more}

    n = figures["n"]
    rows = [
        row("accuracy", n, figures["accuracy"], ci_low=figures["accuracy_low"], ci_high=figures["accuracy_high"]),
        row(
            "macro_f1", n, figures["macro_f1"], ci_low=figures.get("macro_f1_low"), ci_high=figures.get("macro_f1_high")
        ),
    ]
    for metric in ("macro_precision", "macro_recall", "macro_auc", "micro_f1", "ece", "rows_per_second", "parameters"):
        if figures.get(metric) is not None:
            rows.append(row(metric, n, float(figures[metric])))
    for name, item in figures["classes"].items():
        for metric in ("precision", "recall", "f1", "auc"):
            rows.append(row(f"{metric}_{name}", item["n"], item[metric]))
    for name, item in figures.get("languages", {}).items():
        for metric in ("accuracy", "macro_f1", "macro_auc", "ece"):
            rows.append(row(f"{metric}_{name}", item["n"], item[metric]))
    for name, item in figures.get("shift", {}).items():
        if item["shift"] is not None:
            rows.append(row(f"score_shift_{name}", item["n"], item["shift"], ci_low=item["low"], ci_high=item["high"]))
    return rows


def record(path: Path, kind: str, subject: str, started: datetime, seconds: Mapping[str, float], results: Rows) -> str:
    """Appends one bench run and publishes the warehouse; returns its run_id. subject: what was tuned or compared."""
    require_writable(path)
    warehouse = open_work(path)
    run_id = f"{now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    try:
        with warehouse.transaction():
            head = {"run_id": run_id, "started_at": started, "finished_at": now(), "profile": subject, "git_sha": git_sha(),
                    "version": __version__, "status": "done", "environment": json.dumps(environment()),
                    "stages": json.dumps(dict(seconds)), "kind": kind}  # fmt: skip
            warehouse.append("runs", [head])
            rows = [row for role, model, figures in results for row in metric_rows(role, model, figures)]
            warehouse.append("metrics", [{"run_id": run_id, **row} for row in rows])
        audit(warehouse)
        publish(warehouse)
    except BaseException:
        warehouse.close()
        work_path(path).unlink(missing_ok=True)  # nothing but this was in it
        raise
    return run_id
