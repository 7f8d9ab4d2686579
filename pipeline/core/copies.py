"""How a run gets its working copy of a published warehouse without copying all of it for one new review.

Where the file system shares blocks between files (btrfs, XFS), a copy is instant. Elsewhere, of a large warehouse, the file
that the latest run replaced is kept beside it (`spare`) and brought up to date: DuckDB never writes into a block that its
last checkpoint holds, and each block begins with a checksum of its content, so that only blocks are copied whose checksums
differ. A spare that anybody still has open is left to them. Else, all is copied.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LARGE = 256 * 2**20  # bytes of a file of which a spare is kept
_FICLONE = 0x40049409  # ioctl_ficlone(2)
_HEADERS = 3 * 4096  # of a DuckDB file, before its blocks
_BLOCK, _CHECKSUM = 256 * 1024, 8


def spare(path: Path) -> Path:
    """Where the file that was published before is kept."""
    return path.with_name(f"{path.name}.spare")


def keep_spare(path: Path) -> None:
    """Keeps the published file, which is about to be replaced, if it is large."""
    spare(path).unlink(missing_ok=True)
    if fcntl and path.exists() and path.stat().st_size >= LARGE:
        with contextlib.suppress(OSError):  # a file system without links
            os.link(path, spare(path))


def copy(path: Path, target: Path) -> None:
    """Writes a copy of a published warehouse to `target`, which is whole once this returns."""
    new = target.with_name(f"{target.name}.tmp")
    if _shares_blocks(path, new):
        spare(path).unlink(missing_ok=True)
    elif not _from_spare(path, new):
        shutil.copyfile(path, new)
    os.replace(new, target)


def _shares_blocks(path: Path, new: Path) -> bool:
    if not fcntl:
        return False
    with path.open("rb") as source, new.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
        except OSError:
            return False
    return True


def _from_spare(path: Path, new: Path) -> bool:
    """Whether `new` could be made from the spare."""
    try:
        os.replace(spare(path), new)  # half of it may be new soon: it is not to be found under its name
        if not _unused(new):
            raise OSError
        with path.open("rb") as source, new.open("r+b") as copy:
            _update(source.fileno(), copy.fileno())
    except OSError:
        new.unlink(missing_ok=True)
        return False
    return True


def _unused(file: Path) -> bool:
    """Whether nobody has it open: readers, backups, this process. Only Linux can tell (fcntl(2), leases)."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    with file.open("r+b") as opened:
        try:
            fcntl.fcntl(opened, fcntl.F_SETSIG, signal.SIGURG)  # which is ignored, should somebody open it right now
            fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError:
            return False
    return True


def _update(source: int, copy: int) -> None:
    """Makes one file like the other, block by block. Both are read at places: an operating system that reads ahead would read all."""
    size = os.fstat(source).st_size
    for file in (source, copy):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    os.pwrite(copy, os.pread(source, _HEADERS, 0), 0)
    for place in range(_HEADERS, size, _BLOCK):
        if os.pread(source, _CHECKSUM, place) != os.pread(copy, _CHECKSUM, place):
            os.pwrite(copy, os.pread(source, _BLOCK, place), place)
    os.ftruncate(copy, size)
    os.fsync(copy)
