"""Files in buckets: s3:// and gs://, read by obstore, which takes credentials, region and endpoint from the environment."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import InputError
from pipeline.ingest import formats
from pipeline.ingest.places import Fetched
from pipeline.ingest.places.address import masked
from pipeline.ingest.places.saving import LIMIT, save, suffix

if TYPE_CHECKING:
    from obstore.store import GCSStore, S3Store

_CHUNK = 4 * 2**20  # bytes
_RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=60)}
_TIMEOUTS = {"connect_timeout": "10 s", "read_timeout": "60 s", "timeout": f"{LIMIT:.0f} s"}
# Refused; or, where the environment holds no credentials, the machine's own were asked for in vain.
_NO_ACCESS = re.compile(r"\b40[13] \w|169\.254\.169\.254|metadata")
_ADVICE = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and for a store of your own AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
}


def expand(address: str) -> list[str]:
    """The addresses of single files behind a file, a pattern (*, ?, [...] and, across folders, **) or a folder in a bucket."""
    scheme, bucket, key = _parts(address)
    if re.search(r"[*?[]", key):
        return _matching(address)
    if formats.is_known(Path(key)):
        return [address]
    folder = f"{key.rstrip('/')}/" if key else ""
    found = [key for key in _keys(address, folder) if key.startswith(folder) and formats.is_known(Path(key))]
    if not found:
        raise InputError(f"{masked(address)} holds no reviews, and is none. Known files: {formats.KNOWN}.")
    return [f"{scheme}://{bucket}/{key}" for key in found]


def fetch(address: str, folder: Path) -> Fetched:
    """One file of a bucket. Raises InputError if it cannot be had."""
    import obstore

    _, _, key = _parts(address)
    file = folder / f"reviews{suffix(key)}"
    try:
        save(map(bytes, obstore.get(_store(address), key).stream(min_chunk_size=_CHUNK)), file, masked(address))
    except (OSError, obstore.exceptions.BaseError) as error:
        raise InputError(_explained(address, error)) from error
    return Fetched(file)


def _matching(address: str) -> list[str]:
    from fsspec.utils import glob_translate

    scheme, bucket, pattern = _parts(address)
    literal = re.split(r"[*?[]", pattern)[0]
    matches = re.compile(glob_translate(pattern)).match
    found = [key for key in _keys(address, literal.rpartition("/")[0]) if matches(key)]
    if not found:
        raise InputError(f"Nothing matches {masked(address)}. Check the pattern, or name a file.")
    if unknown := [key for key in found if not formats.is_known(Path(key))]:
        raise InputError(f"{scheme}://{bucket}/{unknown[0]}: what kind of file is this? Known: {formats.KNOWN}.")
    return [f"{scheme}://{bucket}/{key}" for key in found]


def _parts(address: str) -> tuple[str, str, str]:
    """(scheme, bucket, key): nothing in a key is encoded."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", bucket):
        raise InputError(f"{masked(address)}: write {scheme}://BUCKET/KEY. Credentials come from the environment.")
    return scheme.lower(), bucket, key


def _keys(address: str, folder: str) -> list[str]:
    """The keys of all files in a folder and below, sorted."""
    import obstore

    try:
        batches = obstore.list(_store(address), prefix=folder or None)
        return sorted(item["path"] for batch in batches for item in batch if item["size"])
    except (OSError, obstore.exceptions.BaseError) as error:
        raise InputError(_explained(address, error)) from error


def _store(address: str) -> S3Store | GCSStore:
    from obstore.store import GCSStore, S3Store

    scheme, bucket, _ = _parts(address)
    kind = S3Store if scheme == "s3" else GCSStore
    return kind(bucket, config=_TIMEOUTS, retry_config=_RETRIES)


def _explained(address: str, error: Exception) -> str:
    import obstore.exceptions as known

    name, scheme, text = masked(address), _parts(address)[0], str(error).partition("\n\nDebug source")[0]
    if "NoSuchBucket" in text:
        return f"{name}: there is no such bucket. Check the name, and the region."
    if isinstance(error, FileNotFoundError):
        return f"{name}: there is no such file. Check the address."
    refused = (PermissionError, known.PermissionDeniedError, known.UnauthenticatedError)
    if isinstance(error, refused) or _NO_ACCESS.search(text):
        return f"{name}: no access. Credentials come from {_ADVICE[scheme]}."
    code = re.search(r"<Code>(\w+)</Code>", text)
    return f"{name} could not be read: {code.group(1) if code else ' '.join(text.split())[:200]}"
