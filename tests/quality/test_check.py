"""The regression check: silent on chance, loud on a worse model, and clear about what to do."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from pipeline import cli
from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_read_only, open_work, publish
from pipeline.quality import baseline, check
from tests.report.test_report import write_warehouse

LANGUAGES = {"en": 0.8, "de": 0.12, "unknown": 0.08}
EMOTIONS = {"admiration": 0.3, "disappointment": 0.25, "annoyance": 0.2, "anger": 0.1, "none": 0.1, "joy": 0.05}
SENTIMENT = {"negative": 0.5, "neutral": 0.1, "positive": 0.4}
MEANS = {"bleurt": (-0.5, 0.2), "bertscore_f1": (0.86, 0.02), "meteor": (0.24, 0.065), "grounding": (0.6, 0.4)}


def world(rng: np.random.Generator, names: list[str], drop: dict[str, float] | None = None) -> dict[str, Any]:
    """A snapshot as `baseline.snapshot` takes it, of reviews drawn anew from one world."""

    def draw(metric: str) -> dict[str, float]:
        mean, spread = MEANS[metric]
        values = rng.normal(mean - (drop or {}).get(metric, 0.0), spread, size=len(names))
        return dict(zip(names, map(float, values), strict=True))

    def counts(shares: dict[str, float]) -> dict[str, int]:
        return dict(zip(shares, map(int, rng.multinomial(len(names), list(shares.values()))), strict=True))

    truth = rng.choice(list(SENTIMENT), p=list(SENTIMENT.values()), size=len(names))
    slips = rng.choice(list(SENTIMENT), size=len(names))
    right = rng.random(len(names)) < 0.75
    return {
        "rows": {"student": {name: draw(name) for name in MEANS}, "teacher": {"grounding": draw("grounding")}},
        "computed_by": dict.fromkeys(MEANS, "model (settings)"),
        "judged": {
            name: (str(t), str(t if ok else slip)) for name, t, slip, ok in zip(names, truth, slips, right, strict=True)
        },
        "shares": {
            "student": {"failed": (int(rng.binomial(len(names), 0.02)), len(names)), "unfinished": (0, len(names))},
            "reviews": {"rejected": (int(rng.binomial(len(names), 0.03)), len(names))},
        },
        "counts": {"language mix": counts(LANGUAGES), "emotions": counts(EMOTIONS), "sentiment": counts(SENTIMENT)},
        "volume": int(rng.poisson(len(names))),
        "nights": [int(n) for n in rng.poisson(40, size=6)],
    }


def names(n: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{row}" for row in range(n)]


def regressed(baseline: dict[str, Any], current: dict[str, Any]) -> set[str]:
    return {finding.name for finding in check.compare(baseline, current) if finding.regressed}


@pytest.mark.slow
@pytest.mark.parametrize("rows", [27, 500])
@pytest.mark.parametrize("prefix", ["", "new "], ids=["same rows", "other rows"])
def test_chance_alone_raises_few_alarms(rows: int, prefix: str) -> None:
    rng = np.random.default_rng(rows)
    alarms = sum(bool(regressed(world(rng, names(rows)), world(rng, names(rows, prefix)))) for _ in range(500))
    assert alarms / 500 <= check.ALARM


@pytest.mark.parametrize("prefix", ["", "new "], ids=["same rows", "other rows"])
def test_a_drop_of_two_hundredths_in_meteor_is_caught(prefix: str) -> None:
    rng = np.random.default_rng(0)
    caught = sum(
        "student meteor" in regressed(world(rng, names(500)), world(rng, names(500, prefix), {"meteor": 0.02}))
        for _ in range(300)
    )
    assert caught / 300 >= 0.95


def test_the_drop_is_caught_on_real_values(shared_data: Path) -> None:
    """METEOR of the original project's 500 tuned outputs, written again with another sampling seed."""
    from pipeline.metrics import meteor
    from pipeline.training.bleurt import without_prompt

    with (shared_data / "seed" / "phi2_vs_mistral_500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    candidates, references = (
        [without_prompt(row[column], row["input"]) for row in rows]
        for column in ("phi-2_output_fine-tuned", "mistral_output")
    )
    values = np.array(meteor.score(candidates, references))
    rng = np.random.default_rng(0)
    baseline = world(rng, names(500))
    hits = {0.0: 0, 0.02: 0}
    for _ in range(200):
        baseline["rows"]["student"] = {"meteor": dict(zip(names(500), map(float, values), strict=True))}
        for drop in hits:
            again = values - drop + rng.normal(0, 0.05, size=500)
            rows = baseline["rows"] | {"student": {"meteor": dict(zip(names(500), map(float, again), strict=True))}}
            hits[drop] += "student meteor" in regressed(baseline, baseline | {"rows": rows})
    assert hits[0.02] / 200 >= 0.95 and hits[0.0] / 200 <= 0.05


