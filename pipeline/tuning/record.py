"""Results of `finetune`, `compare` and `retrain` in the warehouse: a row of `runs` (with its `kind`), and rows of `metrics` or one of `models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.core import ledger
from pipeline.core.errors import InputError
from pipeline.core.lock import require_place, writing
from pipeline.core.provenance import new_run_id, now
from pipeline.core.warehouse import audit, open_read_only, open_work, publish, work_path

WAIT = 600  # seconds for a run to end: what is recorded took longer to make
Results = Sequence[tuple[str, str, Mapping[str, Any]]]  # role, model, what figures.quality returns


def require_writable(path: Path) -> None:
    """Raises InputError, before hours of work, if the result could not be recorded in this warehouse."""
    require_place(path)
    if work_path(path).exists():
        raise InputError(
            f"{path} has an unfinished run. Finish it with: review-insights run --warehouse {path}, with the same "
            "--reviews as before; or name another file with --warehouse."
        )
    if path.exists():
        open_read_only(path).close()


def metric_rows(role: str, model: str, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of `metrics` without run_id. `n`: test rows; names of metrics end in the class or language they are for."""

    def row(
        metric: str, n: int, mean: float | None, low: float | None = None, high: float | None = None
    ) -> dict[str, Any]:
        return {"role": role, "metric": metric, "model": model, "n": n, "mean": mean, "ci_low": low, "ci_high": high}

    n = figures["n"]
    rows = [
        row("accuracy", n, figures["accuracy"], figures["accuracy_low"], figures["accuracy_high"]),
        row("macro_f1", n, figures["macro_f1"], figures.get("macro_f1_low"), figures.get("macro_f1_high")),
    ]
    for metric in ("macro_precision", "macro_recall", "macro_auc", "micro_f1", "ece", "rows_per_second", "parameters"):
        if figures.get(metric) is not None:
            rows.append(row(metric, n, float(figures[metric])))
    for name, item in figures["classes"].items():
        rows += [row(f"{metric}_{name}", item["n"], item[metric]) for metric in ("precision", "recall", "f1", "auc")]
    for name, item in figures.get("languages", {}).items():
        metrics = ("accuracy", "macro_f1", "macro_auc", "ece")
        rows += [row(f"{metric}_{name}", item["n"], item[metric]) for metric in metrics]
    for name, item in figures.get("shift", {}).items():
        if item["shift"] is not None:
            rows.append(row(f"score_shift_{name}", item["n"], item["shift"], item["low"], item["high"]))
    return rows


def publish_results(
    path: Path,
    kind: str,
    subject: str,
    started: datetime,
    seconds: Mapping[str, float],
    results: Results = (),
    decision: Mapping[str, Any] | None = None,
) -> str:
    """Appends one run and publishes the warehouse; returns its run_id. `subject`: what was tuned or compared; `decision`: a row
    of `models` without its run_id.
    """
    run_id = new_run_id()
    entry = ledger.row(run_id, subject, started, kind=kind, status="done", seconds=seconds, finished_at=now())
    metrics = [row for role, model, figures in results for row in metric_rows(role, model, figures)]
    with writing(path, wait=WAIT):
        require_writable(path)
        warehouse = open_work(path)
        try:
            with warehouse.transaction():
                ledger.enter(warehouse, entry)
                warehouse.append("metrics", [{"run_id": run_id, **row} for row in metrics])
                warehouse.append("models", [{"run_id": run_id, **decision}] if decision else [])
            audit(warehouse)
            publish(warehouse, tracked=True)
        except BaseException:
            warehouse.close()
            work_path(path).unlink(missing_ok=True)  # it held nothing else
            raise
    return run_id
