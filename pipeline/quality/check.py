"""Metric regression check: what the warehouse shows now against the recorded baseline of its profile.

A figure has regressed when it moved in the bad direction by more than its tolerance and by more than chance allows:
paired if baseline and warehouse hold the same reviews, otherwise unpaired (`pipeline.quality.change`). The chance
of any false alarm in a whole check is ALARM, divided among the families below and evenly within each (Bonferroni).
A figure that the baseline has and the warehouse lacks, or that another model computed, has regressed too: a yardstick that
changed silently checks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import NormalDist, median
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from pipeline.metrics.table import COMPARED
from pipeline.quality import change
from pipeline.quality.baseline import MODELS, Snapshot, folder_of, latest_run, snapshot
from pipeline.quality.change import Change

ALARM = 0.05  # chance of any false alarm in a whole check
FAMILIES = {"quality": 0.5, "health": 0.1, "drift": 0.1}  # of ALARM; the rest allows for the bounds being approximate
WORST = 5  # rows shown of a regression

# How far a figure may move before it matters; for text metrics see `pipeline.metrics.table`.
MACRO_F1_TOLERANCE = 0.01
HEALTH_TOLERANCE = 0.02  # of a share of failures
DRIFT_TOLERANCE = {"language mix": 0.1, "emotions": 0.1, "negative share": 0.05}
VOLUME_TOLERANCE = 0.2  # of the reviews in the baseline
NIGHTS = 3  # earlier runs with new reviews that it takes before a run with few means anything

ADVICE = {
    "student": "look at the five reviews; if the reviews have changed, train a new round: rounds in [distill], then run",
    "teacher": "look at the five reviews; has the teacher, its prompt or the playbook changed?",
    "classifier": "look at the five reviews; a classifier tuned on your own labelled reviews helps: finetune",
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
    """A figure, compared."""

    family: str
    role: str
    metric: str
    how: str  # the rows on which it was compared, or why it was not
    before: float | None
    after: float | None
    bound: float | None  # how far it may move in the bad direction
    regressed: bool
    worst: tuple[Row, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.role} {self.metric}"

    def as_text(self) -> str:
        """One line."""
        if self.before is None or self.after is None or self.bound is None:
            return f"{self.name}: {self.how}"
        return (
            f"{self.name}: {self.before:.4f} -> {self.after:.4f} ({self.after - self.before:+.4f}, "
            f"allowed {self.bound:.4f}, {self.how})"
        )


@dataclass(frozen=True)
class Verdict:
    """What the check of a profile found."""

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
        """For JSON: the fields, and `passed`."""
        return asdict(self) | {"passed": self.passed}

    def as_text(self) -> str:
        """A headline, then each regression with advice and its worst rows."""
        lines = [
            f"run {self.run_id} against the baseline of profile {self.profile} ({self.recorded_at}, {self.reason}): "
            f"{len(self.findings)} figures, "
            + (f"{len(self.regressions)} regressed" if self.regressions else "no regression")
        ]
        for finding in self.regressions:
            lines += [f"  {finding.as_text()}", f"    {ADVICE[finding.role]}"]
            for row in finding.worst:
                before = "" if row.before is None else f"{row.before:.3f} -> "
                lines.append(f"    {row.review_id}  {before}{row.after:.3f}  {row.text}")
        return "\n".join(lines)

    def as_junit(self) -> str:
        """JUnit's XML, for CI servers: one test case per figure."""
        from xml.etree import ElementTree

        tests, failures = str(len(self.findings)), str(len(self.regressions))
        suite = ElementTree.Element("testsuite", name=f"check {self.profile}", tests=tests, failures=failures)
        for finding in self.findings:
            case = ElementTree.SubElement(suite, "testcase", classname=finding.role, name=finding.metric)
            if finding.regressed:
                rows = "\n".join(f"{row.review_id} {row.before} -> {row.after} {row.text}" for row in finding.worst)
                failure = ElementTree.SubElement(case, "failure", message=finding.as_text())
                failure.text = "".join(char for char in rows if char.isprintable() or char == "\n")
        ElementTree.indent(suite)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def check(warehouse: Warehouse, profile: str, baselines: Path | None = None) -> Verdict:
    """Compares what the warehouse shows with the baseline of a profile in a folder, by default `baseline.folder_of`.

    Raises InputError if the baseline or a finished run is missing, or an older version recorded the baseline.
    """
    run = latest_run(warehouse)
    path = (baselines or folder_of(warehouse)) / f"{profile}.json"
    if not path.is_file():
        raise InputError(f"No baseline for profile {profile}. Record one: review-insights check --record REASON")
    baseline = json.loads(path.read_text(encoding="utf-8"))
    if "rows" not in baseline:
        raise InputError(f"{path} was recorded by an older version. Record anew: review-insights check --record REASON")
    findings = (_with_text(finding, warehouse) for finding in compare(baseline, snapshot(warehouse, run)))
    return Verdict(profile, run["run_id"], baseline["recorded_at"][:10], baseline["reason"], tuple(findings))


def verdict_if_recorded(warehouse: Warehouse, profile: str, baselines: Path | None = None) -> Verdict | None:
    """The check's verdict, or None if no baseline of that profile was recorded yet or no run has finished."""
    folder = baselines or folder_of(warehouse)
    if not (folder / f"{profile}.json").is_file():
        return None
    finished = warehouse.value("SELECT count(*) FROM runs WHERE status = 'done' AND kind = 'run'")
    return check(warehouse, profile, folder) if finished else None


