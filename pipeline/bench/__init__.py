"""Speed beside the plain way to do the same, side by side in one run on this machine: `make bench`.

In: sizes. Out: figures beside their bars. Imported by cli; imports the rooms before it.
A part is a module here with `run(sizes) -> list[Measured]`. Models and WordNet are loaded before the clock starts.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence

from pipeline.bench.measure import Measured, Sizes
from pipeline.core.errors import InputError

# Modules of this package, in the order in which they run.
PARTS = ("ceilings", "startup", "read", "meteor", "score", "generate", "train", "ingest", "warehouse", "service")


def run(
    sizes: Sizes | None = None, only: Sequence[str] = (), tell: Callable[[str], None] = lambda part: None
) -> list[Measured]:
    """The figures of all parts, or of those in `only`; `tell` is called with the name of each part as it begins.

    Raises InputError for an unknown part, and for sizes that a part cannot be measured with.
    """
    if unknown := sorted(set(only) - set(PARTS)):
        raise InputError(f"--only {unknown[0]}: there is no such part. The parts are: {', '.join(PARTS)}")
    found: list[Measured] = []
    for part in PARTS:
        if not only or part in only:
            tell(part)
            found += importlib.import_module(f"pipeline.bench.{part}").run(sizes or Sizes())
    return found
