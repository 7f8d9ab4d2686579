"""Groups of options that several commands share."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from pipeline.core.queries import PARAMETERS


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is no day: write it as 2026-03-31") from None


def warehouse(sub: argparse.ArgumentParser) -> None:
    """--warehouse."""
    sub.add_argument("--warehouse", type=Path, default=Path("insights.duckdb"), metavar="FILE")


def profile(sub: argparse.ArgumentParser) -> None:
    """--profile."""
    sub.add_argument("--profile", default="embedded", metavar="NAME", help="a shipped profile, or a .toml file")


def as_json(sub: argparse.ArgumentParser) -> None:
    """--json."""
    sub.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")


def reviews(sub: argparse.ArgumentParser) -> None:
    """For commands that read reviews."""
    sub.add_argument(
        "--reviews",
        action="append",
        metavar="WHAT",
        help="file, glob, folder, hf:NAME[:CONFIG][:SPLIT], or an address: https://, s3://, gs://, postgres://, sqlite://; "
        "repeatable (default: those of sources.toml, else the bundled sample)",
    )
    sub.add_argument(
        "--sources", type=Path, metavar="FILE", help="a TOML file of sources, each with options of its own"
    )
    sub.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="which column holds what, e.g. text=body or text=pros+cons; repeatable",
    )
    sub.add_argument("--encoding", metavar="NAME", help="of text files, e.g. gb18030 or cp1250 (default: detected)")
    sub.add_argument("--delimiter", metavar="CHARACTER", help="between cells, or the word tab (default: detected)")
    sub.add_argument("--zero-based-stars", action="store_true", help="the file counts its stars from 0 to 4")
    sub.add_argument("--limit", type=int, metavar="N", help="only the first N records of each source")
    sub.add_argument("--retry-failed", action="store_true", help="try rows again that ended in an error")


def filters(sub: argparse.ArgumentParser) -> None:
    """Which reviews a query or a report covers."""
    for name in ("business", "product", "language"):
        sub.add_argument(f"--{name}", metavar="NAME", help=PARAMETERS[name])
    for name in ("since", "until"):
        sub.add_argument(f"--{name}", type=_day, metavar="YYYY-MM-DD", help=PARAMETERS[name])


def baselines(sub: argparse.ArgumentParser) -> None:
    """--baselines."""
    where = "where baselines are kept (default: those that are shipped)"
    sub.add_argument("--baselines", type=Path, metavar="DIR", help=where)


def export(sub: argparse.ArgumentParser) -> None:
    """For commands that write the report."""
    sub.add_argument("--out", type=Path, default=Path("exports"), metavar="DIR")
    folder = "name of the dated folder (default: today)"
    sub.add_argument("--date", type=_day, metavar="YYYY-MM-DD", help=folder)
    filters(sub)
    sub.add_argument("--per-business", action="store_true", help="a report for each business too")
    groups = "a TOML file with groups of emotions of your own"
    sub.add_argument("--emotion-groups", type=Path, metavar="FILE", help=groups)
    baselines(sub)
