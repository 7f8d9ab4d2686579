"""The command line: one module per group of commands. Nothing else prints or exits.

In: arguments. Out: text on stdout, progress on stderr, an exit code.
Imported by nobody.
"""

from pipeline.cli.commands import COMMANDS, entry, main, parser

__all__ = ["COMMANDS", "entry", "main", "parser"]
