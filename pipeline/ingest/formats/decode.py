"""The content of a file as bytes and as text, gzipped or not, in any encoding."""

from __future__ import annotations

import gzip
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.ingest.formats.encoding import detect_encoding


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
    NUL, as UTF-8 if valid, else by `detect_encoding`. Raises InputError for a blank file and for an unknown encoding.
    """
    data = contents(source)
    text = _decode_as(data, encoding) if encoding is not None else _decode(data)
    if not text.strip():
        raise InputError(f"{source} is empty. Export it again, or name another file.")
    return text


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decode_as(data, "utf-16")
    if data[1:2] == b"\x00" and data[3:4] == b"\x00":
        return _decode_as(data, "utf-16-le")
    if data[:1] == b"\x00" and data[2:3] == b"\x00":
        return _decode_as(data, "utf-16-be")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decode_as(data, detect_encoding(data))


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1") if encoding == "cp1252" else data.decode(encoding, "replace")
    except (LookupError, ValueError) as error:
        known = "Common ones: utf-8, utf-16, cp1252, cp1251, gb18030, big5, shift_jis, euc_kr."
        raise InputError(f"--encoding {encoding}: there is no text encoding of that name. {known}") from error