def change(path: tuple[str, ...], value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(snapshot: dict[str, Any]) -> None:
        for key in path[:-1]:
            snapshot = snapshot[key]
        snapshot[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    ("apply", "name"),
    [
        (change(("rows", "student"), {}), "student meteor"),
        (change(("computed_by", "bleurt"), "another model (settings)"), "student bleurt"),
        (change(("judged",), {}), "classifier macro_f1"),
        (change(("judged",), {str(row): ("negative", "positive") for row in range(300)}), "classifier macro_f1"),
        (change(("shares", "student", "failed"), (60, 300)), "student failed"),
        (change(("shares", "student", "unfinished"), (45, 300)), "student unfinished"),
        (change(("shares", "reviews", "rejected"), (90, 300)), "reviews rejected"),
        (change(("counts", "language mix"), {"en": 150, "fr": 150}), "reviews language mix"),
        (change(("counts", "emotions"), {"anger": 300}), "reviews emotions"),
        (change(("counts", "sentiment"), {"negative": 240, "positive": 60}), "reviews negative share"),
        (change(("counts", "sentiment"), {"negative": 60, "positive": 240}), "reviews negative share"),
        (change(("volume",), 180), "reviews volume"),
        (change(("nights",), [40, 44, 38, 41, 3]), "reviews new reviews"),
    ],
)
def test_what_is_worse_is_named(apply: Callable[[dict[str, Any]], None], name: str) -> None:
    baseline, current = (world(np.random.default_rng(5), names(300)) for _ in range(2))
    assert regressed(baseline, current) == set()
    apply(current)
    assert name in regressed(baseline, current)


def test_what_is_better_is_no_regression() -> None:
    baseline = world(np.random.default_rng(5), names(300))
    better = world(np.random.default_rng(5), names(300), dict.fromkeys(MEANS, -0.1))
    change(("shares", "student", "failed"), (0, 300))(better)
    change(("volume",), 900)(better)
    change(("nights",), [40, 44, 38, 41, 400])(better)
    assert regressed(baseline, better) == set()


def test_a_metric_of_which_less_is_better_regresses_upwards(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = next(metric for metric in check.COMPARED if metric.name == "meteor")
    monkeypatch.setattr(check, "COMPARED", (dataclasses.replace(metric, higher_is_better=False),))
    sides = [world(np.random.default_rng(5), names(300), {"meteor": drop}) for drop in (0.0, 0.1)]
    for side in sides:
        side["rows"] = {"student": {"meteor": side["rows"]["student"]["meteor"]}}
    sides[1]["rows"]["student"]["meteor"]["7"] += 1
    assert regressed(*sides) == set()
    (worse,) = [finding for finding in check.compare(*reversed(sides)) if finding.regressed]
    assert worse.name == "student meteor" and "7" not in {row.review_id for row in worse.worst}


def test_a_young_history_says_nothing_about_nights() -> None:
    baseline = world(np.random.default_rng(5), names(300))
    current = json.loads(json.dumps(baseline)) | {"nights": [300, 40, 0]}
    assert regressed(baseline, current) == set(), "JSON changes nothing, and two nights are no history"
    assert "reviews new reviews" not in {finding.name for finding in check.compare(baseline, current)}


# --- with a warehouse ---


def test_a_drop_is_named_with_its_bound_and_its_worst_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reviews = [f"We waited {n} minutes." for n in range(12)]
    before = write_warehouse(tmp_path / "a.duckdb", reviews, 0.30)
    folder = tmp_path / "baselines"
    recorded = json.loads(baseline.record(open_read_only(before), "embedded", "first night", folder).read_text())
    assert recorded["reason"] == "first night" and recorded["environment"] == {} and "git_sha" in recorded
    assert len(recorded["rows"]["student"]["meteor"]) == 12
    assert check.check(open_read_only(before), "embedded", folder).passed
    after = write_warehouse(tmp_path / "b.duckdb", reviews, 0.25)
    verdict = check.check(open_read_only(after), "embedded", folder)
    (worse,) = verdict.regressions
    assert worse.name == "student meteor" and len(worse.worst) == 5
    text = verdict.as_text()
    assert "student meteor: 0.3000 -> 0.2500 (-0.0500, allowed 0.0050, same 12 rows)" in text
    assert "0.300 -> 0.250  We waited" in text and "train a new round" in text
    assert check.check(open_read_only(write_warehouse(tmp_path / "c.duckdb", reviews, 0.4)), "embedded", folder).passed

    junit = tmp_path / "check.xml"
    command = ["check", "--baselines", str(folder), "--junit", str(junit)]
    assert cli.main([*command, "--warehouse", str(after), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False
    suite = ElementTree.parse(junit).getroot()
    failures = suite.findall(".//failure")
    assert suite.get("failures") == "1" == str(len(failures)) and "student meteor" in str(failures[0].get("message"))
    assert cli.main([*command, "--warehouse", str(before)]) == 0
    assert "no regression" in capsys.readouterr().out


def test_other_reviews_are_compared_unpaired(tmp_path: Path) -> None:
    before = write_warehouse(tmp_path / "a.duckdb", [f"We waited {n} minutes." for n in range(12)], 0.30)
    baseline.record(open_read_only(before), "embedded", "first", tmp_path)
    after = write_warehouse(tmp_path / "b.duckdb", [f"The soup was cold, {n} of us left." for n in range(12)], 0.30)
    verdict = check.check(open_read_only(after), "embedded", tmp_path)
    assert verdict.passed and {"12 rows then, 12 now"} == {
        finding.how for finding in verdict.findings if finding.name == "student meteor"
    }


def test_a_missing_baseline_or_run_says_what_to_do(tmp_path: Path) -> None:
    path = write_warehouse(tmp_path / "a.duckdb", ["We waited."])
    with pytest.raises(InputError, match="--record"):
        check.check(open_read_only(path), "embedded", tmp_path / "none")
    (tmp_path / "embedded.json").write_text('{"metrics": []}')
    with pytest.raises(InputError, match="older version"):
        check.check(open_read_only(path), "embedded", tmp_path)
    with pytest.raises(InputError, match="review-insights run"):
        check.check(open_read_only(publish(open_work(tmp_path / "e.duckdb"))), "embedded", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="--baselines"):
        baseline.record(open_read_only(path), "embedded", "first", tmp_path / "file")
