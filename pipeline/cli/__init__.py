"""The command line: one module per group of commands, each command beside its options. Nothing else prints or exits.

In: arguments. Out: results on stdout, progress and errors on stderr, an exit code.
Imported by nobody.

A new command is a `Command` in a module here, and that module's name in `main.GROUPS`.
"""

from pipeline.cli.main import COMMANDS, entry, main, parser

__all__ = ["COMMANDS", "entry", "main", "parser"]
