"""Known exports, a file each: which columns give one away, and what its columns hold.

To add an export, write `exports/NAME.toml` and a row in `tests/ingest/test_exports.py`. Take its columns from a real file or the
platform's own documentation.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from pipeline.ingest.names import FIELDS, plain
from pipeline.text.language import read_per_language

FOLDER = Path(__file__).parent


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Export:
    """The layout of one platform's or tool's export. Columns are compared by `names.plain`; those of nested JSON are dotted."""

    name: str  # as the user knows it: "Google Play Console"
    platform: str  # "google_play": its exports share the ids of its reviews; empty where each shop has ids of its own
    signature: tuple[str, ...]  # columns that no other export and no generic file has together
    # Field -> columns, of which the first that exists counts, "a+b" for a text in two; empty if a usual name means another thing:
    fields: Mapping[str, tuple[str, ...]]
    ignored: tuple[str, ...] = ()  # columns of the place, or technical ones: neither a field nor an attribute
    fillers: tuple[str, ...] = ()  # texts that mean "nothing": "No Negative"
    dates: str = ""  # "dmy", "mdy", or empty where the values must tell
    scale: str = ""  # a scale of values.star_scale, or empty where the values must tell

    def __post_init__(self) -> None:
        if len(self.signature) < 2:
            raise ValueError("signature: one column alone gives no export away")
        if unknown := sorted(set(self.fields) - set(FIELDS)):
            raise ValueError(f"fields: there is no {', '.join(unknown)} among {', '.join(FIELDS)}")
        if self.dates not in ("", "dmy", "mdy"):
            raise ValueError(f'dates: {self.dates!r} is neither "dmy" nor "mdy"')


@functools.cache
def exports() -> Mapping[str, Export]:
    """Every known export by the name of its file."""
    return read_per_language(FOLDER, Export)


def recognise(names: Sequence[str]) -> Export | None:
    """The export with the longest signature that is among a source's columns, None if there is none."""
    given = set(map(plain, names))
    fitting = [export for export in exports().values() if given.issuperset(map(plain, export.signature))]
    return max(fitting, key=lambda export: len(export.signature), default=None)
