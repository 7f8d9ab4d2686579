"""The report: one self-contained HTML page, Markdown, Parquet and CSV in a dated folder that appears in one step.

Every number comes from a named query in `warehouse/queries/`. The same warehouse gives the same bytes.
"""

from __future__ import annotations

import csv
import functools
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from pipeline import charts, votes
from pipeline.assets import PACKAGE
from pipeline.stage import now
from pipeline.warehouse import Warehouse, open_read_only, sql_file

if TYPE_CHECKING:
    from pipeline.run import RunResult

METRICS = {
    "bleurt": "BLEURT",
    "bertscore_f1": "BERTScore F1",
    "meteor": "METEOR",
    "grounding": "Grounding (reciprocal rank)",
    "grounding_r1": "Grounding (found first of 100)",
    "judge": "Judge (prefers it to the teacher's)",
}
SIGNALS = {
    "prompt_echo": "prompt echoed",
    "copied_share": "copied",
    "repetition": "repeated",
    "length_ratio": "length",
    "unfinished": "unfinished",
    "truncated": "cut by token limit",
    "wrong_language": "wrong language",
    "failed": "failed",
    "bleurt_cut": "not read to the end by BLEURT",
    "bertscore_cut": "by BERTScore",
}
ROLES = {
    "teacher": "teacher",
    "student": "tuned student",
    "student_base": "base student",
    "control_constant": "control: one constant text",
    "control_nearest": "control: nearest review's text",
    "control_shuffled": "control: shuffled texts",
}


def write(warehouse_path: Path, out: Path, day: date | None = None) -> Path:
    """Writes `out/YYYY-MM-DD/` from the published warehouse, replacing an older one of that date, and returns it."""
    warehouse = open_read_only(warehouse_path)
    try:
        content = gather(warehouse)
        rows = warehouse.query("SELECT * FROM insights ORDER BY reviewed_at DESC NULLS LAST, review_id")
        names = warehouse.columns("SELECT * FROM insights")
    finally:
        warehouse.close()
    out.mkdir(parents=True, exist_ok=True)
    folder = out / (day or now().date()).isoformat()
    scratch = Path(tempfile.mkdtemp(prefix=".report-", dir=out))
    try:
        (scratch / "report.html").write_text(template("report.html.jinja").render(content), encoding="utf-8")
        (scratch / "report.md").write_text(template("report.md.jinja").render(content), encoding="utf-8")
        _write_csv(scratch / "insights.csv", names, rows)
        _write_parquet(scratch / "insights.parquet", names, rows)
        scratch.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def gather(warehouse: Warehouse) -> dict[str, Any]:
    """Everything the templates show, from the named queries."""

    def named(name: str) -> list[dict[str, Any]]:
        return warehouse.query(sql_file("queries", f"{name}.sql"))

    scores = warehouse.query("SELECT * FROM scores ORDER BY role, review_id")
    made = named("made_by")
    return {
        "headline": named("headline")[0],
        "ingested": named("ingested")[0],
        "pains": pain_points(warehouse),
        "businesses": named("businesses"),
        "months": named("months"),
        "languages": named("languages"),
        "emotions": named("emotions"),
        "sentiments": named("sentiments"),
        "metrics": named("latest_metrics"),
        "signals": named("text_signals"),
        "verdict": verdict(warehouse),
        "rejected": named("rejected"),
        "errors": named("errors"),
        "made": made[0] if made else None,
        "fingerprints": [row for row in made if row["stage"]],
        "charts": _charts(named("sentiments"), named("emotions"), scores),
        "metric_names": METRICS,
        "signal_names": SIGNALS,
        "role_names": ROLES,
        "votes": votes.summary(warehouse.path),
    }


def pain_points(warehouse: Warehouse) -> list[dict[str, Any]]:
    """What hurts most: theme, mentions, share of all reviews, two quotes that prove it, three suggestions."""
    quotes, suggestions, pains = (
        warehouse.query(sql_file("queries", f"{name}.sql")) for name in ("quotes", "suggestions", "pain_points")
    )
    return [
        row
        | {
            "quotes": [quote for quote in quotes if quote["theme"] == row["theme"]][:2],
            "suggestions": [item["suggestion"] for item in suggestions if item["theme"] == row["theme"]][:3],
        }
        for row in pains
    ]


