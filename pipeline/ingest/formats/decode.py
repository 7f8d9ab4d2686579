"""The content of a file as bytes and as text, gzipped or not, in any encoding."""

from __future__ import annotations

import gzip
from pathlib import Path

from pipeline.core.errors import InputError


def contents(source: Path) -> bytes:
    """The bytes of a file, gunzipped if need be. Raises InputError for a damaged gzip file."""
    data = source.read_bytes()
    if source.suffix.lower() != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise InputError(f"{source} is not a whole gzip file ({error}). Export it again.") from error


def read_text(source: Path, encoding: str | None) -> str:
    """The text of a file in `encoding`; if that is None, decoded by its byte order mark, as UTF-16 if every other byte is
    NUL, as UTF-8 if valid, else as cp1252. Raises InputError for a blank file.
    """
    text = _decode(contents(source), encoding)
    if not text.strip():
        raise InputError(f"{source} is empty. Export it again, or name another file.")
    return text


def _decode(data: bytes, encoding: str | None) -> str:
    if encoding is None:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        elif data[1:2] == b"\x00" and data[3:4] == b"\x00":
            encoding = "utf-16-le"
        elif data[:1] == b"\x00" and data[2:3] == b"\x00":
            encoding = "utf-16-be"
        else:
            try:
                return data.decode("utf-8-sig")
            except UnicodeDecodeError:
                encoding = "cp1252"
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return data.decode("latin-1") if encoding == "cp1252" else data.decode("utf-8", "replace")
