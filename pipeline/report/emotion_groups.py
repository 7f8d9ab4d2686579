"""Groups of emotions that a reader defines, from a TOML file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS


def read_emotion_groups(path: Path) -> str:
    """A TOML file of schemes, each a table of named lists of emotions, as the JSON that @emotion_groups takes.

    Raises InputError for a file that cannot be read and for a word that is not an emotion.
    """
    try:
        schemes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--emotion-groups {path} cannot be read: {' '.join(str(error).split())}") from error
    rows = []
    for scheme, members in schemes.items():
        if not isinstance(members, dict):
            example = f'[{scheme}] upset = ["anger", "annoyance"]'
            raise InputError(f"--emotion-groups {path}: write a table per scheme: {example}")
        for name, emotions in members.items():
            if mistake := _mistake(emotions):
                raise InputError(f"--emotion-groups {path}: {scheme}.{name}: {mistake}")
            rows += [{"scheme": scheme, "name": name, "emotion": emotion} for emotion in emotions]
    return json.dumps(rows)


def _mistake(emotions: Any) -> str | None:
    if not isinstance(emotions, list):
        return "a list is wanted."
    unknown = [word for word in emotions if word not in EMOTIONS]
    return f"{unknown[0]!r} is none of the emotions: {', '.join(EMOTIONS)}" if unknown else None
