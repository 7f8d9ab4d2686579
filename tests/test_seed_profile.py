"""The `seed` profile through every stage, each model a tiny random checkpoint of its real architecture."""

from __future__ import annotations

import csv
import dataclasses
import random
import shutil
from pathlib import Path

import pytest

from pipeline.core.profile import Profile, load
from pipeline.core.warehouse import Warehouse, open_read_only
from pipeline.ingest.load import IngestOptions
from pipeline.run import RunResult, run
from pipeline.stages import feedback
from tests.checkpoints import Checkpoints

ROLES = {"student_base", "student", "control_constant", "control_nearest", "control_shuffled"}


@pytest.fixture(scope="module")
def tiny_seed(tiny: Checkpoints, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    seed, folder = load("seed"), tmp_path_factory.mktemp("recipe")
    recipe = folder / "tiny.yaml"
    text = (Path("pipeline/recipes/phi2_qlora.yaml")).read_text()
    recipe.write_text(text.replace("quantize: auto", "quantize: nf4").replace("epochs: 3", "epochs: 1"))
    named = {"LABEL_0": "negative", "LABEL_1": "neutral", "LABEL_2": "positive"}
    return dataclasses.replace(
        seed,
        sentiment=dataclasses.replace(seed.sentiment, model=tiny.gpt2_sentiment, labels=named),
        emotions=dataclasses.replace(seed.emotions, model=tiny.roberta_emotions),
        feedback=dataclasses.replace(seed.feedback, model=tiny.mistral, max_new_tokens=12, quantize="none"),
        distill=dataclasses.replace(seed.distill, model=tiny.phi, recipe=str(recipe), min_examples=5),
        generate=dataclasses.replace(seed.generate, max_new_tokens=12, new_reviews=3),
        score=dataclasses.replace(seed.score, bleurt=tiny.bleurt, bertscore=tiny.roberta, bertscore_layers=2, pool=10),
    )


@pytest.fixture(scope="module")
def finished(tiny_seed: Profile, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, Path]:
    folder = tmp_path_factory.mktemp("seed")
    with (folder / "reviews.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "stars"])
        rng = random.Random(0)  # every review in other words: near-duplicates of test reviews are not trained on
        sentence = "table waited fifty minutes for cold soup and a rude word then nobody came back with our bill"
        for number in range(40):
            writer.writerow([f"{' '.join(rng.sample(sentence.split(), 12))} {number}.", 1 + number % 4])
    # Random models rarely write a list: what they write must count as feedback here, or nothing would go on.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.advice.answer.parse_suggestions", lambda text: [text] if text else [])
        # Nor do they stop by themselves, and a text that was cut off is not trained on.
        real = feedback.feedback_row
        patch.setattr("pipeline.stages.feedback.feedback_row", lambda *args: {**real(*args), "truncated": False})
        result = run([str(folder / "reviews.csv")], folder / "w.duckdb", tiny_seed, IngestOptions())
    return result, folder / "w.duckdb"


@pytest.fixture
def opened(finished: tuple[RunResult, Path]) -> Warehouse:
    return open_read_only(finished[1])


def test_every_stage_wrote_its_rows(finished: tuple[RunResult, Path]) -> None:
    written = {stage.name: stage.written for stage in finished[0].stages}
    assert written["sentiment"] == written["emotions"] == 40
    assert written["feedback"] >= 30 and written["distill"] == 1
    assert written["generate"] >= 5 * 3 and written["score"] >= 5 * 3


def test_the_student_was_trained_with_a_real_adapter(finished: tuple[RunResult, Path], opened: Warehouse) -> None:
    (row,) = opened.query("SELECT * FROM distill")
    assert row["train_rows"] > row["validation_rows"] > 0 and row["train_loss"] > 0
    folder = finished[1].with_name("w.duckdb.models") / row["adapter"]
    assert (folder / "adapter_model.safetensors").is_file()


def test_every_role_is_scored_by_every_metric(opened: Warehouse) -> None:
    rows = opened.query(
        "SELECT role, count(bleurt) AS b, count(bertscore_f1) AS f, count(meteor) AS m, count(grounding) AS g, count(*) AS n FROM scores GROUP BY role"
    )
    by_role = {row["role"]: row for row in rows}
    assert set(by_role) == ROLES | {"teacher"}
    for role in ROLES:
        row = by_role[role]
        assert row["b"] == row["f"] == row["m"] == row["g"] == row["n"] > 0
    assert by_role["teacher"]["g"] == by_role["teacher"]["n"] and by_role["teacher"]["m"] == 0


def test_no_output_holds_its_prompt(opened: Warehouse) -> None:
    rows = opened.query("SELECT raw_output FROM feedback WHERE role IN ('teacher', 'student', 'student_base')")
    assert rows and all("Concisely" not in row["raw_output"] and "Feels:" not in row["raw_output"] for row in rows)


def test_models_are_named_in_the_metrics(opened: Warehouse, tiny: Checkpoints) -> None:
    named = {
        row["metric"]: row["model"]
        for row in opened.query("SELECT DISTINCT metric, model FROM metrics WHERE role = 'student'")
    }
    assert named["bleurt"] == tiny.bleurt and named["bertscore_f1"] == tiny.roberta


@pytest.mark.slow
def test_a_warehouse_copied_without_its_adapters_trains_the_student_anew(
    finished: tuple[RunResult, Path], tiny_seed: Profile, tmp_path: Path
) -> None:
    copy, reviews = Path(shutil.copy(finished[1], tmp_path)), str(finished[1].parent / "reviews.csv")
    ((before,), texts) = (
        open_read_only(copy).query(sql) for sql in ("FROM distill", "FROM store.generate ORDER BY ALL")
    )
    again = run([reviews], copy, tiny_seed, IngestOptions())
    assert again.rows_written == 0 and not copy.with_name("w.duckdb.models").exists(), "nobody asks the student"
    new = tmp_path / "new.csv"
    new.write_text("text,stars\nThe second table was dirty and nobody cleaned it for an hour.,1\n")
    stages = {stage.name: stage for stage in run([reviews, str(new)], copy, tiny_seed, IngestOptions()).stages}
    assert stages["distill"].written == 0 and stages["generate"].written == 1
    assert "is missing: it was trained anew" in stages["generate"].notes[0]
    opened = open_read_only(copy)
    (after,) = opened.query("FROM distill")
    assert after["adapter"] == before["adapter"] and after["train_rows"] == before["train_rows"]
    assert (copy.with_name("w.duckdb.models") / after["adapter"] / "adapter_model.safetensors").is_file()
    assert [row for row in opened.query("FROM store.generate ORDER BY ALL") if row in texts] == texts
