"""LoRA adapters without what peft brings along."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def without_bitsandbytes() -> Iterator[None]:
    """Inside, peft finds no bitsandbytes; where that is imported already, as it is once quantised weights were loaded, this
    does nothing.

    peft imports bitsandbytes wherever it is installed, for a network in full precision too: seconds, and on some
    processors a complaint on stderr. `None` in `sys.modules` is Python's documented way to make an import fail. What peft
    remembers of the answer is forgotten afterwards, so that the next network may be quantised. Not for two threads at once.
    """
    if "bitsandbytes" in sys.modules:
        yield
        return
    sys.modules["bitsandbytes"] = None  # type: ignore[assignment]
    try:
        import peft

        yield
    finally:
        del sys.modules["bitsandbytes"]
    peft.import_utils.is_bnb_available.cache_clear()
    peft.import_utils.is_bnb_4bit_available.cache_clear()
