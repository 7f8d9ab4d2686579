"""finetune-all: every training of a plan, one after another, as one table.

    review-insights finetune-all here --data umsab=FOLDER          the shipped plans are in pipeline/tuning/plans
    review-insights finetune-all mine.toml --forecast              hours and memory, without training

Each training is a `finetune` in a process of its own, so that its memory is its own and a crash stops no other. What is
finished is not repeated: the same command goes on where it was stopped, in the middle of a training too.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from pipeline.core.errors import InputError
from pipeline.tuning import trainer

PLANS = Path(__file__).resolve().parent
RESULTS, TABLE = "results.json", "table.md"
_STRICT = ConfigDict(extra="forbid")
_COLUMNS = (
    "data",
    "rows",
    "model",
    "method",
    "accuracy",
    "before",
    "macro-F1",
    "AUC",
    "minutes",
    "forecast",
    "MB",
    "forecast",
    "the originals' figures",
)


@checked(frozen=True, config=_STRICT)
class Data:
    """Labelled rows, as `finetune` takes them. `what`: ids of the hub; without any, a folder has to be named by
    --data NAME=FOLDER.
    """

    what: tuple[str, ...] = ()
    text: str = "text"
    label: str = "label"
    labels: tuple[str, ...] = ()
    language: str = ""

    def paths(self, folder: Path | None) -> list[str]:
        """What --data of `finetune` is given."""
        return [str(folder)] if folder else list(self.what)


@checked(frozen=True, config=_STRICT)
class Group:
    """Models that are trained in the same ways on the same data. `original`: what the project that this follows has told."""

    data: str
    models: tuple[str, ...]
    methods: tuple[str, ...] = ("full",)
    revision: str = "main"
    recipe: str = ""  # default: the method's
    fraction: float = 1.0
    validation: float = 0.1
    test: float = 0.1
    balance: str = "none"
    epochs: float | None = None
    max_tokens: int | None = None
    batch_size: int | None = None
    original: str = ""


@checked(frozen=True, config=_STRICT)
class Plan:
    """What a plan's TOML says."""

    data: dict[str, Data]
    training: tuple[Group, ...]


@dataclass(frozen=True)
class Row:
    """One training of a group, and the arguments of `finetune` for it."""

    group: Group
    model: str
    method: str
    arguments: tuple[str, ...]

    @property
    def learned(self) -> float:
        """Share of the data's rows that is trained on."""
        return self.group.fraction * (1 - self.group.validation - self.group.test)

    @property
    def name(self) -> str:
        """As progress shows it."""
        return f"{self.group.data} {100 * self.learned:.0f} %, {self.model}, {self.method}"

    @property
    def key(self) -> str:
        """Under which its outcome is kept."""
        return " ".join(self.arguments)

    @property
    def recipe(self) -> dict[str, Any]:
        """That which `finetune` will follow."""
        group = self.group
        given = {"num_train_epochs": group.epochs, "max_tokens": group.max_tokens, "batch_size": group.batch_size}
        changes = {name: value for name, value in given.items() if value is not None}
        return trainer.load_recipe(group.recipe or trainer.recipe_name(self.model, self.method), changes)


Outcome = dict[str, Any]  # what `finetune --json` prints, or {"error": why there is nothing}


def load(name: str) -> Plan:
    """A shipped plan by its name, or a file. Raises InputError listing everything that is wrong with it."""
    file = PLANS / f"{name}.toml" if (PLANS / f"{name}.toml").is_file() else Path(name)
    try:
        plan = TypeAdapter(Plan).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        shipped = ", ".join(sorted(one.stem for one in PLANS.glob("*.toml")))
        raise InputError(f"The plan {name} cannot be read ({error}). Shipped: {shipped}; or give a file.") from error
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors()]
        raise InputError(f"{file}: {'; '.join(wrong)}. See pipeline/tuning/plans/plan.py for the keys.") from error
    if unknown := sorted({group.data for group in plan.training} - set(plan.data)):
        raise InputError(f"{file}: there is no [data.{unknown[0]}]. Add it, or mend `data` of the training.")
    return plan


def rows(plan: Plan, folders: Mapping[str, Path]) -> list[Row]:
    """The trainings of a plan, in its order; `folders`: where data lies, by its name. Raises InputError for one that is not
    there or that no plan knows.
    """
    if unknown := sorted(set(folders) - set(plan.data)):
        raise InputError(f"--data {unknown[0]}: the plan has none of this name. It has: {', '.join(sorted(plan.data))}")
    if missing := sorted(name for name, data in plan.data.items() if not data.what and name not in folders):
        raise InputError(f"The plan needs the folder of {missing[0]}: --data {missing[0]}=FOLDER")
    return [
        Row(group, model, method, _arguments(plan.data[group.data], folders.get(group.data), group, model, method))
        for group in plan.training
        for model in group.models
        for method in group.methods
    ]


