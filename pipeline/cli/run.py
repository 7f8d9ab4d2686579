"""run, nightly: run every stage on reviews and write the report."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import options, show
from pipeline.cli.command import Command
from pipeline.cli.report import write_report
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.ingest.load import IngestOptions
    from pipeline.ingest.sources_file import Source
    from pipeline.run import RunResult


def _run_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--until", metavar="STAGE", help="stop after that stage")
    sub.add_argument("--out", type=Path, default=Path("exports"), metavar="DIR", help="where the report goes")
    sub.add_argument("--no-report", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Runs the stages, writes the report unless told not to, and shows a summary."""
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import build, digest
    from pipeline.report.content import gather

    result = _run_stages(args, args.until)
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        if args.no_report:
            facts = digest.facts(result, gather(warehouse), None)
        else:
            report = build.write(warehouse, args.out)
            facts = digest.facts(result, report.content, report.folder)
    if args.json:
        show.as_json(facts)
    else:
        show.summary(facts)
    return 0


def nightly(args: argparse.Namespace) -> int:
    """Runs all stages, writes the report and checks the run: 1 on a regression. Raises InputError for an unusable baseline."""
    from pipeline.report import digest

    result = _run_stages(args, None)
    report = write_report(args, night=True)
    verdict = report.verdict
    first = None if args.baselines or verdict else _first_baseline(args)
    if isinstance(verdict, InputError):  # an unusable baseline; the report has been written all the same
        raise verdict
    facts = digest.facts(result, report.content, report.folder)
    if args.json:
        show.as_json({**facts, "check": verdict.as_dict() if verdict else None})
    else:
        show.summary(facts)
        show.verdict(verdict.as_text() if verdict else None, first)
    return 0 if verdict is None or verdict.passed else 1


def _first_baseline(args: argparse.Namespace) -> Path | None:
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.quality.baseline import record_first

    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        return record_first(warehouse, load(args.profile).name)


def _run_stages(args: argparse.Namespace, until: str | None) -> RunResult:
    from pipeline.core.profile import load
    from pipeline.run import run as run_pipeline

    ingest = _ingest_options(args)
    with show.progress(args.json) as progress:
        return run_pipeline(
            _reviews(args),
            args.warehouse,
            load(args.profile),
            ingest,
            until=until,
            retry_failed=args.retry_failed,
            progress=progress,
        )


def _reviews(args: argparse.Namespace) -> Sequence[str] | Sequence[Source]:
    """What --reviews names, else --sources, else ./sources.toml where there is one, else the bundled sample."""
    from pipeline.core.assets import SAMPLE
    from pipeline.ingest.sources_file import DEFAULT, load_sources

    if args.reviews and args.sources:
        raise InputError("Give --reviews or --sources, not both.")
    if args.reviews:
        reviews: list[str] = args.reviews
        return reviews
    file = args.sources or (DEFAULT if DEFAULT.is_file() else None)
    return load_sources(file) if file else [str(SAMPLE)]


def _ingest_options(args: argparse.Namespace) -> IngestOptions:
    from pipeline.ingest.load import IngestOptions

    mapping = {}
    for item in args.map:
        field, equals, column = item.partition("=")
        if not equals or not field or not column:
            raise InputError(f"--map {item}: write FIELD=COLUMN, for instance --map text=body")
        mapping[field] = column
    if args.limit is not None and args.limit < 1:
        raise InputError("--limit: give a number of records, 1 or more")
    delimiter = "\t" if args.delimiter in ("tab", "\\t") else args.delimiter
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InputError(f"--delimiter {args.delimiter}: give one character, for instance --delimiter ';', or tab")
    return IngestOptions(
        mapping=mapping,
        limit=args.limit,
        zero_based_stars=args.zero_based_stars,
        encoding=args.encoding,
        delimiter=delimiter,
    )


COMMANDS = (
    Command(
        "run",
        "run every stage on reviews and write the report",
        run,
        (options.warehouse, options.profile, options.reviews, _run_options, options.as_json),
    ),
    Command(
        "nightly",
        "run, check and report; exit 1 when the check finds a regression, 2 for bad input",
        nightly,
        (options.warehouse, options.profile, options.reviews, options.export, options.as_json),
    ),
)
