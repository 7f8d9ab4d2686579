"""What a command of the command line is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

Options = Callable[[argparse.ArgumentParser], None]  # adds a group of options to a command's parser


@dataclass(frozen=True)
class Command:
    name: str
    help: str
    run: Callable[[argparse.Namespace], int]  # returns the exit code
    options: tuple[Options, ...] = ()
