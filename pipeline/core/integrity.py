"""Whether the shipped models are as they were released: their files' hashes, in `models/SHA256SUMS`.

Safetensors cannot run code, but a flipped bit or an exchanged head would be believed. Renew after a training:

    python -m pipeline.core.integrity
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.assets import MODELS
from pipeline.core.errors import InputError

SUMS = "SHA256SUMS"
_KINDS = (".safetensors", ".json")
_FIGURES = "figures.json"  # decide nothing


@functools.cache
def require_intact(folder: Path, models: Path = MODELS) -> None:
    """Raises InputError for a folder of shipped models that has other files than were released. Other folders are not
    known, and pass.
    """
    if not folder.resolve().is_relative_to(models.resolve()):
        return
    released = _released(models)
    place = folder.resolve().relative_to(models.resolve())
    for name, wanted in released.items():
        if Path(name).is_relative_to(place):
            file = models / name
            if not file.is_file() or _sum(file) != wanted:
                raise InputError(f"The shipped model file {file} is missing or damaged. Reinstall review-insights.")
    if extra := [
        file for file in _files(folder) if file.resolve().relative_to(models.resolve()).as_posix() not in released
    ]:
        raise InputError(f"{extra[0]} was not released with this version. Reinstall review-insights.")


def sum_of(folder: Path) -> str | None:
    """sha256 over the names and contents of all files of a folder, hexadecimal; None if there is no such folder."""
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()} {_sum(file)}\n".encode())
    return digest.hexdigest()


def renew_if_shipped(folder: Path, models: Path = MODELS) -> None:
    """After a training that wrote into the shipped models."""
    if folder.resolve().is_relative_to(models.resolve()):
        renew(models)


def renew(models: Path = MODELS) -> None:
    """Writes the hashes of what is there."""
    lines = [f"{_sum(file)}  {file.relative_to(models).as_posix()}\n" for file in _files(models)]
    (models / SUMS).write_text("".join(lines), encoding="utf-8")
    require_intact.cache_clear()


def _released(models: Path) -> dict[str, str]:
    try:
        lines = (models / SUMS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{models / SUMS} cannot be read ({error.strerror}). Reinstall review-insights.") from error
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if (
            file.suffix in _KINDS
            and file.name != _FIGURES
            and not any(p.name.endswith(".training") for p in file.parents)
        ):
            yield file


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


if __name__ == "__main__":
    renew()
