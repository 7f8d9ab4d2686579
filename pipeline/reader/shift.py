"""The sentiment model's own shift per language, as `calibrate --parallel` measured it: what queries take off where they compare
languages. No review's label depends on it, so it is in no fingerprint.
"""

from __future__ import annotations

from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse
from pipeline.reader import calibration

FILE = "languages.json"  # in a reader's folder: that of the reader alone


def of(profile: Profile) -> list[dict[str, Any]]:
    """Rows of the table `language_shift` for what the profile names. Raises InputError for a file that cannot be used."""
    path = _path(profile)
    if path is None:
        return []
    fitted = calibration.load(path)["languages"]
    try:
        return [
            {"language": name, **{key: item[key] for key in ("n", "shift", "low", "high")}}
            | dict(zip(SENTIMENTS, item["bias"], strict=True))
            for name, item in sorted(fitted.items())
            if name != calibration.COMMON
        ]
    except KeyError as error:
        raise InputError(
            f"{path} is a calibration of labelled rows, without a shift per language. "
            "Make one with: review-insights calibrate --parallel COLUMN"
        ) from error


def _path(profile: Profile) -> str | None:
    section = profile.sentiment
    if section.language_shift != "auto":
        return None if section.language_shift == "none" else section.language_shift
    is_ours = section.backend == "embedded" and profile.reader.backend == "embedded"
    file = profile.reader.folder / FILE
    return str(file) if is_ours and not section.head and not section.calibration and file.is_file() else None


def record(warehouse: Warehouse, profile: Profile) -> None:
    """Replaces what `language_shift` holds by what the profile names."""
    wanted = of(profile)
    if warehouse.query("SELECT * FROM language_shift ORDER BY language") != wanted:
        with warehouse.transaction():
            warehouse.execute("DELETE FROM language_shift")
            warehouse.append("language_shift", wanted)
