"""What the machine refuses, each in one line: a full disk, no right to write, no memory, damaged files.

Only what these say for certain is told so; any other exception is a bug, and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import re

from pipeline.core.errors import InputError

_FULL = "the disk is full. Free some space and run again: it goes on from what was committed."
_FORBIDDEN = "it cannot be written or read ({}). Give this user the right to, or name another place."
_TOO_MANY = "too many files are open. Raise the limit (ulimit -n 4096) and run again."
_BROKEN = "the disk cannot be read or written ({}). Check the disk before you run again."
_MEMORY = "there is not enough memory. Close other programs or give this one more, then run again: it goes on from what was committed."

_SYSTEM = {  # the system's numbers of what a user can mend
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _BROKEN,
    errno.EROFS: _FORBIDDEN,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.EIO: _BROKEN,
    errno.ENOMEM: _MEMORY,
}
# Other libraries pass on the system's words, or have their own for the same.
_WORDS = {os.strerror(number): sentence for number, sentence in _SYSTEM.items()} | {
    "max_temp_directory_size": _FULL,  # DuckDB, of what does not fit into memory
    "database or disk is full": _FULL,  # SQLite
    "PytorchStreamWriter failed writing": _FULL,  # torch, of a checkpoint
    "unexpected pos": _FULL,  # the same
    "readonly database": _FORBIDDEN,  # SQLite
    "not enough memory": _MEMORY,  # torch
    "can't allocate memory": _MEMORY,
    "out of memory": _MEMORY,  # CUDA
    "could not allocate block": _MEMORY,  # DuckDB
}
_SPOKEN = re.compile("|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True)), re.IGNORECASE)
# Classes whose messages are such words, by name: what raises them is imported only where it is used. Others may quote a review.
_SPEAKERS = {
    *("RuntimeError", "OutOfMemoryError", "SafetensorError", "OperationalError", "Error"),
    *("IOException", "TransactionException", "FatalException", "OutOfMemoryException", "InternalException"),
}
_FILE = re.compile(r"""file "([^"]+)"|'([^']*/[^']+)'""")


def told(error: BaseException) -> InputError | None:
    """The line for what the machine refused; None for any other error."""
    if isinstance(error, MemoryError):
        return InputError(_sentence(_MEMORY))
    if isinstance(error, OSError) and error.errno in _SYSTEM:
        place = error.filename2 or error.filename
        return InputError(_sentence(_SYSTEM[error.errno].format(error.strerror), place))
    if type(error).__name__ in _SPEAKERS | {"OSError"} and (found := _SPOKEN.search(str(error))):
        said = next(words for words in _WORDS if words.lower() == found[0].lower())
        file = _FILE.search(str(error))
        return InputError(_sentence(_WORDS[said].format(said), file and (file[1] or file[2])))
    if type(error).__name__ == "SafetensorError":
        return InputError(f"A model's weights are truncated or damaged ({error}). Download or train that model again.")
    return None


def _sentence(words: str, place: object = None) -> str:
    if place is None or isinstance(place, int):  # an open file's number tells nobody anything
        return words[0].upper() + words[1:]
    return f"{os.fsdecode(place) if isinstance(place, bytes) else place}: {words}"