def compare(baseline: Snapshot, current: Snapshot) -> list[Finding]:
    """Every figure of the baseline against the same figure now, the regressions first."""
    figures = [("quality", role, metric) for role in MODELS for metric in baseline["rows"].get(role, {})]
    figures += [("quality", "classifier", "macro_f1")] if baseline["judged"] else []
    figures += [
        ("health", role, name) for role, shares in baseline["shares"].items() for name, (_, n) in shares.items() if n
    ]
    figures += [("drift", "reviews", name) for name in (*DRIFT_TOLERANCE, "volume", "new reviews")]
    comparisons = {"quality": _quality, "health": _health, "drift": _drift}
    findings = []
    for family, role, metric in figures:
        alpha = ALARM * FAMILIES[family] / sum(item[0] == family for item in figures)
        pending = Finding(family, role, metric, "", None, None, None, regressed=False)
        findings.append(comparisons[family](pending, baseline, current, alpha))
    return sorted((finding for finding in findings if finding), key=lambda finding: not finding.regressed)


def _quality(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding:
    if finding.metric == "macro_f1":
        return _macro_f1(finding, baseline, current, alpha)
    before, after = (side["rows"].get(finding.role, {}).get(finding.metric, {}) for side in (baseline, current))
    if not after:
        return replace(finding, how="missing now", regressed=True)
    then, now = (side["computed_by"].get(finding.metric) for side in (baseline, current))
    if then != now:
        how = f"cannot be compared: computed by {now}, in the baseline by {then}"
        return replace(finding, how=how, regressed=True)
    metric = next(metric for metric in COMPARED if metric.name == finding.metric)
    worse = 0 if metric.higher_is_better is None else -1 if metric.higher_is_better else 1
    compared = _compared(finding, change.mean(before, after, alpha), metric.tolerance or 0.0, worse)
    return replace(compared, worst=_worst(before, after, worse))


def _macro_f1(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding:
    then, now = ({key: (pair[0], pair[1]) for key, pair in side["judged"].items()} for side in (baseline, current))
    if not now:
        return replace(finding, how="missing now: no judged review has stars or a label", regressed=True)
    before, after = ({key: float(pair[0] == pair[1]) for key, pair in side.items()} for side in (then, now))
    compared = _compared(finding, change.macro_f1(then, now, alpha), MACRO_F1_TOLERANCE, worse=-1)
    return replace(compared, worst=_worst(before, after, worse=-1))


def _health(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding:
    before, after = (side["shares"].get(finding.role, {}).get(finding.metric, (0, 0)) for side in (baseline, current))
    if not after[1]:
        return replace(finding, how="missing now", regressed=True)
    return _compared(finding, change.share(before, after, alpha), HEALTH_TOLERANCE, worse=1)


def _compared(finding: Finding, moved: Change, tolerance: float, worse: int) -> Finding:
    """`worse`: the sign of a change for the worse, or 0 if any change is."""
    bound = max(tolerance, moved.noise)
    harm = abs(moved.moved) if worse == 0 else worse * moved.moved
    how = f"same {moved.n} rows" if moved.paired else f"{moved.n_before} rows then, {moved.n} now"
    return replace(finding, how=how, before=moved.before, after=moved.after, bound=bound, regressed=harm > bound)


def _drift(finding: Finding, baseline: Snapshot, current: Snapshot, alpha: float) -> Finding | None:
    metric = finding.metric
    if metric == "negative share":
        sides = (side["counts"]["sentiment"] for side in (baseline, current))
        then, now = ((side.get("negative", 0), sum(side.values())) for side in sides)
        if not then[1] or not now[1]:
            return None
        return _compared(finding, change.share(then, now, alpha / 2), DRIFT_TOLERANCE[metric], worse=0)
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
    return _compared(finding, change.stability(before, after, alpha), DRIFT_TOLERANCE[metric], worse=1)


def _volume(
    finding: Finding, before: float, after: float, alpha: float, tolerance: float = VOLUME_TOLERANCE
) -> Finding:
    """Counts of independent reviews vary by the square root of their mean (Poisson)."""
    noise = NormalDist().inv_cdf(1 - alpha) * (before + after) ** 0.5
    moved = Change(float(before), float(after), noise, int(before), int(after), paired=False)
    return replace(_compared(finding, moved, tolerance * before, worse=-1), how="reviews")


def _worst(before: Mapping[str, float], after: Mapping[str, float], worse: int) -> tuple[Row, ...]:
    """The rows that moved furthest for the worse; without shared rows, those that are worst now."""
    sign = worse or -1
    shared = before.keys() & after.keys()
    worst = sorted(shared or after.keys(), key=lambda key: (-sign * (after[key] - before.get(key, 0.0)), key))
    return tuple(Row(key, before.get(key), after[key], "") for key in worst[:WORST])


def _with_text(finding: Finding, warehouse: Warehouse) -> Finding:
    """Adds the opening of each worst review to a regression; other findings lose their rows."""

    def texts() -> Iterator[Row]:
        for row in finding.worst:
            text = warehouse.value("SELECT text FROM reviews WHERE review_id = ?", [row.review_id]) or ""
            yield replace(row, text=" ".join(text.split())[:80])

    return replace(finding, worst=tuple(texts()) if finding.regressed else ())
