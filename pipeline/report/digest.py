"""What a run tells at its end: numbers for machines, and the same in words for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.warehouse import open_read_only
from pipeline.metrics.table import COMPARED, ROLES
from pipeline.report.content import gather

if TYPE_CHECKING:
    from pipeline.run import RunResult


def facts(result: RunResult, folder: Path | None) -> dict[str, Any]:
    """What `run` tells at its end: numbers for machines, and under "table" the same in words for people."""
    warehouse = open_read_only(result.warehouse)
    try:
        content = gather(warehouse)
    finally:
        warehouse.close()
    headline, ingested = content["headline"], content["ingested"]
    counts = {name: ingested[name] or 0 for name in ("rows", "accepted", "rejected", "duplicates")}
    share = headline["negative"] / headline["judged"] if headline["judged"] else None
    scores: dict[str, dict[str, float]] = {}
    for row in content["metrics"]:
        scores.setdefault(row["role"], {})[row["metric"]] = round(row["mean"], 4)
    emotions = [f"{row['name']} {row['n']}" for row in content["emotions"][:5]]
    hurts = [f"{row['theme'].replace('_', ' ')} {row['mentions']}" for row in content["pains"][:5]]
    table = [
        ["reviews in", f"{counts['rows']}: {counts['accepted']} accepted, {counts['rejected']} rejected, {counts['duplicates']} duplicates"],
        ["negative", "nothing judged" if share is None else f"{share:.0%} of the {headline['judged']} that could be judged"],
        ["top emotions", ", ".join(emotions) or "none"],
        ["top complaints", ", ".join(hurts) or "none"],
    ]  # fmt: skip
    for role, name in ROLES.items():
        if role in scores:
            values = [
                f"{metric.title.split(' (')[0]} {scores[role][metric.name]:.3f}"
                for metric in COMPARED
                if metric.name in scores[role]
            ]
            table.append([name, ", ".join(values)])
    table += [["verdict", line] for line in content["verdict"] if "does not beat" in line] or (
        [["verdict", "the tuned student beats every control: its text is shown"]] if content["verdict"] else []
    )
    table.append(["this run", f"{result.rows_written} rows written in {sum(result.seconds.values()):.0f} s"])
    files = {"report": str(folder / "report.html")} if folder else {}
    return {
        "run_id": result.run_id,
        "rows_written": result.rows_written,
        "reviews": headline["reviews"],
        **counts,
        "negative_share": share,
        "top_emotions": [row["name"] for row in content["emotions"]],
        "top_themes": [row["theme"] for row in content["pains"]],
        "scores": scores,
        "verdict": content["verdict"],
        "seconds": result.seconds,
        "stages": {stage.name: {"written": stage.written, "failed": stage.failed} for stage in result.stages},
        "table": table,
        "files": files | {"warehouse": str(result.warehouse)},
    }
