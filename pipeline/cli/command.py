"""The type of a command."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

Options = Callable[[argparse.ArgumentParser], None]  # adds a group of options to a command's parser


@dataclass(frozen=True)
class Command:
    """A command: its name, its help, what it runs, and its options."""

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]  # returns the exit code
    options: tuple[Options, ...] = ()
