"""Parses the arguments, runs one command, and turns what it raises into one line and an exit code.

0 done, 1 a check failed, 2 bad usage or bad input (one line that says what to do next), 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import select
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from pipeline import __version__
from pipeline.cli import (
    check,
    lake,
    options,
    packs,
    plans,
    report,
    run,
    service,
    show,
    sources,
    study,
    tools,
    training,
    tuning,
)
from pipeline.cli.command import Command
from pipeline.core import faults
from pipeline.core.errors import InputError, ReviewInsightsError

GROUPS = (run, report, sources, lake, packs, check, tuning, plans, service, tools, training, study)
COMMANDS: dict[str, Command] = {command.name: command for group in GROUPS for command in group.COMMANDS}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise InputError(f"{message}. See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """The argument parser, with a sub-command for each of COMMANDS. Parsing raises InputError for bad usage."""
    main = _Parser(
        prog="review-insights", description="From customer reviews to what went wrong and what to do about it."
    )
    main.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        sub = commands.add_parser(command.name, help=command.help, description=command.help)
        for add in command.options:
            add(sub)
    return main


def quiet_libraries() -> None:
    """Silences libraries on stderr, which is for our progress and our errors, and towards their makers."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # a training would report its use to the hub
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore")
    for library in ("transformers", "bitsandbytes"):
        logging.getLogger(library).setLevel(logging.ERROR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    quiet_libraries()
    try:
        code = _run(arguments)
        sys.stdout.flush()  # here, a full disk is still told
        return code
    except ReviewInsightsError as error:
        return _tell(error, error.exit_code)
    except KeyboardInterrupt:
        return _tell("interrupted; the next run goes on from here", 130)
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        return 0
    except Exception as error:
        if not (told := faults.told(error)):
            raise
        with contextlib.suppress(OSError):  # what is left to print would fail again at the end of the process
            sys.stdout.flush()
        return _tell(told, told.exit_code)


def _run(arguments: Sequence[str] | None) -> int:
    args = parser().parse_args(arguments)
    options.fill_in(args)
    return COMMANDS[args.command].run(args)


def _tell(what: object, code: int) -> int:
    with contextlib.suppress(OSError):
        show.note(str(what))
    return code


def _nobody_reads() -> bool:
    """Whether it is stdout that is gone (`review-insights sql ... | head`), not a server: from here on, it goes nowhere."""
    poll = select.poll()
    poll.register(sys.stdout, select.POLLOUT)
    if not any(event & select.POLLERR for _, event in poll.poll(0)):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def entry() -> None:
    """The console script."""
    sys.exit(main())
