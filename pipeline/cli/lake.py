"""lake: many warehouses as one."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli import options, show
from pipeline.cli.command import Command


def _lake_options(sub: argparse.ArgumentParser) -> None:
    catalogue = "where the lake keeps its books: sqlite:FILE, or postgres:CONNECTION"
    sub.add_argument("--catalogue", default="sqlite:lake.sqlite", metavar="KIND:WHERE", help=catalogue)
    files = "the folder of its Parquet files, where the lake is new (default: beside the catalogue in SQLite)"
    sub.add_argument("--files", type=Path, metavar="DIR", help=files)
    sub.add_argument("--name", metavar="NAME", help="what this warehouse is called there (default: its file's name)")


def lake(args: argparse.Namespace) -> int:
    """Pours what is new into the lake, and prints what changed."""
    from pipeline.tools.lake import pour

    name = args.name or args.warehouse.stem
    changed = pour(args.warehouse, args.catalogue, name, args.files)
    if args.json:
        show.as_json({"warehouse": name, "changed": {t: {"added": a, "removed": r} for t, (a, r) in changed.items()}})
    else:
        show.lines([f"{t}: {a:,} rows added, {r:,} removed" for t, (a, r) in changed.items()] or ["nothing is new"])
    return 0


COMMANDS = (
    Command(
        "lake",
        "pour what is new into a DuckLake that many warehouses share",
        lake,
        (options.warehouse, _lake_options, options.as_json),
    ),
)
