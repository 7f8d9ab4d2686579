"""pack: what a trade needs, in one folder: drafted from reviews, and checked."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli import intake, options, show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError


def _options(sub: argparse.ArgumentParser) -> None:
    names = sub.add_subparsers(dest="action", required=True, metavar="new|check|list")
    new = names.add_parser("new", help="draft a pack from reviews of a trade")
    new.add_argument("name", metavar="NAME", help="what it is called, such as salon")
    source = "reviews, as --reviews of run; repeatable"
    new.add_argument("--from", dest="reviews_from", action="append", required=True, metavar="WHAT", help=source)
    columns = "which column holds what, as in run; repeatable"
    new.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help=columns)
    new.add_argument("--limit", type=int, metavar="N", help="only the first N records of each source")
    trade = "of the playbook (default: NAME)"
    new.add_argument("--trade", default="", metavar="ID", help=trade)
    head = "tune this model on the stars, instead of calibrating the reader: as --model of finetune, such as minilm"
    new.add_argument("--head", default="", metavar="M", help=head)
    new.add_argument("--out", dest="folder", type=Path, metavar="DIR", help="its folder (default: NAME)")
    options.profile(new)
    check = names.add_parser("check", help="whether a pack is whole, and how its examples are read")
    check.add_argument("pack", metavar="FOLDER", help="or the name of a shipped one")
    options.profile(check)
    check.add_argument("--json", action="store_true", help="a machine-readable summary on stdout")
    names.add_parser("list", help="the shipped packs")


def run(args: argparse.Namespace) -> int:
    """Runs one of the actions below."""
    return {"new": new, "check": check, "list": shipped}[args.action](args)


def new(args: argparse.Namespace) -> int:
    """Drafts a pack and says what is in it."""
    from pipeline.ingest.understanding import IngestOptions
    from pipeline.tuning.packs.draft import draft

    if args.limit is not None and args.limit < 1:
        raise InputError("--limit: give a number of records, 1 or more")
    reads = IngestOptions(mapping=intake.mapping_of(args.map), limit=args.limit)
    folder = args.folder or Path(args.name)
    with show.progress(False) as progress:
        made = draft(args.name, args.reviews_from, reads, args.trade, folder, args.head, args.profile, progress)
    show.lines([f"pack: {made.folder}", *made.lines])
    return 0


def check(args: argparse.Namespace) -> int:
    """Validates a pack: 1 if one of its examples is read otherwise than it says."""
    from pipeline.core import pack
    from pipeline.tuning.packs.check import check as checked

    with show.progress(args.json) as progress:
        found = checked(pack.folder_of(args.pack), args.profile, progress)
    wrong = len({line.split(":")[0] for line in found.misread})
    if args.json:
        show.as_json(vars(found))
    else:
        show.lines(
            [
                f"pack {found.name}: {found.themes} themes ({found.own_themes} of its own), {found.problems} problems of its own",
                f"{found.examples - wrong} of {found.examples} examples are read as they say",
                *([f"sentiment: {found.measured}"] if found.measured else []),
                *found.misread,
            ]
        )
    return 1 if found.misread else 0


def shipped(args: argparse.Namespace) -> int:
    """Prints the shipped packs with what they are for."""
    from pipeline.core import pack

    show.lines(f"{name}: {pack.load(pack.folder_of(name)).description}" for name in pack.names())
    return 0


COMMANDS = (Command("pack", "themes, problems and tuned sentiment of a trade, in one folder", run, (_options,)),)
