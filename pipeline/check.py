"""Metric regression check: what the warehouse shows now against the recorded baseline of its profile.

A figure has regressed when it moved in the bad direction by more than its tolerance and by more than chance allows:
paired where baseline and warehouse hold the same reviews, otherwise unpaired (`pipeline.metrics.change`). The chance
of any false alarm in a whole check is ALARM, shared out among the families below and evenly inside each (Bonferroni).
A figure that a baseline has and the warehouse lacks, or that another model computed, has regressed too: a yardstick
that changed in silence checks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from pipeline import summary
from pipeline.assets import BASELINES
from pipeline.errors import InputError
from pipeline.metrics import change
from pipeline.metrics.change import Change
from pipeline.stage import now
from pipeline.warehouse import Warehouse, open_read_only

ALARM = 0.05  # chance of any false alarm in a whole check
FAMILIES = {"quality": 0.5, "health": 0.1, "drift": 0.1}  # of ALARM; the rest is for what the bounds approximate
ROWS = 5000  # rows kept in a baseline: the first by review_id, a hash, so a random sample
WORST = 5
MODELS = ("student", "teacher")  # controls are no models: they cannot regress

# How far a figure may move before anybody should care.
TOLERANCE = {"bleurt": 0.01, "bertscore_f1": 0.003, "meteor": 0.005, "grounding": 0.02, "judge": 0.05, "macro_f1": 0.01}
HEALTH_TOLERANCE = 0.02  # of a share of failures
DRIFT_TOLERANCE = {"language mix": 0.1, "emotions": 0.1, "negative share": 0.05}
VOLUME_TOLERANCE = 0.2  # of the reviews there were
NIGHTS = 3  # earlier nights with new reviews, before a thin night means anything

ADVICE = {
    "student": "look at the five reviews; if the reviews have changed, train a new round: rounds in [distill], then run",
    "teacher": "look at the five reviews; has the teacher, its prompt or the playbook changed?",
    "classifier": "look at the five reviews; a classifier tuned on your own labelled reviews mends it: finetune",
    "reviews": "is this the source you meant? If your reviews have changed for good, record a new baseline",
}


@dataclass(frozen=True)
class Row:
    """A review whose value fell furthest."""

    review_id: str
    before: float | None
    after: float
    text: str


@dataclass(frozen=True)
class Finding:
    family: str
    role: str
    metric: str
    how: str  # on which rows it was compared, or why it was not
    before: float | None
    after: float | None
    bound: float | None  # how far it may move in the bad direction
    regressed: bool
    worst: tuple[Row, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.role} {self.metric}"

    def as_text(self) -> str:
        if self.before is None or self.after is None or self.bound is None:
            return f"{self.name}: {self.how}"
        return (
            f"{self.name}: {self.before:.4f} -> {self.after:.4f} ({self.after - self.before:+.4f}, "
            f"allowed {self.bound:.4f}, {self.how})"
        )


@dataclass(frozen=True)
class Verdict:
    profile: str
    run_id: str
    recorded_at: str
    reason: str
    findings: tuple[Finding, ...]

    @property
    def regressions(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.regressed)

    @property
    def passed(self) -> bool:
        return not self.regressions

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed}

    def as_text(self) -> str:
        worse = self.regressions
        lines = [
            f"run {self.run_id} against the baseline of profile {self.profile} ({self.recorded_at}, {self.reason}): "
            f"{len(self.findings)} figures, " + (f"{len(worse)} regressed" if worse else "no regression")
        ]
        for finding in worse:
            lines += [f"  {finding.as_text()}", f"    {ADVICE[finding.role]}"]
            for row in finding.worst:
                before = "" if row.before is None else f"{row.before:.3f} -> "
                lines.append(f"    {row.review_id}  {before}{row.after:.3f}  {row.text}")
        return "\n".join(lines)

    def as_junit(self) -> str:
        """For CI servers: one test case per figure."""
        from xml.etree import ElementTree

        attributes = {"name": f"check {self.profile}", "tests": str(len(self.findings)), "failures": str(len(self.regressions))}  # fmt: skip
        suite = ElementTree.Element("testsuite", attributes)
        for finding in self.findings:
            case = ElementTree.SubElement(suite, "testcase", classname=finding.role, name=finding.metric)
            if finding.regressed:
                rows = "\n".join(f"{row.review_id} {row.before} -> {row.after} {row.text}" for row in finding.worst)
                failure = ElementTree.SubElement(case, "failure", message=finding.as_text())
                failure.text = "".join(char for char in rows if char.isprintable() or char == "\n")
        ElementTree.indent(suite)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def record(warehouse_path: Path, profile: str, reason: str, baselines: Path = BASELINES) -> Path:
    """Writes what the warehouse shows now as the baseline of a profile, with where it comes from and why."""
    warehouse = open_read_only(warehouse_path)
    try:
        run = _latest(warehouse)
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


def check(warehouse_path: Path, profile: str, baselines: Path = BASELINES) -> Verdict:
    """Compares the warehouse with the baseline. Raises InputError when either is missing."""
    warehouse = open_read_only(warehouse_path)
    try:
        run = _latest(warehouse)
        path = baselines / f"{profile}.json"
        if not path.is_file():
            raise InputError(f"No baseline for profile {profile}. Record one: review-insights check --record REASON")
        baseline = json.loads(path.read_text(encoding="utf-8"))
        if "rows" not in baseline:
            raise InputError(
                f"{path} was recorded by an older version. Record anew: review-insights check --record REASON"
            )
        findings = compare(baseline, snapshot(warehouse, run))
        return Verdict(
            profile, run["run_id"], baseline["recorded_at"][:10], baseline["reason"],
            tuple(_with_text(finding, warehouse) for finding in findings),
        )  # fmt: skip
    finally:
        warehouse.close()


def verdict_if_recorded(warehouse_path: Path, profile: str, baselines: Path | None = None) -> Verdict | None:
    """The check's verdict, or None where no baseline of that profile was recorded yet or no run has finished."""
    folder = baselines or BASELINES
    if not (folder / f"{profile}.json").is_file():
        return None
    warehouse = open_read_only(warehouse_path)
    try:
        finished = warehouse.value("SELECT count(*) FROM runs WHERE status = 'done'")
    finally:
        warehouse.close()
    return check(warehouse_path, profile, folder) if finished else None


