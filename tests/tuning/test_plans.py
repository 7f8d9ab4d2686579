from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.cli.main import parser
from pipeline.core.errors import InputError
from pipeline.tuning import trainer
from pipeline.tuning.plans import forecast, plan
from tests import labelled_rows
from tests.checkpoints import Checkpoints

PLAN = """
[data.shop]
label = "stars"
labels = ["stars"]

[[training]]
data = "shop"
models = ["MODEL"]
methods = ["full", "lora"]
epochs = 2
max_tokens = 16
original = "80 %"
"""
FULL = forecast.Machine(rate=1e11, gpu=False, bf16=False)


@pytest.fixture
def shop(tmp_path: Path, tiny: Checkpoints) -> Path:
    """A folder with a plan for a tiny model, and labelled rows."""
    (tmp_path / "rows").mkdir()
    labelled_rows.write(tmp_path / "rows" / "rows.csv", 90)
    (tmp_path / "plan.toml").write_text(PLAN.replace("MODEL", str(tiny.distilbert_base)), encoding="utf-8")
    return tmp_path


def planned(shop: Path) -> list[plan.Row]:
    return plan.rows(plan.load(str(shop / "plan.toml")), {"shop": shop / "rows"})


def outcome(accuracy: float) -> plan.Outcome:
    quality = {"accuracy": accuracy, "macro_f1": accuracy - 0.1, "macro_auc": 0.9}
    facts = {"rows": {"train": 1234}, "seconds": 90.0, "megabytes": 512.0, "gpu_megabytes": None}
    return {"base": quality, "tuned": quality, "training": facts}


@pytest.mark.parametrize("name", ["here", "hub"])
def test_the_shipped_plans_name_what_finetune_takes(name: str, tmp_path: Path) -> None:
    shipped = plan.load(name)
    folders = {data: tmp_path for data, one in shipped.data.items() if not one.what}
    for row in plan.rows(shipped, folders):
        assert row.recipe["batch_size"] > 0
        parser().parse_args(["finetune", *row.arguments])


def test_every_model_in_every_way(shop: Path, tiny: Checkpoints) -> None:
    first, second = planned(shop)
    assert (first.method, second.method) == ("full", "lora")
    assert first.name == f"shop 80 %, {tiny.distilbert_base}, full"
    args = parser().parse_args(["finetune", *first.arguments])
    assert args.data == [str(shop / "rows")] and args.epochs == 2 and args.labels == ["stars"] and args.fraction == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data = 1", "data"),
        (PLAN.replace('data = "shop"', 'data = "other"'), r"no \[data.other\]"),
        (PLAN + "colour = 1", "colour"),
        ("[[", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_plan(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        plan.load(str(file))


def test_folders_are_named(shop: Path) -> None:
    loaded = plan.load(str(shop / "plan.toml"))
    with pytest.raises(InputError, match="--data shop=FOLDER"):
        plan.rows(loaded, {})
    with pytest.raises(InputError, match="It has: shop"):
        plan.rows(loaded, {"shop": shop, "shops": shop})


def test_what_is_finished_is_not_repeated_and_what_failed_is(shop: Path) -> None:
    """A crash of one training stops no other, and the same command tries it again."""
    rows, out = planned(shop), shop / "out"
    asked: list[Sequence[str]] = []

    def start(arguments: Sequence[str]) -> plan.Outcome:
        asked.append(arguments)
        return {"error": "out of memory"} if "lora" in arguments and len(asked) < 3 else outcome(0.75)

    expected: list[dict[str, Any]] = [{"minutes": 2.0, "megabytes": 600.0}, {"error": "no configuration"}]
    table, missing = plan.run(rows, expected, out, start)
    assert missing == 1 and "lora: not run. out of memory" in table
    assert (
        "| shop | 1,234 | " in table
        and "| full | 0.750 | 0.750 | 0.650 | 0.900 | 1.5 | 2.0 | 512 | 600 | 80 % |" in table
    )
    table, missing = plan.run(rows, expected, out, start)
    assert missing == 0 and len(asked) == 3 and table.count("| 0.750 |") == 2
    assert (out / plan.TABLE).read_text(encoding="utf-8") == table
    columns = [line.count("|") for line in table.splitlines()]
    assert set(columns) == {columns[0]}


def test_forecasts_grow_with_the_work(tiny: Checkpoints) -> None:
    network = forecast.Shape(parameters=100_000_000, embeddings=20_000_000, layers=12, width=768, heads=12)
    recipes = {method: trainer.load_recipe(method) for method in trainer.METHODS}
    few, many = ["word " * 20] * 100, ["word " * 20] * 1000
    found = {method: forecast.forecast(network, few, recipe, method, FULL) for method, recipe in recipes.items()}
    assert found["full"].minutes > found["lora"].minutes
    assert found["full"].megabytes > found["lora"].megabytes > found["qlora"].megabytes
    assert forecast.forecast(network, many, recipes["full"], "full", FULL).minutes == pytest.approx(
        10 * found["full"].minutes, rel=0.05
    )
    # 6.25 operations per parameter and token: 80 million, 100 texts of 27 tokens, 3 epochs, at 35 % of the rate.
    assert found["full"].minutes == pytest.approx(6.25e0 * 8e7 * 2700 * 3 / (FULL.rate * 0.35) / 60, rel=0.05)


def test_a_model_that_cannot_be_had_says_so(shop: Path) -> None:
    def refuse(name: str) -> Sequence[str]:
        raise InputError("The hub cannot be reached.")

    rows = planned(shop)
    assert plan.forecasts(rows, refuse) == [{"error": "The hub cannot be reached."}] * 2
    (first, _) = plan.forecasts(rows, lambda name: ["some words"] * 50)
    assert first["minutes"] > 0 and first["megabytes"] > 0


@pytest.mark.slow
def test_a_plan_from_the_command_line(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Forecast, trained in a process of its own, and tabulated."""
    places = ["--warehouse", str(shop / "w.duckdb"), "--out", str(shop / "out")]
    asked = ["finetune-all", str(shop / "plan.toml"), "--data", f"shop={shop / 'rows'}", "--only", "full", *places]
    assert main([*asked, "--forecast"]) == 0
    said = capsys.readouterr()
    assert "together about" in said.err and "MB" in said.err and said.out == ""
    assert main(asked) == 0
    table = capsys.readouterr().out
    assert "| full | 0." in table and "lora" not in table
    (kept,) = json.loads((shop / "out" / plan.RESULTS).read_text(encoding="utf-8")).values()
    assert kept["training"]["megabytes"] is None or kept["training"]["megabytes"] > 0
