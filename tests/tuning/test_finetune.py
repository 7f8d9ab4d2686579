from __future__ import annotations

import contextlib
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.core import profile
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.core.warehouse import open_read_only, open_work, publish, work_path
from pipeline.tuning import finetune, record, unseen
from pipeline.tuning.costs import parse
from pipeline.tuning.labelled.rows import Example, Labelled
from tests import labelled_rows
from tests.checkpoints import Checkpoints


@pytest.fixture(scope="module")
def tuned(tiny: Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> finetune.Tuned:
    folder = tmp_path_factory.mktemp("tuned")
    own = labelled_rows.settings(tiny.distilbert_base, num_train_epochs=8, learning_rate=5e-3)
    shown = [
        unseen.Text("<b>The soup was lovely, day 9001.</b>", "positive"),
        unseen.Text("The room was awful, day 0."),
    ]
    costs = {"negative": 3.0, "neutral": 1.0, "positive": 1.0}
    result = finetune.run(
        labelled_rows.labelled(600), own, folder / "models", folder / "w.duckdb", shown=shown, costs=costs
    )
    assert result is not None
    return result


def test_before_and_after_on_the_same_rows(tuned: finetune.Tuned) -> None:
    assert tuned.base["n"] == tuned.tuned["n"] == 60
    assert tuned.tuned["accuracy"] > tuned.base["accuracy"] + 0.25
    assert "more right than the base" in tuned.verdict
    assert set(tuned.tuned["languages"]) == {"de", "en"} and tuned.facts["languages"] == ["de", "en"]


def test_rows_of_the_warehouse(tuned: finetune.Tuned) -> None:
    warehouse = open_read_only(tuned.folder.parents[1] / "w.duckdb")
    (run,) = warehouse.query("SELECT * FROM runs")
    assert run["kind"] == "finetune" and run["status"] == "done" and run["run_id"] == tuned.run_id
    rows = {(row["role"], row["metric"]): row for row in warehouse.query("SELECT * FROM metrics")}
    assert rows["finetune_tuned", "accuracy"]["mean"] == tuned.tuned["accuracy"]
    assert rows["finetune_base", "accuracy"]["ci_low"] < rows["finetune_base", "accuracy"]["mean"]
    for metric in ("macro_f1", "macro_auc", "ece", "f1_neutral", "accuracy_de", "ece_en", "score_shift_de"):
        assert ("finetune_tuned", metric) in rows
    warehouse.close()


def test_the_page_shows_everything_and_escapes_what_people_wrote(tuned: finetune.Tuned) -> None:
    html, text = (tuned.report.with_suffix(suffix).read_text() for suffix in (".html", ".md"))
    for name in (
        "Class by class",
        "Language by language",
        "Surest mistakes",
        "Before comparing languages",
        "Reliability",
    ):
        assert name in html
    assert html.count("<svg") >= 4 and "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert f"| tuned | {tuned.tuned['accuracy']:.3f} |" in text
    figures = json.loads((tuned.folder / "figures.json").read_text())
    assert figures["tuned"]["accuracy"] == tuned.tuned["accuracy"]


def test_texts_of_the_user_side_by_side_and_right_rows_beside_wrong_ones(tuned: finetune.Tuned) -> None:
    html, text = (tuned.report.with_suffix(suffix).read_text() for suffix in (".html", ".md"))
    section = html.split('<section id="side-by-side">')[1].split("</section>")[0]
    assert "&lt;b&gt;The soup was lovely, day 9001.&lt;/b&gt;" in section and "<b>The soup" not in html
    told = json.loads((tuned.folder / "figures.json").read_text())
    assert [row["tuned"] for row in told["shown"]] == ["positive", "negative"]
    assert [row["right"] for row in told["shown"]] == [True, None]
    assert sum(outcome["n"] for outcome in told["outcomes"]) == tuned.tuned["n"]
    right = sum(outcome["n"] for outcome in told["outcomes"][:2])
    assert right == round(tuned.tuned["accuracy"] * tuned.tuned["n"]), "right ones too"
    for outcome in told["outcomes"]:
        assert f"{outcome['name']}: {outcome['n']} of 60" in section and f"{outcome['name']}: {outcome['n']}" in text


def test_costs_are_a_section_and_a_calibration_that_the_profile_names(tuned: finetune.Tuned) -> None:
    from pipeline.reader import calibration

    html = tuned.report.read_text()
    section = html.split('<section id="costs">')[1].split("</section>")[0]
    assert "Missing a row costs 3 where it is negative" in section and tuned.facts["costs"]["sentence"] in section
    assert section.index("negative recall") < section.index("neutral recall"), "the dearest first"
    assert [row["name"] for row in tuned.facts["costs"]["rows"]] == ["base", "tuned", "tuned, by cost"]
    named = tuned.folder / finetune.COST_CALIBRATION
    assert str(named) in finetune.usage(tuned.facts, tuned.model)
    leaning, plain = (calibration.load(str(file)) for file in (named, tuned.model / "calibration.json"))
    assert leaning["languages"]["*"]["bias"][0] >= plain["languages"]["*"]["bias"][0]


def test_all_mistakes_are_listed_the_surest_first(tuned: finetune.Tuned) -> None:
    with (tuned.folder / "misclassified.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == round((1 - tuned.tuned["accuracy"]) * 60)
    sure = [float(row["confidence"]) for row in rows]
    assert sure == sorted(sure, reverse=True)
    assert all(row["label"] != row["tuned"] for row in rows)


def test_a_tuned_model_is_one_profile_away(tuned: finetune.Tuned, tmp_path: Path) -> None:
    from pipeline.backends import registry
    from pipeline.reader import calibration

    file = tmp_path / "mine.toml"
    file.write_text(finetune.usage(tuned.facts, tuned.model))
    section = profile.load(str(file)).sentiment
    assert section.languages == ("de", "en")
    texts = ["The soup was awful, day 1.", "The soup was lovely, day 1."]
    values = registry.sentiment(section).probabilities(texts)
    assert [SENTIMENTS[index] for index in values.argmax(1)] == ["negative", "positive"]
    calibrated = calibration.apply(calibration.load(section.calibration), values, ["de", "en"])
    np.testing.assert_allclose(calibrated.sum(1), 1, atol=1e-5)


def test_a_trained_base_is_judged_by_its_own_head(tuned: finetune.Tuned, tmp_path: Path) -> None:
    own = labelled_rows.settings(str(tuned.model), num_train_epochs=1, learning_rate=0.0)
    again = finetune.run(labelled_rows.labelled(600), own, tmp_path, tmp_path / "w.duckdb")
    assert again is not None
    assert again.base["accuracy"] == tuned.tuned["accuracy"], "the base of this training is what the other one made"
    assert again.tuned["accuracy"] == tuned.tuned["accuracy"], "its head was kept, and a rate of 0 changes nothing"
    assert "own trained head" in again.report.read_text()


def test_nothing_starts_that_could_not_be_recorded(tiny: Checkpoints, tmp_path: Path) -> None:
    own = labelled_rows.settings(tiny.distilbert_base)
    with pytest.raises(InputError, match="folder that exists"):
        finetune.run(labelled_rows.labelled(), own, tmp_path / "m", tmp_path / "nowhere" / "w.duckdb")
    open_work(tmp_path / "w.duckdb").close()  # a run that was killed
    with pytest.raises(InputError, match="unfinished run"):
        finetune.run(labelled_rows.labelled(), own, tmp_path / "m", tmp_path / "w.duckdb")
    assert work_path(tmp_path / "w.duckdb").exists() and not (tmp_path / "m").exists()


def test_bench_runs_are_not_taken_for_runs_of_the_stages(tuned: finetune.Tuned, tmp_path: Path) -> None:
    from pipeline.quality import check

    with (
        contextlib.closing(open_read_only(tuned.folder.parents[1] / "w.duckdb")) as warehouse,
        pytest.raises(InputError, match="No finished run"),
    ):
        check.check(warehouse, "embedded")
    publish(open_work(tmp_path / "w.duckdb"))
    record.require_writable(tmp_path / "w.duckdb")


def test_the_command(tiny: Checkpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = labelled_rows.write(tmp_path / "r.csv")
    command = [
        "finetune",
        "--model",
        tiny.gpt2_base,
        "--data",
        file,
        "--label",
        "stars",
        "--labels",
        "stars",
        "--epochs",
        "1",
        "--batch-size",
        "16",
        "--max-tokens",
        "32",
        "--warehouse",
        str(tmp_path / "w.duckdb"),
        "--json",
    ]
    assert main(command) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["training"]["rows"]["test"] == 16 and Path(told["files"]["report"]).is_file()
    assert Path(told["files"]["model"]).parent.parent == tmp_path / "w.duckdb.models"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["--labels", "1=negative", "5=positive"], "without a meaning: 3"),
        (["--label", "rating"], "no column 'rating'"),
        (
            ["--labels", "1=negative", "3=", "5=positive", "--classes", "negative,neutral,positive"],
            "No row is labelled neutral",
        ),
        (["--fraction", "0.01"], "Raise --fraction"),
        (["--recipe", "none"], "no recipe"),
        (["--cost", "angry=3"], "no class 'angry'"),
        (["--show", "nowhere.txt"], "no such file"),
        (["--model", "nowhere/at-all", "--epochs", "x"], "--epochs"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any, **options: Any) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("pipeline.tuning.networks.load", never)
    file = labelled_rows.write(tmp_path / "r.csv")
    command = [
        "finetune",
        "--model",
        str(tmp_path),
        "--data",
        file,
        "--label",
        "stars",
        "--labels",
        "stars",
        "--warehouse",
        str(tmp_path / "w.duckdb"),
        *changes,
    ]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv"]


def test_calibrate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fake.toml").write_text('extends = "embedded"\n[sentiment]\nbackend = "fake"\nlanguages = []\n')
    out = tmp_path / "c.json"

    def calibrate(count: int) -> int:
        file = labelled_rows.write(tmp_path / "r.csv", count)
        return main(
            [
                "calibrate",
                "--profile",
                str(tmp_path / "fake.toml"),
                "--data",
                file,
                "--label",
                "stars",
                "--labels",
                "stars",
                "--out",
                str(out),
            ]
        )

    assert calibrate(45) == 2 and not out.exists()
    assert "50 are needed" in capsys.readouterr().err
    assert calibrate(300) == 0
    assert "calibrated: accuracy" in capsys.readouterr().out
    assert set(json.loads(out.read_text())["languages"]) == {"*", "de", "en"}


def test_emotions_go_the_same_way(tiny: Checkpoints, tmp_path: Path) -> None:
    rows = tuple(
        Example(
            f"I feel {EMOTIONS[n % 28]} and {EMOTIONS[(n + 1) % 28]} now, day {n}.",
            tuple(sorted((n % 28, (n + 1) % 28))),
            "en",
            "x",
        )
        for n in range(420)
    )
    own = labelled_rows.settings(tiny.distilbert_base, task="emotions", num_train_epochs=2)
    result = finetune.run(
        Labelled("emotions", EMOTIONS, rows, 420, {}, "c"),
        own,
        tmp_path / "m",
        tmp_path / "w.duckdb",
        costs=parse(["anger=9"], EMOTIONS),
    )
    assert result is not None
    assert set(result.tuned["classes"]) == set(EMOTIONS) and "micro_f1" in result.tuned and "shift" not in result.tuned
    assert not (result.model / "calibration.json").exists()
    assert "[emotions]" in finetune.usage(result.facts, result.model)
    (tmp_path / "mine.toml").write_text(finetune.usage(result.facts, result.model))
    assert profile.load(str(tmp_path / "mine.toml")).emotions.thresholds == result.facts["costs"]["thresholds"]
    assert result.report.is_file()
