"""study: how metrics, replies and themes do on public data, for the figures in the documentation."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli import show
from pipeline.cli.command import Command


def _options(sub: argparse.ArgumentParser) -> None:
    names = sub.add_subparsers(dest="name", required=True, metavar="STUDY")
    people = names.add_parser("people", help="do the metrics follow people's ratings of translations (WMT17)?")
    people.add_argument("--data", type=Path, required=True, metavar="DIR", help="holds metrics/wmt17/*.tsv")
    replies = names.add_parser("replies", help="reply drafts against what a company really answered")
    columns = "a CSV file with the columns content, replyContent and score"
    replies.add_argument("--data", type=Path, required=True, metavar="FILE", help=columns)
    replies.add_argument("--limit", type=int, default=300, metavar="N", help="reviews (default: 300)")
    parser = names.add_parser(
        "reader", help="the reader on labelled reviews, comments and targets that it was not trained on"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="for its content see the model card")


def study(args: argparse.Namespace) -> int:
    """Runs one of the studies below."""
    return {"people": people, "replies": replies, "reader": reader}[args.name](args)


def people(args: argparse.Namespace) -> int:
    """Prints how metrics correlate with human ratings."""
    from pipeline.tools import human

    print(human.as_text(human.agreement(human.read(args.data))))
    return 0


def replies(args: argparse.Namespace) -> int:
    """Prints how reply drafts compare with a company's own."""
    from pipeline.tools.reply_study import measure

    for name, value in measure(args.data, args.limit).items():
        print(f"{name:<26}{value:.3f}")
    return 0


def reader(args: argparse.Namespace) -> int:
    """Prints, as JSON, how good the reader is."""
    from pipeline.training.reader.ship import measure

    show.as_json(measure(args.data))
    return 0


COMMANDS = (Command("study", "how metrics, replies and themes do against people's own judgement", study, (_options,)),)
