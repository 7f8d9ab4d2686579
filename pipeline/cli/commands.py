"""The command line: one sub-command per make target, and the only place that prints or exits.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done, 1 a check failed, 2 bad usage or bad input
(one line that says what to do next), 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.core.errors import InputError, ReviewInsightsError
from pipeline.core.queries import PARAMETERS

if TYPE_CHECKING:
    from pipeline.report.build import Report
    from pipeline.report.digest import Facts
    from pipeline.run import RunResult


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise InputError(f"{message}. See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    main = _Parser(
        prog="review-insights", description="From customer reviews to what went wrong and what to do about it."
    )
    main.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text)
        sub.add_argument("--warehouse", type=Path, default=Path("insights.duckdb"), metavar="FILE")
        return sub

    def profiled(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--profile", default="embedded", metavar="NAME", help="a shipped profile, or a .toml file")

    def ingested(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--reviews", action="append", metavar="WHAT", help="file, glob, folder or hf:NAME[:CONFIG][:SPLIT]; repeatable (default: the bundled sample)")  # fmt: skip
        sub.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="which column holds what, e.g. text=body or text=pros+cons; repeatable")  # fmt: skip
        sub.add_argument("--zero-based-stars", action="store_true", help="the file counts its stars from 0 to 4")
        sub.add_argument("--limit", type=int, metavar="N", help="only the first N records of each source")
        sub.add_argument("--retry-failed", action="store_true", help="try rows again that ended in an error")

    def filters(sub: argparse.ArgumentParser) -> None:
        for name in ("business", "product", "language"):
            sub.add_argument(f"--{name}", metavar="NAME", help=PARAMETERS[name])
        for name in ("since", "until"):
            sub.add_argument(f"--{name}", type=date.fromisoformat, metavar="YYYY-MM-DD", help=PARAMETERS[name])

    def reported(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--out", type=Path, default=Path("exports"), metavar="DIR")
        sub.add_argument("--date", type=date.fromisoformat, default=None, metavar="YYYY-MM-DD", help="name of the dated folder (default: today)")  # fmt: skip
        filters(sub)
        sub.add_argument("--per-business", action="store_true", help="a report for each business too")
        sub.add_argument("--emotion-groups", type=Path, metavar="FILE", help="a TOML file with groups of emotions of your own")  # fmt: skip
        sub.add_argument("--baselines", type=Path, metavar="DIR", help="where baselines are kept (default: those that are shipped)")  # fmt: skip

    run = command("run", "run every stage on reviews and write the report")
    profiled(run)
    ingested(run)
    run.add_argument("--until", metavar="STAGE", help="stop after that stage")
    run.add_argument("--out", type=Path, default=Path("exports"), metavar="DIR", help="where the report goes")
    run.add_argument("--no-report", action="store_true")
    run.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")

    sql = command("sql", "a query over the insights, read-only: SQL, or @NAME for a named one")
    sql.add_argument("query", metavar="SQL|@NAME", nargs="?", help='SELECT ..., or @top_pain_points; --list shows the names')  # fmt: skip
    sql.add_argument("--list", action="store_true", help="the named queries, each with the question it answers")
    sql.add_argument("--format", choices=("table", "csv", "json", "parquet", "xlsx"), help="default: by the ending of --out, else table")  # fmt: skip
    sql.add_argument("--out", type=Path, metavar="FILE", help="write there instead of the screen")
    filters(sql)
    for name in ("limit", "theme", "words", "id"):
        sql.add_argument(f"--{name}", metavar="N" if name == "limit" else "TEXT", help=PARAMETERS[name])

    report = command("report", "the nightly export of what the warehouse holds")
    reported(report)

    nightly = command("nightly", "run, check and report; exit 1 when the check finds a regression, 2 for bad input")
    profiled(nightly)
    ingested(nightly)
    reported(nightly)
    nightly.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")

    check = command("check", "compare the latest run with the recorded baseline; exit 1 on a regression")
    profiled(check)
    check.add_argument("--record", metavar="REASON", help="record the latest run as the baseline, and why")
    check.add_argument("--json", action="store_true")
    check.add_argument(
        "--junit", type=Path, metavar="FILE", help="also write the findings as JUnit XML, for CI servers"
    )
    check.add_argument("--baselines", type=Path, metavar="DIR", help="where baselines are kept (default: those that are shipped)")  # fmt: skip

    bench = command("bench", "how fast this machine is at what the pipeline does most, against the plain way")
    bench.add_argument("--data", type=Path, metavar="FILE", help="a CSV file of text pairs (default: from the bundled sample)")  # fmt: skip
    bench.add_argument("--limit", type=int, default=200, metavar="N", help="pairs and texts to time, 0 for all")
    bench.add_argument("--json", action="store_true")

    finetune = command("finetune", "train a sentiment or emotion classifier and judge it before and after")
    _labelled(finetune)
    finetune.add_argument("--task", choices=("sentiment", "emotions"), default="sentiment")
    finetune.add_argument("--model", required=True, metavar="M", help="hub id, folder, or minilm (needs no download)")
    finetune.add_argument("--revision", default="main", metavar="REV", help="a commit of the hub repository")
    finetune.add_argument("--method", choices=("full", "lora", "qlora"), default="full")
    finetune.add_argument("--recipe", metavar="NAME", help="a recipe of pipeline/recipes/classify, or a .yaml file (default: that of the method)")  # fmt: skip
    finetune.add_argument("--epochs", type=float, metavar="N")
    finetune.add_argument("--learning-rate", type=float, metavar="RATE")
    finetune.add_argument("--batch-size", type=int, metavar="N", help="rows per step, over all processes")
    finetune.add_argument("--max-tokens", type=int, metavar="N", help="longer texts are cut")
    finetune.add_argument("--patience", type=int, metavar="N", help="evaluations without a better macro-F1 before it stops")  # fmt: skip
    finetune.add_argument("--balance", choices=("none", "weights", "undersample"), default="none", help="against rare classes: weights in the loss, or fewer rows of the others")  # fmt: skip
    finetune.add_argument("--fraction", type=float, default=1.0, metavar="SHARE", help="only this share of the rows, stratified")  # fmt: skip
    finetune.add_argument("--validation", type=float, default=0.1, metavar="SHARE")
    finetune.add_argument("--test", type=float, default=0.1, metavar="SHARE")
    finetune.add_argument("--seed", type=int, default=0)
    finetune.add_argument("--report-to", action="append", default=[], metavar="WHERE", help="tensorboard, wandb, ...: what transformers can report to; repeatable")  # fmt: skip
    finetune.add_argument("--out", type=Path, metavar="DIR", help="where models go (default: beside the warehouse)")
    finetune.add_argument("--json", action="store_true")

    compare = command("compare", "several sentiment models side by side, over labelled rows and probe phrases")
    _labelled(compare, required=False)
    compare.add_argument("--model", action="append", default=[], metavar="M", help="hub id, ID@REVISION, folder, or embedded; repeatable (default: the shipped list)")  # fmt: skip
    compare.add_argument("--models", type=Path, metavar="FILE", help="a list of models as TOML, see pipeline/tuning/models.toml")  # fmt: skip
    compare.add_argument("--probes", type=Path, metavar="FILE", help="probe phrases of your own, see pipeline/tuning/probes.toml")  # fmt: skip
    compare.add_argument("--limit", type=int, default=0, metavar="N", help="only so many rows, chosen by hash")
    compare.add_argument("--out", type=Path, default=Path("exports") / "compare", metavar="DIR")
    compare.add_argument("--json", action="store_true")

    calibrate = command("calibrate", "fit a per-language calibration of a profile's sentiment model on labelled rows")
    profiled(calibrate)
    _labelled(calibrate)
    calibrate.add_argument("--out", type=Path, default=Path("calibration.json"), metavar="FILE")

    push = command("push", "publish a tuned classifier or a student's adapter on a hub, with a model card")
    push.add_argument("--model", type=Path, required=True, metavar="FOLDER", help="what finetune or distill wrote")
    push.add_argument("--repo", required=True, metavar="OWNER/NAME")
    push.add_argument("--public", action="store_true", help="for everybody to see (default: private)")
    push.add_argument(
        "--licence", default="", metavar="ID", help="of the weights, as the hub names it, e.g. apache-2.0"
    )
    push.add_argument("--trained-on", default="", metavar="TEXT", help="the data in words, for the card")

    serve = command("serve", "the API and the page, on this machine's loopback")
    profiled(serve)
    serve.add_argument("--no-auth", action="store_true", help="no key: everyone who reaches the port may use it (else: REVIEW_INSIGHTS_API_KEY)")  # fmt: skip
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="0.0.0.0: every interface (default: this machine only)")  # fmt: skip
    serve.add_argument("--port", type=int, default=8000, metavar="N")
    serve.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a name it is reached by, behind a proxy for instance; repeatable, '*' for any")  # fmt: skip
    serve.add_argument("--rate", type=float, default=100.0, metavar="N", help="requests per second and client, 0 for no limit (default: 100)")  # fmt: skip
    serve.add_argument("--max-rows", type=int, default=20_000, metavar="N", help="of an uploaded file (default: 20000)")

    doctor = command("doctor", "versions, device, and what each profile needs")
    doctor.add_argument("--json", action="store_true")
    return main


def _labelled(sub: argparse.ArgumentParser, required: bool = True) -> None:
    """The options of every command that reads labelled rows."""
    sub.add_argument("--data", action="append", required=required, metavar="WHAT", help="file, glob, folder, hf:NAME[:CONFIG][:SPLIT] or a known hub id; repeatable")  # fmt: skip
    sub.add_argument("--text", default="text", metavar="COLUMN", help="column of the text, or a+b (a file without header: its number)")  # fmt: skip
    sub.add_argument("--label", default="label", metavar="COLUMN", help="column of the label or the stars")
    sub.add_argument("--language", default="", metavar="COLUMN", help="column of the language (default: language, else detected)")  # fmt: skip
    sub.add_argument("--labels", nargs="+", default=[], metavar="VALUE=CLASS", help="what label values mean, or one of: words, binary, three, three_reversed, stars, stars_from_0, goemotions")  # fmt: skip
    sub.add_argument("--classes", default="", metavar="A,B", help="the classes to tell apart (default: all)")


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """A bar per stage on stderr; plain silence where nobody watches (`--json`)."""
    if quiet:
        yield lambda name, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bars = Progress(*columns, console=Console(stderr=True))
    tasks: dict[str, Any] = {}

    def show(name: str, done: int, total: int) -> None:
        if not tasks:
            bars.start()  # not before there is something to show: an error is one line
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=None)
        bars.update(tasks[name], completed=done, total=total or None)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()


def _run(args: argparse.Namespace, until: str | None) -> RunResult:
    from pipeline.core.assets import SAMPLE
    from pipeline.core.profile import load
    from pipeline.ingest.load import IngestOptions
    from pipeline.run import run as run_pipeline

    mapping = {}
    for item in args.map:
        field, equals, column = item.partition("=")
        if not equals or not field or not column:
            raise InputError(f"--map {item}: write FIELD=COLUMN, for instance --map text=body")
        mapping[field] = column
    if args.limit is not None and args.limit < 1:
        raise InputError("--limit: give a number of records, 1 or more")
    options = IngestOptions(mapping=mapping, limit=args.limit, zero_based_stars=args.zero_based_stars)
    with _progress(args.json) as progress:
        return run_pipeline(
            args.reviews or [str(SAMPLE)],
            args.warehouse,
            load(args.profile),
            options,
            until=until,
            retry_failed=args.retry_failed,
            progress=progress,
        )


def run(args: argparse.Namespace) -> int:
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import build, digest
    from pipeline.report.content import gather

    result = _run(args, args.until)
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        if args.no_report:
            facts = digest.facts(result, gather(warehouse), None)
        else:
            report = build.write(warehouse, args.out)
            facts = digest.facts(result, report.content, report.folder)
    if args.json:
        print(json.dumps(facts, indent=2, default=str))
    else:
        _print_summary(facts)
    return 0


def _print_summary(facts: Facts) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, title="Review Insights", title_justify="left", min_width=76)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts["table"]:
        table.add_row(name, value)
    console = Console()
    console.print(table)
    for name, path in facts["files"].items():
        console.print(f"{name}: {path}", highlight=False, soft_wrap=True)


def sql(args: argparse.Namespace) -> int:
    from pipeline.core import queries
    from pipeline.core.warehouse import open_read_only, read
    from pipeline.report import export

    if args.list:
        for name in queries.names():
            print(f"@{name:<26} {queries.load(name).question}")
        return 0
    if not args.query:
        raise InputError('Write a query: sql "SELECT ...", or sql @NAME. Names: review-insights sql --list')
    given = {name: getattr(args, name) for name in ("business", "product", "language", "since", "until", "limit", "theme", "words", "id")}  # fmt: skip
    if given["limit"] is not None:
        if not given["limit"].isdecimal():
            raise InputError("--limit: give a number of rows")
        given["limit"] = int(given["limit"])
    form = args.format or (args.out.suffix.removeprefix(".") if args.out else "table")
    if args.out and form not in export.FORMATS:
        raise InputError(f"--out {args.out}: name a file that ends in .csv, .json, .parquet or .xlsx, or add --format.")
    if not args.out and form in ("parquet", "xlsx"):
        raise InputError(f"--format {form} goes into a file: add --out FILE.{form}")
    statement = args.query
    if statement.startswith("@"):
        query = queries.load(statement[1:])
        statement, given = query.sql, query.bind(given)
    result = read(open_read_only(args.warehouse), statement, given)
    if args.out:
        export.write({form: args.out}, result.names, result.types, result.rows)
    elif form == "json":
        export.write_json(sys.stdout, result.names, result.rows)
    elif form == "csv":
        export.write_csv(sys.stdout, result.names, result.rows)
    else:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
        from rich.text import Text

        console = Console()
        if len(result.names) * 10 > console.width:  # too wide to read: one line per column, as in psql's \x
            table = Table("column", "value", show_header=False)
            for row in result.rows:
                for name, value in zip(result.names, row, strict=True):
                    table.add_row(Text(name), Text(_shown(value)))  # Text: no markup from reviews
                table.add_section()
        else:
            table = Table(*map(escape, result.names))
            for row in result.rows:
                table.add_row(*(Text(_shown(value)) for value in row))
        console.print(table)
    return 0


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _write_report(args: argparse.Namespace, night: bool) -> Report:
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import build
    from pipeline.report.scope import Scope

    scope = Scope(args.business, args.product, args.language, args.since, args.until)
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        return build.write(
            warehouse,
            args.out,
            args.date,
            scope=scope,
            per_business=args.per_business,
            emotion_groups=args.emotion_groups,
            baselines=args.baselines,
            night=night,
        )


def report(args: argparse.Namespace) -> int:
    print(_write_report(args, night=False).folder)
    return 0


def nightly(args: argparse.Namespace) -> int:
    from pipeline.report import digest

    result = _run(args, None)
    report = _write_report(args, night=True)
    verdict = report.verdict
    if isinstance(verdict, InputError):  # an unusable baseline; the report is there all the same
        raise verdict
    facts = digest.facts(result, report.content, report.folder)
    if args.json:
        print(json.dumps({**facts, "check": verdict.as_dict() if verdict else None}, indent=2, default=str))
    else:
        _print_summary(facts)
        print(verdict.as_text() if verdict else "check: no baseline yet; record one with: review-insights check --record REASON")  # fmt: skip
    return 0 if verdict is None or verdict.passed else 1


def check(args: argparse.Namespace) -> int:
    from pipeline.core.assets import BASELINES
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.quality import baseline
    from pipeline.quality import check as checking

    profile, baselines = load(args.profile), args.baselines or BASELINES
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        if args.record:
            print(baseline.record(warehouse, profile.name, args.record, baselines))
            return 0
        verdict = checking.check(warehouse, profile.name, baselines)
    if args.junit:
        args.junit.write_text(verdict.as_junit(), encoding="utf-8")
    print(json.dumps(verdict.as_dict(), indent=2) if args.json else verdict.as_text())
    return 0 if verdict.passed else 1


def bench(args: argparse.Namespace) -> int:
    from pipeline.tools import bench as module

    if args.limit < 0:
        raise InputError("--limit: give a number of pairs, or 0 for all")
    result = module.run(args.data, args.limit)
    print(json.dumps(result, indent=2) if args.json else module.as_text(result))
    return 0


def _read_labelled(args: argparse.Namespace, task: Any) -> Any:
    from pipeline.tuning.labelled.read import read_labelled
    from pipeline.tuning.labelled.rows import Columns

    columns = Columns(args.text, args.label, args.language)
    classes = [name for name in args.classes.split(",") if name.strip()]
    return read_labelled(args.data, task, columns, args.labels, classes)


def finetune(args: argparse.Namespace) -> int:
    from pipeline.core.warehouse import models_path
    from pipeline.tuning import finetune as module
    from pipeline.tuning import record, trainer

    changes = {"num_train_epochs": args.epochs, "learning_rate": args.learning_rate, "batch_size": args.batch_size,
               "max_tokens": args.max_tokens, "patience": args.patience}  # fmt: skip
    recipe = trainer.load_recipe(
        args.recipe or trainer.recipe_name(args.model, args.method),
        {name: value for name, value in changes.items() if value is not None},
    )
    record.require_writable(args.warehouse)
    settings = trainer.Settings(
        task=args.task, model=args.model, revision=args.revision, method=args.method, recipe=recipe,
        fraction=args.fraction, validation=args.validation, test=args.test, balance=args.balance, seed=args.seed,
        report_to=tuple(args.report_to),
    )  # fmt: skip
    data = _read_labelled(args, args.task)
    first = trainer.processes()[0] == 0
    with _progress(args.json or not first) as progress:
        result = module.run(data, settings, args.out or models_path(args.warehouse), args.warehouse, progress)
    if result is None:  # one of several processes; the first tells
        return 0
    if args.json:
        figures = {role: {name: value for name, value in own.items() if name != "bins"} for role, own in
                   (("base", result.base), ("tuned", result.tuned))}  # fmt: skip
        told = {"run_id": result.run_id, "verdict": result.verdict, **figures, "training": result.facts}
        files = {"model": str(result.model), "report": str(result.report)}
        print(json.dumps(told | {"files": files}, indent=2, default=str))
    else:
        _print_figures("before and after", [("base", result.base), ("tuned", result.tuned)], module.OVERALL)
        print(result.verdict)
        print(f"report: {result.report}\nmodel: {result.model}\nas the pipeline's classifier, in a profile:\n")
        print(module.usage(result.facts, result.model))
    return 0


def compare(args: argparse.Namespace) -> int:
    from pipeline.core.warehouse import models_path
    from pipeline.tuning import compare as module
    from pipeline.tuning import record

    if args.model and args.models:
        raise InputError("--model and --models: give one of them.")
    record.require_writable(args.warehouse)
    candidates = module.given(args.model) if args.model else module.load_models(args.models)
    probes = module.load_probes(args.probes)
    if not args.data:
        sample, args.text, args.label = module.default_data()
        args.data, args.labels = [str(sample)], args.labels or ["stars"]
    data = _read_labelled(args, "sentiment")
    with _progress(args.json) as progress:
        results, report = module.run(
            candidates, data, probes, args.warehouse, models_path(args.warehouse), args.out, args.limit, progress
        )
    if args.json:
        print((report.parent / "figures.json").read_text(encoding="utf-8"), end="")
        return 0
    judged = [(result.candidate.name, result.figures) for result in results if result.figures is not None]
    _print_figures("models compared", judged, module.OVERALL)
    for result in results:
        if result.figures is None:
            print(f"not compared: {result.candidate.name}: {result.reason}")
    print(f"report: {report}")
    return 0


def calibrate(args: argparse.Namespace) -> int:
    from pipeline.core.profile import load
    from pipeline.reader import calibration
    from pipeline.tuning import calibrate as module

    section = load(args.profile).sentiment
    data = _read_labelled(args, "sentiment")
    fitted, told = module.calibrate(data, section)
    calibration.save(fitted, args.out)
    for line in told:
        print(line)
    print(f'in the profile: [sentiment] calibration = "{args.out}"')
    return 0


def push(args: argparse.Namespace) -> int:
    from pipeline.tuning import push as module

    print(module.push(args.model, args.repo, private=not args.public, licence=args.licence, data=args.trained_on))
    return 0


def _print_figures(title: str, results: Sequence[tuple[str, dict[str, Any]]], columns: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", *columns, title=title, title_justify="left")
    for role, own in results:
        table.add_row(role, *("–" if own.get(key) is None else f"{own[key]:.3f}" for key in columns.values()))
    Console().print(table)


def serve(args: argparse.Namespace) -> int:
    from pipeline.core.profile import load

    key = os.environ.get("REVIEW_INSIGHTS_API_KEY", "").strip()
    if args.no_auth == bool(key):
        raise InputError(
            "serve: choose between a key and none. Set REVIEW_INSIGHTS_API_KEY to a secret of your own, or say --no-auth."
            if not key
            else "serve: --no-auth and REVIEW_INSIGHTS_API_KEY contradict each other. Leave one out."
        )
    if key and (len(key) < 16 or not key.isascii()):
        raise InputError("REVIEW_INSIGHTS_API_KEY: use 16 or more ASCII characters, such as from: openssl rand -hex 16")
    if not 0 < args.port < 65536 or args.rate < 0 or args.max_rows < 1:
        raise InputError("serve: --port is 1 to 65535, --rate 0 or more, --max-rows 1 or more.")
    try:
        from pipeline.service.serve import serve as run_service
        from pipeline.service.settings import Settings
    except ImportError as error:
        raise InputError("The service needs its packages: pip install 'review-insights[service]'") from error
    run_service(
        Settings(
            args.warehouse.absolute(),
            load(args.profile),
            key or None,
            host=args.host,
            port=args.port,
            hosts=tuple(name.lower() for name in args.allow_host),
            rate=args.rate,
            max_rows=args.max_rows,
        )
    )
    return 0


def doctor(args: argparse.Namespace) -> int:
    from pipeline.tools import doctor as module

    findings = module.examine(args.warehouse)
    print(json.dumps(findings, indent=2, default=str) if args.json else module.as_text(findings))
    return 0


COMMANDS = {
    "run": run,
    "sql": sql,
    "report": report,
    "nightly": nightly,
    "check": check,
    "finetune": finetune,
    "compare": compare,
    "calibrate": calibrate,
    "push": push,
    "bench": bench,
    "serve": serve,
    "doctor": doctor,
}


def _quiet_libraries() -> None:
    """Libraries chat on stderr; a user wants our progress and our errors."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore")
    logging.getLogger("transformers").setLevel(logging.ERROR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    _quiet_libraries()
    try:
        args = parser().parse_args(arguments)
        return COMMANDS[args.command](args)
    except ReviewInsightsError as error:
        print(f"review-insights: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("review-insights: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `review-insights sql ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> None:
    """The console script."""
    sys.exit(main())
