"""ZIP archives, as Google Takeout and Kaggle hand them out: each member of a known format is a part."""

from __future__ import annotations

import dataclasses
import errno
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.core.errors import InputError
from pipeline.ingest import formats
from pipeline.ingest.formats.decode import check_unpacked, seekable
from pipeline.ingest.formats.record import Broken, Item, Layout, ReadOptions

_ABOUT = {"readme", "license", "licence", "citation", "notice"}  # texts about the data


def read_zip(source: Path, options: ReadOptions) -> Iterator[Item]:
    """Layouts and records of the members in order, each unpacked into a temporary folder while it is read. If some are
    called reviews, as in Google Takeout, the others are left out. A member that cannot be read is Broken, and so is an
    archive in the archive. Raises
    InputError for an archive that is damaged, encrypted or a zip bomb, or of which no member can be read.
    """
    reason = f"no file in it is of a known format ({formats.KNOWN})."
    readable = False
    try:
        with zipfile.ZipFile(seekable(source)) as archive, tempfile.TemporaryDirectory() as folder:
            for member in _members(archive, source):
                if formats.extension(Path(member.filename)) == ".zip":
                    yield Broken(member.filename, f"{member.filename} was not read: it is an archive in an archive")
                    continue
                reason = "its files hold no records."
                try:
                    for item in _read_member(archive, member, Path(folder), options):
                        readable |= isinstance(item, dict)
                        yield item
                except InputError as error:
                    reason = str(error)
                    yield Broken(member.filename, f"{member.filename} was not read: {reason}")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{source} is not a ZIP file that can be read: {error}. Unpack it and name the files."
        ) from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the file's start
            raise
        raise InputError(
            f"{source} is a damaged ZIP file. Export it again, or unpack it and name the files."
        ) from error
    if not readable:
        raise InputError(f"{source} holds no reviews: {reason}")


def _members(archive: zipfile.ZipFile, source: Path) -> list[zipfile.ZipInfo]:
    """The members to read. Raises InputError for a zip bomb."""
    members = [member for member in archive.infolist() if _is_readable(PurePosixPath(member.filename))]
    called = [member for member in members if PurePosixPath(member.filename).name.lower().startswith("reviews")]
    chosen = called or members
    unpacked, packed = (sum(getattr(member, size) for member in chosen) for size in ("file_size", "compress_size"))
    check_unpacked(unpacked, packed, source)
    return chosen


def _is_readable(name: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts if part != "..")
    about = name.suffix.lower() == ".txt" and name.stem.lower() in _ABOUT
    return formats.is_known(Path(name)) and not hidden and not about


def _read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, options: ReadOptions
) -> Iterator[Item]:
    """The items of a member, unpacked under a name of our own: its own may lead out of the folder."""
    suffixes = PurePosixPath(member.filename).suffixes[-2:]
    file = folder / f"member{''.join(suffixes)}"
    with archive.open(member) as packed, file.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    try:
        for item in formats.read(file, options):
            if isinstance(item, Layout):
                part = member.filename if item.part is None else f"{member.filename}: {item.part}"
                item = dataclasses.replace(item, part=part)
            yield item
    except InputError as error:
        raise InputError(str(error).replace(str(file), member.filename)) from error
    finally:
        file.unlink()