def _arguments(data: Data, folder: Path | None, group: Group, model: str, method: str) -> tuple[str, ...]:
    options: dict[str, Any] = {
        "--text": data.text,
        "--label": data.label,
        "--language": data.language,
        "--model": model,
        "--method": method,
        "--revision": group.revision,
        "--recipe": group.recipe,
        "--fraction": group.fraction,
        "--validation": group.validation,
        "--test": group.test,
        "--balance": group.balance,
        "--epochs": group.epochs,
        "--max-tokens": group.max_tokens,
        "--batch-size": group.batch_size,
    }
    words = [word for what in data.paths(folder) for word in ("--data", what)]
    words += [str(word) for name, value in options.items() if value not in (None, "") for word in (name, value)]
    return tuple([*words, "--labels", *data.labels] if data.labels else words)


# --- Before ---


def forecasts(planned: Sequence[Row], read: Callable[[str], Sequence[str]]) -> list[dict[str, Any]]:
    """Per training `minutes` and `megabytes` (`forecast.Forecast`), or `error`: a configuration that cannot be had here.
    `read`: the texts of the data of a name.
    """
    from pipeline.tuning.plans.forecast import machine

    here = machine()

    @functools.cache
    def texts(name: str) -> Sequence[str] | str:
        try:
            return read(name)
        except InputError as error:  # the hub is asked once
            return str(error)

    return [_forecast(row, texts(row.group.data), here) for row in planned]


def _forecast(row: Row, texts: Sequence[str] | str, here: Any) -> dict[str, Any]:
    """`texts`: or why there are none."""
    if isinstance(texts, str):
        return {"error": texts}
    from transformers import AutoConfig

    from pipeline.backends.transformers import from_pretrained, resolve
    from pipeline.tuning.plans import forecast

    try:
        config = from_pretrained(AutoConfig, resolve(row.model), row.group.revision)
    except InputError as error:
        return {"error": str(error)}
    learned = texts[: max(1, round(row.learned * len(texts)))]
    return asdict(forecast.forecast(forecast.shape(config), learned, row.recipe, row.method, here))


# --- The trainings ---


def run(
    planned: Sequence[Row],
    expected: Sequence[Mapping[str, Any]],
    out: Path,
    start: Callable[[Sequence[str]], Outcome],
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> tuple[str, int]:
    """Trains what is not finished yet and keeps what came of it in `out`. Returns the table, which is also written there after
    each, and how many trainings could not be run.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / RESULTS
    results: dict[str, Outcome] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for done, row in enumerate(planned):
        progress(row.name, done, len(planned))
        if "error" in results.get(row.key, {"error": "not tried"}):
            results[row.key] = start(row.arguments)
            file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (out / TABLE).write_text(_table(planned, expected, results), encoding="utf-8")
    missing = sum("error" in results[row.key] for row in planned)
    return _table(planned, expected, results), missing


def finetune(arguments: Sequence[str], warehouse: Path, out: Path) -> Outcome:
    """A `finetune` in a process of its own."""
    command = [sys.executable, "-m", "pipeline", "finetune", *arguments, "--json"]
    done = subprocess.run(
        [*command, "--warehouse", str(warehouse), "--out", str(out)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return {"error": said[-1]}
    result: Outcome = json.loads(done.stdout)
    return result


def _table(planned: Sequence[Row], expected: Sequence[Mapping[str, Any]], results: Mapping[str, Outcome]) -> str:
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---|--:|---|---|" + "--:|" * 8 + "---|"]
    missing = []
    for row, before in zip(planned, expected, strict=True):
        result = results.get(row.key, {"error": "not tried yet"})
        if "error" in result:
            told = (
                f"{before['minutes']:.0f} minutes, {before['megabytes']:,.0f} MB expected"
                if "minutes" in before
                else ""
            )
            missing.append(f"- {row.name}: not run. {result['error']} {told}".rstrip())
        else:
            lines.append(f"| {' | '.join(_cells(row, before, result))} |")
    return "\n".join([*lines, *([""] if missing else []), *missing]) + "\n"


def _cells(row: Row, before: Mapping[str, Any], result: Outcome) -> list[str]:
    facts, tuned, base = result["training"], result["tuned"], result["base"]
    took = facts.get("gpu_megabytes") or facts.get("megabytes")
    return [
        row.group.data,
        f"{facts['rows']['train']:,}",
        row.model,
        row.method,
        f"{tuned['accuracy']:.3f}",
        f"{base['accuracy']:.3f}",
        f"{tuned['macro_f1']:.3f}",
        f"{tuned['macro_auc']:.3f}" if tuned.get("macro_auc") is not None else "",
        f"{facts['seconds'] / 60:.1f}",
        f"{before['minutes']:.1f}" if "minutes" in before else "",
        f"{took:,.0f}" if took else "",
        f"{before['megabytes']:,.0f}" if "megabytes" in before else "",
        row.group.original,
    ]
