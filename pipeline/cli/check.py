"""check: the latest run against the recorded baseline."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from pipeline.cli import options, show
from pipeline.cli.command import Command


def _options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--record", metavar="REASON", help="record the latest run as the baseline, and why")
    junit = "also write the findings as JUnit XML, for CI servers"
    sub.add_argument("--junit", type=Path, metavar="FILE", help=junit)


def check(args: argparse.Namespace) -> int:
    """Checks the latest run, or records it as the baseline; 1 if it has regressed."""
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.quality import baseline
    from pipeline.quality import check as checking

    profile = load(args.profile).name
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        if args.record:
            print(baseline.record(warehouse, profile, args.record, args.baselines))
            return 0
        first = None if args.baselines else baseline.record_first(warehouse, profile)
        verdict = checking.check(warehouse, profile, args.baselines)
    if args.junit:
        args.junit.write_text(verdict.as_junit(), encoding="utf-8")
    if args.json:
        show.as_json(verdict.as_dict())
    else:
        show.verdict(verdict.as_text(), first)
    return 0 if verdict.passed else 1


COMMANDS = (
    Command(
        "check",
        "compare the latest run with the recorded baseline; exit 1 on a regression",
        check,
        (options.warehouse, options.profile, _options, options.baselines, options.as_json),
    ),
)
