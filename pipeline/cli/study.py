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
    aspects = names.add_parser("aspects", help="themes and their sentiment on MAMS and SemEval-2014")
    aspects.add_argument("--data", type=Path, required=True, metavar="DIR", help="holds absa/, see the model card")


def study(args: argparse.Namespace) -> int:
    """Runs one of the studies below."""
    return {"people": people, "replies": replies, "aspects": aspects}[args.name](args)


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


def aspects(args: argparse.Namespace) -> int:
    """Prints, as JSON, how good themes and their sentiment are."""
    from pipeline.training.evaluate_aspects import evaluate

    show.as_json(evaluate(args.data))
    return 0


COMMANDS = (Command("study", "how metrics, replies and themes do against people's own judgement", study, (_options,)),)
