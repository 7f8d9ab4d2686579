"""A pack: what a trade needs to be read and advised well, in one folder that a profile names and that can be shared.

    pack.toml           what it is (`Pack`)
    playbook.toml       themes and problems (`pipeline.themes.taxonomy`, `pipeline.advice.problems`)
    examples.csv        reviews with what should be read in them: text, label, themes
    calibration.json    the sentiment of the reader, tuned on the trade's labels, or of the model beside it
    model/              a classifier of sentiment of its own

A profile says `pack = "salon"` (shipped), or the path of a folder. That is short for keys which a profile has anyway, and
those that it gives itself go before the pack's.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from pipeline.core.assets import PACKS
from pipeline.core.errors import InputError

FILE, PLAYBOOK, EXAMPLES = "pack.toml", "playbook.toml", "examples.csv"
CALIBRATION, MODEL = "calibration.json", "model"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"  # travels with the package: adapters may stand on it
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class Head:
    """The tuned sentiment of a pack: paths within its folder, the languages of `model` (of the labels it learned from), and what
    it gained on rows that it did not learn from, in words.
    """

    calibration: str = ""
    model: str = ""
    languages: tuple[str, ...] = ()
    measured: str = ""


@dataclass(frozen=True, config=_STRICT)
class Pack:
    """What `pack.toml` says."""

    name: str
    description: str
    licence: str
    sentiment: Head = field(default_factory=Head)


def names() -> list[str]:
    """Names of the shipped packs, sorted."""
    return sorted(folder.name for folder in PACKS.iterdir() if (folder / FILE).is_file())


def folder_of(name: str) -> Path:
    """The folder of a pack: a path, or else a shipped one's name. Raises InputError if there is none."""
    for folder in (Path(name), PACKS / name):
        if (folder / FILE).is_file():
            return folder
    raise InputError(
        f"There is no pack {name!r}: no folder with a {FILE}. Shipped: {', '.join(names())}; or make one with: "
        f"review-insights pack new NAME --from FILE"
    )


def load(folder: Path) -> Pack:
    """The pack in a folder. Raises InputError listing everything that is wrong with its `pack.toml` or missing."""
    try:
        content = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        pack = TypeAdapter(Pack).validate_python(content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{folder / FILE} cannot be read: {error}. Correct it, or make the pack anew.") from error
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors()]
        raise InputError(f"{folder / FILE}: {'; '.join(wrong)}. See pipeline/core/pack.py for the keys.") from error
    if missing := [name for name in _named(pack) if not _is_within(name) or not (folder / name).exists()]:
        raise InputError(f"{folder}: {', '.join(missing)} is not in the pack. Put it there, or correct {FILE}.")
    if (base := _base_of(folder / pack.sentiment.model)) not in ("", ENCODER):
        raise InputError(f"{folder}: its model stands on {base!r}, which is not in the pack. Put a whole model there.")
    return pack


def _base_of(model: Path) -> str:
    """What the model of a pack is an adapter of; "": it is whole, or there is none."""
    file = model / "adapter_config.json"
    if not file.is_file():
        return ""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} cannot be read: {error}. Make the pack anew.") from error


def _named(pack: Pack) -> list[str]:
    return [PLAYBOOK, *(name for name in (pack.sentiment.calibration, pack.sentiment.model) if name)]


def _is_within(name: str) -> bool:
    """A pack comes from somebody else: it names nothing outside its own folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in name


def settings(name: str) -> dict[str, Any]:
    """What a pack stands for in a profile. Raises InputError if it is not there or not whole."""
    folder = folder_of(name)
    head = load(folder).sentiment
    sentiment: dict[str, Any] = {}
    if head.model:
        sentiment = {"backend": "transformers", "model": str(folder / head.model), "languages": list(head.languages)}
    if head.calibration:
        sentiment["calibration"] = str(folder / head.calibration)
    return {"themes": {"taxonomy": str(folder / PLAYBOOK)}, **({"sentiment": sentiment} if sentiment else {})}
