"""The champion: the sentiment head that `retrain` promoted, which a warehouse's runs and service use until it is rolled back.

Its weights stand in the warehouse (`models.head`). The file that the profile names is made from them where it is missing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path
from typing import TypedDict

from pipeline.backends import registry
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse, models_path, open_read_only
from pipeline.reader import head


class Champion(TypedDict):
    """A row of the view `champion`."""

    model: str  # hash of the head; '' the reader alone
    reader: str  # identity of the reader that it stands on
    head: str | None  # JSON
    before: str | None  # what was in use when it was promoted


NONE = Champion(model="", reader="", head=None, before=None)


def of(warehouse: Warehouse, profile: Profile) -> Champion:
    """What the warehouse's decisions say is in use with the profile's reader: a head that stands on other weights is not."""
    if not warehouse.value("SELECT count(*) FROM duckdb_views() WHERE view_name = 'champion'"):  # of an older version
        return NONE
    rows = warehouse.query("FROM champion")
    if not rows or rows[0]["reader"] != registry.reader_identity(profile.reader):
        return NONE
    return Champion(**rows[0])  # type: ignore[typeddict-item]


def is_open(profile: Profile) -> bool:
    """Whether the profile leaves the sentiment to the reader: not to another model, nor to a head or calibration of its own."""
    section = profile.sentiment
    return section.backend == "embedded" and not section.head and not section.calibration


def in_use(profile: Profile, path: Path) -> Profile:
    """The profile, with the champion of the warehouse at `path` as its head, if there is one and the profile leaves it open."""
    if not is_open(profile) or not path.exists():
        return profile
    with contextlib.closing(open_read_only(path)) as warehouse:
        champion = of(warehouse, profile)
    if not champion["model"] or not champion["head"]:
        return profile
    file = models_path(path) / f"head-{champion['model']}.json"
    if not file.is_file() or head.digest(file.read_text(encoding="utf-8", errors="replace")) != champion["model"]:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial")
        partial.write_text(champion["head"], encoding="utf-8")
        os.replace(partial, file)
    return dataclasses.replace(profile, sentiment=dataclasses.replace(profile.sentiment, head=str(file)))
