"""Groups of options that several commands share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.cli import intake, show
from pipeline.core.queries import PARAMETERS


@dataclass(frozen=True)
class Place:
    """Where the results of a run go unless --warehouse and --out say otherwise."""

    warehouse: Path
    exports: Path


OWN = Place(Path("insights.duckdb"), Path("exports"))
SAMPLE = Place(Path("sample.duckdb"), Path("exports") / "sample")


def fill_in(args: argparse.Namespace) -> None:
    """Sets the warehouse and the report's folder where the command line named none."""
    if "warehouse" not in args:
        return
    place = _place(args)
    if args.warehouse is None:
        args.warehouse = place.warehouse
    if "out" not in args:  # not None, which to `sql` is the screen
        args.out = place.exports


def _place(args: argparse.Namespace) -> Place:
    if "reviews" in args:  # a run
        return OWN if args.reviews or intake.sources_file(args) else SAMPLE
    if args.warehouse is not None:
        return SAMPLE if args.warehouse.name == SAMPLE.warehouse.name else OWN
    if OWN.warehouse.exists() or not SAMPLE.warehouse.exists():
        return OWN
    show.note(f"there is no {OWN.warehouse} yet; this is {SAMPLE.warehouse}, the bundled sample")
    return SAMPLE


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is no day: write it as 2026-03-31") from None


def warehouse(sub: argparse.ArgumentParser) -> None:
    """--warehouse, which `fill_in` completes."""
    default = f"default: {OWN.warehouse}; of the bundled sample {SAMPLE.warehouse}"
    sub.add_argument("--warehouse", type=Path, metavar="FILE", help=default)


def out(sub: argparse.ArgumentParser) -> None:
    """--out, where the report goes, which `fill_in` completes."""
    where = f"where the report goes (default: {OWN.exports}; of the bundled sample {SAMPLE.exports})"
    sub.add_argument("--out", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=where)


def profile(sub: argparse.ArgumentParser) -> None:
    """--profile."""
    sub.add_argument("--profile", default="embedded", metavar="NAME", help="a shipped profile, or a .toml file")


def as_json(sub: argparse.ArgumentParser) -> None:
    """--json."""
    sub.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")


def filters(sub: argparse.ArgumentParser) -> None:
    """Which reviews a query or a report covers."""
    for name in ("business", "product", "language"):
        sub.add_argument(f"--{name}", metavar="NAME", help=PARAMETERS[name])
    for name in ("since", "until"):
        sub.add_argument(f"--{name}", type=_day, metavar="YYYY-MM-DD", help=PARAMETERS[name])
    sub.add_argument("--segment", type=_segment, action="append", metavar="KEY=VALUE", help=PARAMETERS["segment"])


def _segment(value: str) -> str:
    key, _, wanted = (part.strip() for part in value.partition("="))
    if not key or not wanted:
        raise argparse.ArgumentTypeError(f"{value!r} names no segment: write it as KEY=VALUE, such as country=DE")
    return f"{key}={wanted}"


def baselines(sub: argparse.ArgumentParser) -> None:
    """--baselines."""
    where = "where baselines are kept (default: those that are shipped)"
    sub.add_argument("--baselines", type=Path, metavar="DIR", help=where)


def corrections(sub: argparse.ArgumentParser) -> None:
    """--corrections."""
    what = "a file with the columns review_id and sentiment, such as mended rows of an export: goes before stars"
    sub.add_argument("--corrections", type=Path, metavar="FILE", help=what)


def mask(sub: argparse.ArgumentParser) -> None:
    """--mask."""
    what = "hide e-mail addresses, phone numbers, names and the like in the report and its files"
    sub.add_argument("--mask", action="store_true", help=what)


def export(sub: argparse.ArgumentParser) -> None:
    """For commands that write the report."""
    out(sub)
    folder = "name of the dated folder (default: today)"
    sub.add_argument("--date", type=_day, metavar="YYYY-MM-DD", help=folder)
    filters(sub)
    sub.add_argument("--per-business", action="store_true", help="a report for each business too")
    mask(sub)
    groups = "a TOML file with groups of emotions of your own"
    sub.add_argument("--emotion-groups", type=Path, metavar="FILE", help=groups)
    baselines(sub)


def engine(sub: argparse.ArgumentParser) -> None:
    """--engine, --workers."""
    where = "where reviews are read: local, ray (a cluster of its own on this machine), or ray:ADDRESS (one that is running, such as ray:auto)"
    sub.add_argument("--engine", default="local", metavar="NAME", help=where)
    sub.add_argument("--workers", type=int, default=2, metavar="N", help="processes of --engine ray (default: 2)")
