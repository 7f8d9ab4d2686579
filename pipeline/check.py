"""Metric regression check: the latest run against the recorded baseline of its profile.

A metric has regressed when it moved in the bad direction by more than its tolerance and by more than chance allows.
Chance: the difference of two means in units of its standard error, against a bound that is wide enough for all the
metrics looked at together (Bonferroni at 5 %). Shares that describe the reviews themselves have no bad direction:
either way is drift.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

from pipeline.assets import BASELINES
from pipeline.errors import InputError
from pipeline.stage import now
from pipeline.warehouse import open_read_only

TOLERANCE = {"bleurt": 0.02, "bertscore_f1": 0.01, "meteor": 0.02, "grounding": 0.03, "grounding_r1": 0.05,
             "accuracy": 0.02, "polar_accuracy": 0.02, "failed": 0.02, "truncated": 0.02, "unjudged": 0.02, "stars": 0.2}  # fmt: skip
DRIFT_TOLERANCE = 0.05  # of a share
LOWER_IS_BETTER = ("failed", "truncated")
ALARM = 0.05  # chance of any false alarm in a whole check


@dataclass(frozen=True)
class Finding:
    role: str
    metric: str
    baseline: float
    current: float | None  # None: the metric is missing now
    bound: float  # how far it may move
    regressed: bool


@dataclass(frozen=True)
class Verdict:
    profile: str
    run_id: str
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not any(finding.regressed for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"passed": self.passed}

    def as_text(self) -> str:
        worse = [finding for finding in self.findings if finding.regressed]
        lines = [f"{len(self.findings)} metrics of run {self.run_id} against the baseline of profile {self.profile}: "
                 + (f"{len(worse)} regressed" if worse else "no regression")]  # fmt: skip
        for finding in worse:
            if finding.current is None:
                lines.append(f"  {finding.role} {finding.metric}: missing, was {finding.baseline:.4f}")
            else:
                moved = finding.current - finding.baseline
                lines.append(
                    f"  {finding.role} {finding.metric}: {finding.baseline:.4f} -> {finding.current:.4f} "
                    f"({moved:+.4f}, allowed {finding.bound:.4f})"
                )
        return "\n".join(lines)


def _latest(warehouse_path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    warehouse = open_read_only(warehouse_path)
    try:
        runs = warehouse.query(
            "SELECT * FROM runs WHERE status = 'done' AND kind = 'run' ORDER BY started_at DESC LIMIT 1"
        )
        if not runs:
            raise InputError(f"No finished run in {warehouse_path}. Run first: review-insights run")
        metrics = warehouse.query("SELECT * FROM metrics WHERE run_id = ? ORDER BY role, metric", [runs[0]["run_id"]])
    finally:
        warehouse.close()
    return runs[0], metrics


def record(warehouse_path: Path, profile: str, reason: str, baselines: Path = BASELINES) -> Path:
    """Writes the latest run's metrics as the baseline of a profile, with where they come from and why."""
    run, metrics = _latest(warehouse_path)
    kept = ("role", "metric", "n", "mean", "std", "ci_low", "ci_high", "model")
    content = {
        "profile": profile,
        "reason": reason,
        "recorded_at": now().isoformat(timespec="seconds"),
        "version": run["version"],
        "git_sha": run["git_sha"],
        "environment": json.loads(run["environment"]),
        "metrics": [{name: row[name] for name in kept} for row in metrics],
    }
    baselines.mkdir(parents=True, exist_ok=True)
    path = baselines / f"{profile}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def check(warehouse_path: Path, profile: str, baselines: Path = BASELINES) -> Verdict:
    """Compares the latest finished run with the baseline. Raises InputError when either is missing."""
    run, metrics = _latest(warehouse_path)
    path = baselines / f"{profile}.json"
    if not path.is_file():
        raise InputError(f"No baseline for profile {profile}. Record one with: review-insights check --record REASON")
    recorded = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    current = {(row["role"], row["metric"]): row for row in metrics}
    chance = NormalDist().inv_cdf(1 - ALARM / 2 / max(len(recorded), 1))
    found = [_compare(row, current.get((row["role"], row["metric"])), chance) for row in recorded]
    return Verdict(profile, run["run_id"], tuple(found))


def _compare(baseline: dict[str, Any], current: dict[str, Any] | None, chance: float) -> Finding:
    role, metric = baseline["role"], baseline["metric"]
    share = metric.startswith(("share_", "emotion_", "language_"))
    tolerance = DRIFT_TOLERANCE if share else TOLERANCE.get(metric, 0.02)
    if current is None:
        return Finding(role, metric, baseline["mean"], None, tolerance, regressed=not share)
    error = sum((row["std"] or 0) ** 2 / row["n"] for row in (baseline, current)) ** 0.5
    bound = max(tolerance, chance * error)
    moved = current["mean"] - baseline["mean"]
    harm = abs(moved) if role == "reviews" else moved if metric in LOWER_IS_BETTER else -moved
    return Finding(role, metric, baseline["mean"], current["mean"], bound, regressed=harm > bound)
