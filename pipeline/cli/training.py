"""train: trains the models that ship with the package anew."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.cli import show
from pipeline.cli.command import Command
from pipeline.core.errors import InputError
from pipeline.core.integrity import renew_if_shipped

# Options by parameter of pipeline.training.NAME.train, which has the defaults: type, help
OPTIONS: dict[str, tuple[type, str]] = {
    "epochs": (int, "passes over the examples"),
    "learning_rate": (float, "the highest one"),
    "seed": (int, "for the initial weights and the order of the examples"),
    "tokens": (int, "of text to train on"),
    "encoder": (str, "to start from: a folder, ID or ID@REVISION of the hub"),
    "minutes": (float, "after which it stops; the same command goes on from there"),
    "init": (Path, "a model of the same kind to continue from"),
    "vocabulary": (int, "tokens"),
    "review_steps": (int, "of the first phase"),
    "playbook_steps": (int, "of the second phase"),
    "pair_steps": (int, "of the third phase"),
}
METAVARS = {int: "N", float: "RATE", Path: "DIR", str: "NAME"}
MODELS = {
    "reader": (
        "the reader: sentiment, emotions and themes in many languages",
        ("tokens", "minutes", "seed", "encoder"),
    ),
    "problems": ("nothing: reads the library of problems anew, after its sentences changed", ()),
    "bleurt": ("the stand-in for BLEURT", ("epochs", "learning_rate", "seed")),
    "student": ("the base student", ("init", "vocabulary", "review_steps", "playbook_steps", "pair_steps")),
}


def _options(sub: argparse.ArgumentParser) -> None:
    names = sub.add_subparsers(dest="name", required=True, metavar="MODEL")
    for name, (purpose, parameters) in MODELS.items():
        model = names.add_parser(name, help=purpose, description=f"Trains {purpose}; figures as JSON on stdout.")
        if name != "problems":
            model.add_argument(
                "--data", type=Path, required=True, metavar="DIR", help="for its content see the model card"
            )
        folder = "reader" if name == "problems" else name
        model.add_argument("--out", type=Path, required=True, metavar="DIR", help=f"such as pipeline/models/{folder}")
        for option in parameters:
            kind, meaning = OPTIONS[option]
            flag, metavar = f"--{option.replace('_', '-')}", METAVARS[kind]
            model.add_argument(flag, type=kind, default=argparse.SUPPRESS, metavar=metavar, help=meaning)


def train(args: argparse.Namespace) -> int:
    """Trains a model; its figures go to stdout, the log to stderr. Raises InputError for missing packages or data."""
    given = {option: getattr(args, option) for option in OPTIONS if option in args}
    try:
        module = importlib.import_module(f"pipeline.training.{args.name}")
        with _logged():
            report = module.train(*([args.data] if "data" in args else []), args.out, **given)
        renew_if_shipped(args.out)
    except ImportError as error:
        raise InputError(f"Training needs its packages ({error}): pip install 'review-insights[training]'") from error
    except FileNotFoundError as error:
        raise InputError(
            f"--data {args.data}: {error.filename} is missing. See the model card for what it holds."
        ) from error
    show.as_json(report)
    return 0


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Shows our log lines on stderr meanwhile."""
    logger, handler = logging.getLogger("pipeline"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


COMMANDS = (Command("train", "train a model that ships with the package anew", train, (_options,)),)
