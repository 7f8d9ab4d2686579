"""Keeps the bundled sample apart from reviews of one's own: they never share a warehouse."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePath

from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, models_path, open_read_only, work_path

NAME = "sample"  # of the source, wherever the package is installed


def is_sample(source: str) -> bool:
    """Whether a source is the bundled sample, by its name or its path in any installation, however that was spelled."""
    return source == NAME or PurePath(source).parts[-3:] == SAMPLE.parts[-3:]


def refuse_mixture(warehouse: Warehouse, sources: Iterable[str]) -> None:
    """Raises InputError if the warehouse would hold, once these sources are read, the sample beside other reviews."""
    held = _sources(warehouse)
    sample = sorted(filter(is_sample, {*held, *sources}))
    own = sorted({*held, *sources}.difference(sample))
    if not sample or not own:
        return
    if held.isdisjoint(sample):
        raise InputError(
            f"The bundled sample ({sample[0]}) does not go beside reviews of your own ({own[0]}). Run it by itself, "
            "without --reviews and --warehouse, or name another warehouse with --warehouse."
        )
    forget = " && ".join(
        shlex.join(["review-insights", "forget", "--source", source, "--warehouse", str(warehouse.path)])
        for source in sample
        if source in held
    )
    raise InputError(
        f"{warehouse.path} holds the bundled sample, which does not go beside reviews of your own. "
        f"Take it out with: {forget}; or name another warehouse with --warehouse."
    )


def set_aside(path: Path, name: str) -> Path | None:
    """Moves a warehouse that holds nothing but the sample, with its unfinished run, to `name` in the same folder, or to
    NAME-2 and so on where that is taken. Returns the new path; None if there is nothing to move.

    Raises InputError if a run is writing it, or the file is not a warehouse.
    """
    held: set[str] = set()
    for file in filter(Path.exists, (path, work_path(path))):
        with contextlib.closing(open_read_only(file)) as warehouse:
            held |= _sources(warehouse)
    if not held or not all(map(is_sample, held)):
        return None
    place = _free(path.with_name(name))
    if models_path(path).exists():  # copied: profiles may name models in there by their path
        shutil.copytree(models_path(path), models_path(place), dirs_exist_ok=True)
    for end in ("", ".wal", ".work", ".work.wal"):
        if (file := path.with_name(path.name + end)).exists():
            os.replace(file, place.with_name(place.name + end))
    return place


def _sources(warehouse: Warehouse) -> set[str]:
    # Of tables that older versions have too.
    return {row["source"] for row in warehouse.query("SELECT source FROM reviews UNION SELECT source FROM rejects")}


def _free(path: Path) -> Path:
    """The path, or one with a number behind its name, where no warehouse is."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    places = itertools.chain([path], numbered)
    return next(place for place in places if not place.exists() and not work_path(place).exists())
