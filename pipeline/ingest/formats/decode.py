"""The content of a file as bytes and as text, gzipped or not, in any encoding, without holding it whole."""

from __future__ import annotations

import codecs
import contextlib
import functools
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from pipeline.core.errors import InputError
from pipeline.ingest.formats.encoding import detect_encoding, detect_second_encoding, is_foreign

_CHUNK = 1 << 18
_MOST_UNPACKED = 4 << 30  # bytes
_FREE_UNPACKED = 100 << 20  # bytes; few enough however small the file
_MOST_RATIO = 200  # of bytes unpacked to packed: text has less than 30, a bomb 1,000
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04")  # how gzip and zip files begin, workbooks among the latter


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


# What to do with bytes that an encoding does not define: browsers read the five that cp1252 leaves out as latin-1.
codecs.register_error("as_latin_1", _as_latin_1)
_ERRORS = {"cp1252": "as_latin_1"}


@contextlib.contextmanager
def open_bytes(source: Path) -> Iterator[BinaryIO]:
    """A file, gunzipped while it is read if need be. Raises InputError for a gzip file that is damaged or a bomb."""
    if source.suffix.lower() != ".gz":
        with source.open("rb") as file:
            yield file
        return
    try:
        with gzip.open(source) as zipped, io.BufferedReader(_Bounded(cast(BinaryIO, zipped), source)) as bounded:
            yield bounded
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{source} is not a whole gzip file ({error}). Export it again.") from error


def check_unpacked(size: int, packed: int, source: Path) -> None:
    """Raises InputError if a file would unpack to more than a list of reviews does."""
    if size > min(_MOST_UNPACKED, max(_FREE_UNPACKED, _MOST_RATIO * packed)):
        raise InputError(f"{source} unpacks to {size:,} bytes or more. Unpack it yourself and name the files.")


class _Bounded(io.RawIOBase):
    """What a gzip file unpacks to. Raises InputError where that is too much."""

    def __init__(self, file: BinaryIO, source: Path) -> None:
        self._file, self._source, self._packed = file, source, source.stat().st_size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        check_unpacked(self._file.tell(), self._packed, self._source)
        return len(data)


def seekable(source: Path) -> Path | BinaryIO:
    """A file for readers that jump about in it: a gzipped one is gunzipped into memory. Raises InputError if damaged."""
    if source.suffix.lower() != ".gz":
        return source
    with open_bytes(source) as file:
        return io.BytesIO(file.read())


@contextlib.contextmanager
def open_text(source: Path, encoding: str | None) -> Iterator[tuple[TextIO, str]]:
    """A text file, its line breaks as they are, and the name of its encoding. If `encoding` is None, that is decided by
    the byte order mark, as UTF-16 if every other byte is NUL, as UTF-8 if valid, else by `detect_encoding`; it is two,
    "utf-8/gb18030", where only some of the lines are UTF-8. Raises
    InputError for a blank file and for an unknown encoding.
    """
    with open_bytes(source) as file:
        if file.read(4).startswith(_COMPRESSED):
            raise InputError(f"{source} is no text but a compressed file. Unpack it, or give it its own extension.")
        file.seek(0)
        name = encoding or _find_encoding(file)
        codec, second = (_codec(part) if part else "" for part in name.partition("/")[::2])
        if second:
            file = io.BufferedReader(_Transcoded(file, second))
        with io.TextIOWrapper(file, codec, errors=_ERRORS.get(codec, "replace"), newline="") as stream:
            if not any(chunk.strip() for chunk in iter(functools.partial(stream.read, _CHUNK), "")):
                raise InputError(f"{source} is empty. Export it again, or name another file.")
            stream.seek(0)
            yield stream, name


class _Transcoded(io.RawIOBase):
    """A text in UTF-8 whose other lines are in a second encoding, as UTF-8. It can be read again from its start."""

    def __init__(self, file: BinaryIO, second: str) -> None:
        self._file, self._second, self._line = file, second, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset:  # TextIOWrapper asks where it is
            return self._file.tell()
        self._line = b""
        return self._file.seek(0)

    def readinto(self, buffer: Any) -> int:
        if not self._line:
            self._line = self._file.readline(_CHUNK)
            if is_foreign(self._line):
                self._line = self._line.decode(self._second, _ERRORS.get(self._second, "replace")).encode()
        size = min(len(buffer), len(self._line))
        buffer[:size], self._line = self._line[:size], self._line[size:]
        return size


def _codec(encoding: str) -> str:
    """The name under which Python knows an encoding; a byte order mark is no text. Raises InputError if it does not."""
    try:
        b"a".decode(encoding, "replace")
        codec = codecs.lookup(encoding).name
        return "utf-8-sig" if codec == "utf-8" else codec
    except (LookupError, ValueError) as error:
        known = "Common ones: utf-8, utf-16, cp1252, cp1251, gb18030, big5, shift_jis, euc_kr."
        raise InputError(f"--encoding {encoding}: there is no text encoding of that name. {known}") from error


def _find_encoding(file: BinaryIO) -> str:
    head = file.read(4)
    file.seek(0)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if head[1:2] == b"\x00" and head[3:4] == b"\x00":
        return "utf-16-le"
    if head[:1] == b"\x00" and head[2:3] == b"\x00":
        return "utf-16-be"
    encoding = "utf-8" if _is_utf8(file) else None
    file.seek(0)
    if encoding:
        return encoding
    second = detect_second_encoding(iter(functools.partial(file.readline, _CHUNK), b""))
    file.seek(0)
    encoding = f"utf-8/{second}" if second else detect_encoding(iter(functools.partial(file.readline, _CHUNK), b""))
    file.seek(0)
    return encoding


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in iter(functools.partial(file.read, _CHUNK), b""):
            decoder.decode(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True