def page(warehouse: Warehouse) -> str:
    """The HTML report of an open warehouse."""
    return template("report.html.jinja").render(gather(warehouse))


def verdict(warehouse: Warehouse) -> list[str]:
    """In words: whether the tuned student beats the base and each control, on METEOR and grounding at once."""
    lines = []
    for row in warehouse.query("SELECT * FROM student_verdict ORDER BY role"):
        numbers = ", ".join(
            f"{name} {row[f'student_{metric}']:.3f} against {row[f'other_{metric}']:.3f} ({_interval(row, metric)})"
            for name, metric in (("METEOR", "meteor"), ("grounding", "grounding"))
        )
        numbers += f", {row['n']} test reviews"
        says = "beats" if row["beaten"] else "is as good as" if row["passed"] else "does not beat"
        lines.append(f"The tuned student {says} the {ROLES[row['role']]}: {numbers}.")
    return lines


def _interval(row: Mapping[str, Any], metric: str) -> str:
    """Of the paired difference; one review alone has none."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return "difference unknown" if low is None else f"difference {low:+.3f} to {high:+.3f}"


def _charts(sentiments: list[dict], emotions: list[dict], scores: list[dict]) -> dict[str, str]:
    def column(role: str, metric: str) -> list[float]:
        return [row[metric] for row in scores if row["role"] == role and row[metric] is not None]

    points = [
        (row["bertscore_f1"], row["bleurt"], row["meteor"])
        for row in scores
        if row["role"] == "student" and None not in (row["bertscore_f1"], row["bleurt"], row["meteor"])
    ]
    result = {
        "sentiment": charts.bars("Reviews by sentiment", [(row["name"], row["n"]) for row in sentiments]),
        "emotions": charts.bars("Reviews by emotion", [(row["name"], row["n"]) for row in emotions]),
        "alignment": charts.scatter(
            "BLEURT against BERTScore of the tuned student, coloured by METEOR",
            points,
            "BERTScore F1",
            "BLEURT",
            "METEOR",
        ),
    }
    for metric in ("bleurt", "bertscore_f1", "meteor", "grounding"):
        series = [(name.removeprefix("control: "), column(role, metric)) for role, name in ROLES.items()]
        result[metric] = charts.histograms(f"{METRICS[metric]} per text", [item for item in series if item[1]])
    return result


@functools.cache
def template(name: str) -> jinja2.Template:
    """A file of pipeline/templates, with the filters percent, number, words and cell; HTML is escaped."""
    return environment(PACKAGE / "templates").get_template(name)


def environment(folder: Path) -> jinja2.Environment:
    """Templates that escape everything in HTML and stumble over a name they do not know."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=lambda template: bool(template and ".html" in template),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.0f} %"
    environment.filters["number"] = lambda value, digits=2: "–" if value is None else f"{value:.{digits}f}"
    environment.filters["words"] = lambda name: name.replace("_", " ")
    environment.filters["cell"] = lambda text: " ".join(str(text).replace("|", "\\|").split())
    return environment


def neutralise(value: Any) -> Any:
    """A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _write_csv(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for row in rows:
            cells = ["; ".join(value) if isinstance(value, list) else value for value in row.values()]
            writer.writerow([neutralise(cell) for cell in cells])


def _write_parquet(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = pa.list_(pa.string())
    kinds = {
        "reviewed_at": pa.timestamp("us"), "stars": pa.float64(), "sentiment_score": pa.float32(),
        "emotions": lists, "themes": lists, "suggestions": lists,
    }  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


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
    themes = [f"{row['theme'].replace('_', ' ')} {row['mentions']}" for row in content["pains"][:5]]
    table = [
        ["reviews in", f"{counts['rows']}: {counts['accepted']} accepted, {counts['rejected']} rejected, {counts['duplicates']} duplicates"],
        ["negative", "nothing judged" if share is None else f"{share:.0%} of the {headline['judged']} that could be judged"],
        ["top emotions", ", ".join(emotions) or "none"],
        ["top complaints", ", ".join(themes) or "none"],
    ]  # fmt: skip
    for role, name in ROLES.items():
        if role in scores:
            values = [
                f"{METRICS[m].split(' (')[0]} {scores[role][m]:.3f}"
                for m in METRICS
                if m in scores[role] and m != "grounding_r1"
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
