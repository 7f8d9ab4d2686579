"""Places other than this machine's files: one module for each kind; PLACES says which serves which scheme of an address.

A module's `fetch(address, folder)` puts what is found at an address into one file in `folder`, which the reader of its
format then reads like any other. To add a place, write its module and a line here. Messages and results name an address
without its secrets (`address.masked`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.registry import implementation
from pipeline.ingest.places.address import masked, scheme


@dataclass(frozen=True)
class Fetched:
    """A local copy of what is found at an address."""

    file: Path
    part: str | None = None  # the table of a database


Fetch = Callable[[str, Path], Fetched]

PLACES: Mapping[str, str] = {
    "http": "pipeline.ingest.places.web:fetch",
    "https": "pipeline.ingest.places.web:fetch",
    "s3": "pipeline.ingest.places.buckets:fetch",
    "gs": "pipeline.ingest.places.buckets:fetch",
    "postgres": "pipeline.ingest.places.postgres:fetch",
    "postgresql": "pipeline.ingest.places.postgres:fetch",
    "sqlite": "pipeline.ingest.places.sqlite:fetch",
}
EXPANDERS: Mapping[str, str] = {
    "s3": "pipeline.ingest.places.buckets:expand",
    "gs": "pipeline.ingest.places.buckets:expand",
}


def expand(address: str) -> list[str]:
    """The addresses of single files behind one that may be a pattern or a folder. Raises InputError for an unknown scheme,
    and where nothing is found.
    """
    name = masked(address)
    kind = scheme(address) or ""
    if kind not in PLACES:
        known = ", ".join(f"{other}://" for other in PLACES)
        raise InputError(
            f"{name}: reviews are not read from such an address. Known: {known}, or a file on this machine."
        )
    if kind not in EXPANDERS:
        return [address]
    with _packages_for(name):
        result: list[str] = implementation(EXPANDERS, kind)(address)
        return result


def fetch(address: str, folder: Path) -> Fetched:
    """A local copy, in `folder`, of what is found at an address. Raises InputError, which never holds a secret."""
    with _packages_for(masked(address)):
        place: Fetch = implementation(PLACES, scheme(address) or "")
        return place(address, folder)


@contextlib.contextmanager
def _packages_for(name: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise InputError(
            f"{name}: reading from there needs the package {error.name}: pip install 'review-insights[remote]'"
        ) from error
