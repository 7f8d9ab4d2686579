"""finetune-all: the trainings of a plan, as one table."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import options, show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.tuning.plans.plan import Plan


def _options(sub: argparse.ArgumentParser) -> None:
    plan = "a shipped plan (here: models that need no download; hub: those of the originals), or a .toml file"
    sub.add_argument("plan", metavar="PLAN", help=plan)
    where = "where the plan's data of this name lies; repeatable"
    sub.add_argument("--data", action="append", default=[], metavar="NAME=FOLDER", help=where)
    only = "only trainings whose name holds this, such as qlora or reader; repeatable, all must"
    sub.add_argument("--only", action="append", default=[], metavar="WORD", help=only)
    sub.add_argument("--forecast", action="store_true", help="hours and memory of each, and no training")
    place = "where models, results.json and table.md go (default: exports/finetune-all)"
    sub.add_argument("--out", type=Path, default=Path("exports") / "finetune-all", metavar="DIR", help=place)


def finetune_all(args: argparse.Namespace) -> int:
    """Forecasts, trains and prints the table: 1 if a training could not be run."""
    from pipeline.tuning import figures
    from pipeline.tuning.plans import plan as module

    figures.require_sklearn()
    plan, folders = module.load(args.plan), _folders(args.data)
    planned = [row for row in module.rows(plan, folders) if all(word in row.name for word in args.only)]
    if not planned:
        raise InputError(f"--only {' '.join(args.only)}: no training of the plan has such a name.")
    expected = module.forecasts(planned, functools.partial(_texts, plan, folders))
    for row, forecast in zip(planned, expected, strict=True):
        told = forecast.get("error") or f"{forecast['minutes']:.1f} minutes, {forecast['megabytes']:,.0f} MB"
        show.note(f"{row.name}: {told}")
    show.note(f"together about {sum(one.get('minutes', 0) for one in expected) / 60:.1f} hours")
    if args.forecast:
        return 0
    start = functools.partial(module.finetune, warehouse=args.warehouse, out=args.out / "models")
    with show.progress(False) as progress:
        table, missing = module.run(planned, expected, args.out, start, progress)
    print(table, end="")
    show.note(f"the same as a file: {args.out / module.TABLE}")
    return 1 if missing else 0


def _folders(given: list[str]) -> dict[str, Path]:
    found = {}
    for one in given:
        name, equals, folder = one.partition("=")
        if not equals or not name or not Path(folder).is_dir():
            raise InputError(f"--data {one}: write NAME=FOLDER, with a folder that is there.")
        found[name] = Path(folder)
    return found


def _texts(plan: Plan, folders: dict[str, Path], name: str) -> list[str]:
    from pipeline.tuning.labelled.read import read_labelled
    from pipeline.tuning.labelled.rows import Columns

    data = plan.data[name]
    columns = Columns(data.text, data.label, data.language)
    labelled = read_labelled(data.paths(folders.get(name)), "sentiment", columns, data.labels)
    return [example.text for example in labelled.examples]


COMMANDS = (
    Command(
        "finetune-all",
        "every training of a plan, one after another, as one table; hours and memory beforehand",
        finetune_all,
        (options.warehouse, _options),
    ),
)
