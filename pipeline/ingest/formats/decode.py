"""The text of a file, whatever its encoding."""

from __future__ import annotations

import gzip
from pathlib import Path

from pipeline.core.errors import InputError


def decode(source: str, encoding: str | None) -> str:
    """The text of a file: by its byte order mark, as UTF-8, as UTF-16 when every other byte is NUL, else cp1252."""
    data = Path(source).read_bytes()
    if source.lower().endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise InputError(f"{source} is not a whole gzip file ({error}). Export it again.") from error
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
