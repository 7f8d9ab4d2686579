"""bench, doctor, build-wordnet: for this machine, and for work on the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli import options, show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError


def _bench_options(sub: argparse.ArgumentParser) -> None:
    pairs = "a CSV file of text pairs (default: from the bundled sample)"
    sub.add_argument("--data", type=Path, metavar="FILE", help=pairs)
    sub.add_argument("--limit", type=int, default=200, metavar="N", help="pairs and texts to time, 0 for all")
    sub.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each method is timed")
    sub.add_argument("--only", action="append", metavar="PART", help="this part only; may be given again")
    sub.add_argument("--requests", type=int, default=40, metavar="N", help="to each way to serve, in a round")
    sub.add_argument("--rows", type=int, default=5000, metavar="N", help="rows of the file to ingest")


def bench(args: argparse.Namespace) -> int:
    """Runs the benchmarks and prints them as a table; what is measured, as it begins, to stderr."""
    from pipeline import bench as module
    from pipeline.bench.measure import Sizes, as_table

    if args.limit < 0:
        raise InputError("--limit: give a number of pairs, or 0 for all")
    sizes = Sizes(args.limit, args.rounds, args.rows, args.data, args.requests)
    measured = module.run(sizes, args.only or (), lambda part: show.note(f"bench: {part}"))
    if args.json:
        show.as_json({"measured": [vars(one) | {"reached": one.reached} for one in measured]})
    else:
        print(as_table(measured))
    return 0


def doctor(args: argparse.Namespace) -> int:
    """Prints what this machine has and what each profile needs."""
    from pipeline.tools import doctor as module

    findings = module.examine(args.warehouse)
    if args.json:
        show.as_json(findings)
    else:
        print(module.as_text(findings))
    return 0


def _wordnet_options(sub: argparse.ArgumentParser) -> None:
    source = "WordNet 3.0's dictionary files, such as /usr/share/wordnet (Debian: apt install wordnet-base)"
    sub.add_argument("--wordnet", type=Path, required=True, metavar="DIR", help=source)
    sub.add_argument("--out", type=Path, required=True, metavar="FILE", help="the table; the licence goes beside it")


def build_wordnet(args: argparse.Namespace) -> int:
    """Builds the table and prints its size."""
    from pipeline.tools.build_wordnet import build

    build(args.wordnet, args.out)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes")
    return 0


COMMANDS = (
    Command(
        "bench",
        "how fast this machine is at what the pipeline does most, against the plain way",
        bench,
        (options.warehouse, _bench_options, options.as_json),
    ),
    Command(
        "doctor",
        "versions, device, and what each profile needs",
        doctor,
        (options.warehouse, options.as_json),
    ),
    Command("build-wordnet", "build the table of WordNet that METEOR reads", build_wordnet, (_wordnet_options,)),
)
