"""finetune, compare, calibrate, retrain, push: the user's own classifiers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import options, show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.tuning.finetune import Tuned
    from pipeline.tuning.trainer import Settings
    from pipeline.tuning.unseen import Text


def _labelled(sub: argparse.ArgumentParser, required: bool = True) -> None:
    """For commands that read labelled rows."""
    sub.add_argument(
        "--data",
        action="append",
        required=required,
        metavar="WHAT",
        help="file, glob, folder, hf:NAME[:CONFIG][:SPLIT] or a known hub id; repeatable",
    )
    text = "column of the text, or a+b (a file without header: its number)"
    sub.add_argument("--text", default="text", metavar="COLUMN", help=text)
    sub.add_argument("--label", default="label", metavar="COLUMN", help="column of the label or the stars")
    language = "column of the language (default: language, else detected)"
    sub.add_argument("--language", default="", metavar="COLUMN", help=language)
    sub.add_argument(
        "--labels",
        nargs="+",
        default=[],
        metavar="VALUE=CLASS",
        help="what label values mean, or one of: words, binary, three, three_reversed, stars, stars_from_0, goemotions",
    )
    sub.add_argument("--classes", default="", metavar="A,B", help="the classes to tell apart (default: all)")


def _read_labelled(args: argparse.Namespace, task: Any) -> Any:
    from pipeline.tuning.labelled.read import read_labelled
    from pipeline.tuning.labelled.rows import Columns

    columns = Columns(args.text, args.label, args.language)
    classes = [name for name in args.classes.split(",") if name.strip()]
    return read_labelled(args.data, task, columns, args.labels, classes)


def _finetune_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--task", choices=("sentiment", "emotions"), default="sentiment")
    sub.add_argument(
        "--model", required=True, metavar="M", help="hub id, folder, or minilm or reader (need no download)"
    )
    sub.add_argument("--revision", default="main", metavar="REV", help="a commit of the hub repository")
    sub.add_argument("--method", choices=("full", "lora", "qlora"), default="full")
    recipe = "a recipe of pipeline/recipes/classify, or a .yaml file (default: that of the method)"
    sub.add_argument("--recipe", metavar="NAME", help=recipe)
    sub.add_argument("--epochs", type=float, metavar="N")
    sub.add_argument("--learning-rate", type=float, metavar="RATE")
    sub.add_argument("--batch-size", type=int, metavar="N", help="rows per step, over all processes")
    sub.add_argument("--max-tokens", type=int, metavar="N", help="longer texts are cut")
    patience = "evaluations without a better macro-F1 before it stops"
    sub.add_argument("--patience", type=int, metavar="N", help=patience)
    rare = "against rare classes: weights in the loss, or fewer rows of the others"
    sub.add_argument("--balance", choices=("none", "weights", "undersample"), default="none", help=rare)
    fraction = "only this share of the rows, stratified"
    sub.add_argument("--fraction", type=float, default=1.0, metavar="SHARE", help=fraction)
    sub.add_argument("--validation", type=float, default=0.1, metavar="SHARE")
    sub.add_argument("--test", type=float, default=0.1, metavar="SHARE")
    sub.add_argument("--seed", type=int, default=0)
    show_file = "texts (a .txt, one per line, or a table) on which the page shows base and tuned side by side"
    sub.add_argument("--show", type=Path, metavar="FILE", help=show_file)
    cost = "what missing a row of a class costs (others: 1), for thresholds that cost least; repeatable"
    sub.add_argument("--cost", action="append", default=[], metavar="CLASS=NUMBER", help=cost)
    variants = (
        "also train on variants of the rows (typing errors, negations, synonyms ...), and keep that only if it helps"
    )
    sub.add_argument("--augment", action="store_true", help=variants)
    teacher = "a profile whose [feedback] model translates rows there and back, for --augment"
    sub.add_argument("--translator", metavar="PROFILE", help=teacher)
    loggers = "tensorboard, wandb, ...: what transformers can report to; repeatable"
    sub.add_argument("--report-to", action="append", default=[], metavar="WHERE", help=loggers)
    sub.add_argument("--out", type=Path, metavar="DIR", help="where models go (default: beside the warehouse)")


def finetune(args: argparse.Namespace) -> int:
    """Trains a classifier and shows base and tuned model side by side; only the first of several processes prints."""
    from pipeline.core.warehouse import models_path
    from pipeline.tuning import finetune as module
    from pipeline.tuning import record, trainer
    from pipeline.tuning.costs import parse

    settings = _settings(args)
    record.require_writable(args.warehouse)
    data = _read_labelled(args, args.task)
    costs = parse(args.cost, data.classes) if args.cost else None
    shown = _read_shown(args)
    is_first = trainer.processes()[0] == 0
    with show.progress(args.json or not is_first) as progress:
        out = args.out or models_path(args.warehouse)
        result = module.run(data, settings, out, args.warehouse, progress, shown, costs)
    if result is None:  # one of several processes; the first one reports
        return 0
    if args.json:
        show.as_json(_facts(result))
    else:
        show.figures("before and after", [("base", result.base), ("tuned", result.tuned)], module.OVERALL)
        print(result.verdict)
        if costs:
            print(result.facts["costs"]["sentence"])
        print(f"report: {result.report}\nmodel: {result.model}\nas the pipeline's classifier, in a profile:\n")
        print(module.usage(result.facts, result.model))
    return 0


def _read_shown(args: argparse.Namespace) -> list[Text]:
    from pipeline.tuning.labelled.rows import Columns
    from pipeline.tuning.unseen import read

    return read(args.show, args.task, Columns(args.text, args.label), args.labels) if args.show else []


def _settings(args: argparse.Namespace) -> Settings:
    from pipeline.core.profile import load
    from pipeline.tuning import trainer

    translator = load(args.translator) if args.translator else None
    if translator and not args.augment:
        raise InputError("--translator makes rows for --augment: give both.")
    if translator and translator.feedback.backend == "playbook":
        raise InputError(f"--translator {args.translator}: its teacher is the playbook, which translates nothing.")
    changes = {
        "num_train_epochs": args.epochs,
        "learning_rate": args.learning_rate,
        "batch_size": args.batch_size,
        "max_tokens": args.max_tokens,
        "patience": args.patience,
    }
    recipe = trainer.load_recipe(
        args.recipe or trainer.recipe_name(args.model, args.method),
        {name: value for name, value in changes.items() if value is not None},
    )
    return trainer.Settings(
        task=args.task,
        model=args.model,
        revision=args.revision,
        method=args.method,
        recipe=recipe,
        fraction=args.fraction,
        validation=args.validation,
        test=args.test,
        balance=args.balance,
        seed=args.seed,
        report_to=tuple(args.report_to),
        augment=args.augment,
        translator=translator,
    )


def _facts(result: Tuned) -> dict[str, Any]:
    figures = {
        role: {name: value for name, value in quality.items() if name != "bins"}
        for role, quality in (("base", result.base), ("tuned", result.tuned))
    }
    files = {"model": str(result.model), "report": str(result.report)}
    return {"run_id": result.run_id, "verdict": result.verdict, **figures, "training": result.facts, "files": files}


def _prompt_options(sub: argparse.ArgumentParser) -> None:
    profiles = "whose teacher writes, repeatable (default: embedded, the playbook, alone)"
    sub.add_argument("--profile", action="append", default=[], metavar="NAME", help=profiles)
    prompts = "of prompts/, for every profile with a model (default: the profile's own)"
    sub.add_argument("--prompts", nargs="+", default=[], metavar="NAME", help=prompts)
    sub.add_argument("--limit", type=int, default=100, metavar="N", help="unhappy reviews (default: 100)")
    price = "per million tokens, of prompts and of answers"
    sub.add_argument("--price", type=float, nargs=2, default=(0.0, 0.0), metavar=("IN", "OUT"), help=price)
    sub.add_argument("--out", type=Path, default=Path("exports") / "prompts", metavar="DIR")


def compare_prompts(args: argparse.Namespace) -> int:
    """Compares prompts and teachers on the unhappy reviews of a warehouse, and shows their figures."""
    import contextlib

    from pipeline.core import prompts
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.tuning import prompts as module

    for name in args.prompts:
        prompts.load(name)
    profiles = [load(name) for name in args.profile or ["embedded"]]
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse, show.progress(args.json) as progress:
        figures, report = module.run(
            warehouse, profiles, args.prompts, args.out, limit=args.limit, price=tuple(args.price), progress=progress
        )
    if args.json:
        show.as_json({key: figures[key] for key in ("n", "sides")} | {"report": str(report)})
    else:
        for side in figures["sides"]:
            means = ", ".join(f"{name} {value['mean']:.2f}" for name, value in side["means"].items())
            show.note(f"{side['name']}: {means}, {side['seconds']:.2f} s a review")
        show.note(f"report: {report}")
    return 0


def _compare_options(sub: argparse.ArgumentParser) -> None:
    _labelled(sub, required=False)
    models = "hub id, ID@REVISION, folder, or embedded; repeatable (default: the shipped list)"
    sub.add_argument("--model", action="append", default=[], metavar="M", help=models)
    listed = "a list of models as TOML, see pipeline/tuning/models.toml"
    sub.add_argument("--models", type=Path, metavar="FILE", help=listed)
    probes = "probe phrases of your own, see pipeline/tuning/probes.toml"
    sub.add_argument("--probes", type=Path, metavar="FILE", help=probes)
    sub.add_argument("--limit", type=int, default=0, metavar="N", help="only so many rows, chosen by hash")
    sub.add_argument("--out", type=Path, default=Path("exports") / "compare", metavar="DIR")


def compare(args: argparse.Namespace) -> int:
    """Compares models and shows their figures. Raises InputError for contradictory options."""
    from pipeline.core.warehouse import models_path
    from pipeline.tuning import compare as module
    from pipeline.tuning import record, significance

    if args.model and args.models:
        raise InputError("--model and --models: give one of them.")
    record.require_writable(args.warehouse)
    candidates = module.candidates_from(args.model) if args.model else module.load_models(args.models)
    probes = module.load_probes(args.probes)
    if not args.data:
        sample, args.text, args.label = module.default_data()
        args.data, args.labels = [str(sample)], args.labels or ["stars"]
    data = _read_labelled(args, "sentiment")
    with show.progress(args.json) as progress:
        results, report = module.run(
            candidates, data, probes, args.warehouse, models_path(args.warehouse), args.out, args.limit, progress
        )
    if args.json:
        print((report.parent / "figures.json").read_text(encoding="utf-8"), end="")
        return 0
    compared = [(result.candidate.name, result.figures) for result in results if result.figures is not None]
    show.figures("models compared", compared, {title: module.OVERALL[title] for title in module.BRIEFLY})
    for pair in json.loads((report.parent / "figures.json").read_text(encoding="utf-8"))["pairs"]:
        if not pair["language"]:
            print(significance.sentence(pair))
    for result in results:
        if result.figures is None:
            print(f"not compared: {result.candidate.name}: {result.reason}")
    print(f"report: {report}")
    return 0


def _calibrate_options(sub: argparse.ArgumentParser) -> None:
    parallel = (
        "the rows are the same texts in several languages, and this column says which text; labels may be missing"
    )
    sub.add_argument("--parallel", default="", metavar="COLUMN", help=parallel)
    sub.add_argument("--out", type=Path, default=Path("calibration.json"), metavar="FILE")


def calibrate(args: argparse.Namespace) -> int:
    """Fits a calibration, saves it and prints what it changes."""
    from pipeline.core.profile import load
    from pipeline.reader import calibration
    from pipeline.tuning import calibrate as module
    from pipeline.tuning import champion

    section = champion.in_use(load(args.profile), args.warehouse).sentiment
    calibrated: module.Calibrated | module.Evened
    if args.parallel:
        calibrated = module.calibrate_parallel(_read_parallel(args), section)
    else:
        calibrated = module.calibrate(_read_labelled(args, "sentiment"), section)
    calibration.save(calibrated.fitted, args.out)
    for line in calibrated.lines:
        print(line)
    print(f'in the profile: [sentiment] {"language_shift" if args.parallel else "calibration"} = "{args.out}"')
    return 0


def _read_parallel(args: argparse.Namespace) -> Any:
    from pipeline.tuning.labelled.parallel import read_parallel
    from pipeline.tuning.labelled.rows import Columns

    return read_parallel(args.data, Columns(args.text, args.label, args.language), args.parallel, args.labels)


def _retrain_options(sub: argparse.ArgumentParser) -> None:
    options.corrections(sub)
    sub.add_argument("--force", action="store_true", help="also if there is little that is new")
    back = "use again what was in use before the last promotion, and stop"
    sub.add_argument("--rollback", action="store_true", help=back)


def retrain(args: argparse.Namespace) -> int:
    """Fits a challenger if it is time, and shows what was decided."""
    from pipeline.core.profile import load
    from pipeline.tuning import retrain as module

    profile = load(args.profile)
    if args.rollback:
        outcome = module.roll_back(args.warehouse, profile)
    else:
        outcome = module.retrain(args.warehouse, profile, args.corrections, args.force)
    if args.json:
        show.as_json(outcome.as_dict())
    else:
        show.lines([outcome.as_text()])
    return 0


def _push_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="what finetune or distill wrote")
    sub.add_argument("--repo", required=True, metavar="OWNER/NAME")
    sub.add_argument("--public", action="store_true", help="for everybody to see (default: private)")
    licence = "of the weights, as the hub names it, e.g. apache-2.0"
    sub.add_argument("--licence", default="", metavar="ID", help=licence)
    sub.add_argument("--trained-on", default="", metavar="TEXT", help="the data in words, for the card")


def push(args: argparse.Namespace) -> int:
    """Publishes a model and prints its address."""
    from pipeline.tuning import push as module

    print(module.push(args.model, args.repo, private=not args.public, licence=args.licence, data=args.trained_on))
    return 0


COMMANDS = (
    Command(
        "finetune",
        "train a sentiment or emotion classifier and judge it before and after",
        finetune,
        (options.warehouse, _labelled, _finetune_options, options.as_json),
    ),
    Command(
        "compare",
        "several sentiment models side by side, over labelled rows and probe phrases",
        compare,
        (options.warehouse, _compare_options, options.as_json),
    ),
    Command(
        "compare-prompts",
        "prompts and teachers side by side, on the unhappy reviews of a warehouse",
        compare_prompts,
        (options.warehouse, _prompt_options, options.as_json),
    ),
    Command(
        "calibrate",
        "fit a per-language calibration of a profile's sentiment model, on labelled or parallel rows",
        calibrate,
        (options.warehouse, options.profile, _labelled, _calibrate_options),
    ),
    Command(
        "retrain",
        "learn from new stars and corrections; used from the next run on if that is better on reviews held out",
        retrain,
        (options.warehouse, options.profile, _retrain_options, options.as_json),
    ),
    Command(
        "push",
        "publish a tuned classifier or a student's adapter on a hub, with a model card",
        push,
        (options.warehouse, _push_options),
    ),
)
