"""peft without bitsandbytes, where nothing is quantised."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def without_bitsandbytes() -> Iterator[None]:
    """Hides bitsandbytes from peft within the block; does nothing once it is imported, as it is after quantised weights
    were loaded.

    peft imports bitsandbytes wherever it is installed, even for a network in full precision: that takes seconds, and on
    some processors prints a warning to stderr. `None` in `sys.modules` is Python's documented way to make an import fail.
    peft's cached answer is cleared afterwards, so that the next network may be quantised. Not thread-safe.
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