def _latest(warehouse: Warehouse) -> dict[str, Any]:
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


def compare(baseline: Snapshot, current: Snapshot) -> list[Finding]:
    """Every figure of the baseline against the same figure now, the regressions first."""
    wanted = [("quality", role, metric) for role in MODELS for metric in baseline["rows"].get(role, {})]
    wanted += [("quality", "classifier", "macro_f1")] if baseline["judged"] else []
    wanted += [("health", role, name) for role, by in baseline["shares"].items() for name, (_, n) in by.items() if n]
    wanted += [("drift", "reviews", name) for name in (*DRIFT_TOLERANCE, "volume", "new reviews")]
    judges = {"quality": _quality, "health": _health, "drift": _drift}
    findings = []
    for family, role, metric in wanted:
        alpha = ALARM * FAMILIES[family] / sum(item[0] == family for item in wanted)
        empty = Finding(family, role, metric, "", None, None, None, regressed=False)
        findings.append(judges[family](empty, baseline, current, alpha))
    return sorted((finding for finding in findings if finding), key=lambda finding: not finding.regressed)


def _quality(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding:
    metric = finding.metric
    if metric == "macro_f1":
        judged = [{key: (pair[0], pair[1]) for key, pair in side["judged"].items()} for side in (baseline, current)]
        if not judged[1]:
            return replace(finding, how="missing now: no judged review has stars or a label", regressed=True)
        before, after = ({key: float(pair[0] == pair[1]) for key, pair in side.items()} for side in judged)
        moved = change.macro_f1(judged[0], judged[1], alpha)
    else:
        before, after = (side["rows"].get(finding.role, {}).get(metric, {}) for side in (baseline, current))
        if not after:
            return replace(finding, how="missing now", regressed=True)
        then, today = (side["computed_by"].get(metric) for side in (baseline, current))
        if then != today:
            how = f"cannot be compared: computed by {today}, in the baseline by {then}"
            return replace(finding, how=how, regressed=True)
        moved = change.mean(before, after, alpha)
    return replace(_judge(finding, moved, TOLERANCE[metric], worse=-1), worst=_worst(before, after))


def _health(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding:
    before, after = (
        tuple(side["shares"].get(finding.role, {}).get(finding.metric, (0, 0))) for side in (baseline, current)
    )
    if not after[1]:
        return replace(finding, how="missing now", regressed=True)
    return _judge(finding, change.share(before, after, alpha), HEALTH_TOLERANCE, worse=1)


def _judge(finding: Finding, moved: Change, tolerance: float, worse: int) -> Finding:
    """`worse`: the sign of a change for the worse; 0 when either is."""
    bound = max(tolerance, moved.noise)
    harm = abs(moved.moved) if worse == 0 else worse * moved.moved
    how = f"same {moved.n} rows" if moved.paired else f"{moved.n_before} rows then, {moved.n} now"
    return replace(finding, how=how, before=moved.before, after=moved.after, bound=bound, regressed=harm > bound)


def _drift(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding | None:
    metric = finding.metric
    if metric == "negative share":
        sides = [side["counts"]["sentiment"] for side in (baseline, current)]
        before, after = ((side.get("negative", 0), sum(side.values())) for side in sides)
        if not before[1] or not after[1]:
            return None
        return _judge(finding, change.share(before, after, alpha / 2), DRIFT_TOLERANCE[metric], worse=0)
    if metric == "volume":
        return _volume(finding, baseline["volume"], current["volume"], alpha)
    if metric == "new reviews":
        *earlier, latest = current["nights"] or [0]
        earlier = [n for n in earlier if n]
        if len(earlier) < NIGHTS:
            return None
        return _volume(finding, median(earlier), latest, alpha, tolerance=0.5)
    before, after = (side["counts"][metric] for side in (baseline, current))
    if not before or not after:
        return None
    return _judge(finding, change.stability(before, after, alpha), DRIFT_TOLERANCE[metric], worse=1)


def _volume(
    finding: Finding, before: float, after: float, alpha: float, tolerance: float = VOLUME_TOLERANCE
) -> Finding:
    """Counts of independent reviews vary by their square root (Poisson)."""
    noise = change.t_quantile(1 - alpha, 1e9) * (before + after) ** 0.5
    moved = Change(float(before), float(after), noise, int(before), int(after), paired=False)
    return replace(_judge(finding, moved, tolerance * before, worse=-1), how="reviews")


def _worst(before: Mapping[str, float], after: Mapping[str, float]) -> tuple[Row, ...]:
    """The rows that fell furthest; without shared rows those that are lowest now."""
    shared = before.keys() & after.keys()
    fallen = sorted(shared or after.keys(), key=lambda key: (after[key] - before.get(key, 0.0), key))
    return tuple(Row(key, before.get(key), after[key], "") for key in fallen[:WORST])


def _with_text(finding: Finding, warehouse: Warehouse) -> Finding:
    """Rows of a regression with the opening of their review; other findings need no rows."""

    def texts() -> Iterator[Row]:
        for row in finding.worst:
            text = warehouse.value("SELECT text FROM reviews WHERE review_id = ?", [row.review_id]) or ""
            yield replace(row, text=" ".join(text.split())[:80])

    return replace(finding, worst=tuple(texts()) if finding.regressed else ())
