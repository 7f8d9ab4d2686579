"""sources.toml: the sources of a run and how to read each, so that `make nightly` needs no arguments.

    [[source]]
    reviews = "exports/google/*.csv"
    map = { text = "comment" }
    business = "Cafe Blue"

`reviews` is what --reviews takes (a path is relative to the file; ${NAME} stands for an environment variable, which keeps
secrets out of it), the other keys are the options of the same names. Unknown keys and wrong values are errors, all of them
reported in one message.
"""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass as plain_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from pipeline.core.errors import InputError
from pipeline.ingest.places import address
from pipeline.ingest.places.sqlite import database_file

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_STRICT = ConfigDict(extra="forbid")
Name = Annotated[str, StringConstraints(min_length=1)]


def _filled_in(value: str) -> str:
    """The value with each ${NAME} replaced from the environment."""
    if unset := [name for name in _VARIABLE.findall(value) if not os.environ.get(name)]:
        raise PydanticCustomError("unset", "not set in the environment: {names}", {"names": ", ".join(unset)})
    return _VARIABLE.sub(lambda match: os.environ[match.group(1)], value)


@plain_dataclass(frozen=True)
class Source:
    """One --reviews value, and the fields of IngestOptions that the file sets for it."""

    reviews: str
    options: Mapping[str, Any]


@dataclass(frozen=True, config=_STRICT)
class _Entry:
    """A [[source]] of the file. None: not said."""

    reviews: Annotated[Name, AfterValidator(_filled_in)]
    map: dict[str, str] | None = None  # field -> column; "": no such column
    limit: Annotated[int, Field(ge=1)] | None = None
    header: bool | None = None
    encoding: Name | None = None
    delimiter: Annotated[str, StringConstraints(pattern=r'^(tab|[^"\r\n])$')] | None = None
    dates: Literal["dmy", "mdy"] | None = None
    scale: Annotated[str, StringConstraints(pattern=r"^\d+-\d+$")] | None = None
    append: bool | None = None
    business: Name | None = None

    def options(self) -> dict[str, Any]:
        """Under the names that IngestOptions has."""
        said = {name: value for name, value in asdict(self).items() if value is not None and name != "reviews"}
        if "map" in said:
            said["mapping"] = said.pop("map")
        if said.get("delimiter") == "tab":
            said["delimiter"] = "\t"
        return said


@dataclass(frozen=True, config=_STRICT)
class _File:
    source: Annotated[list[_Entry], Field(min_length=1)]


def load_sources(path: Path) -> list[Source]:
    """The sources that a file names, in order. Raises InputError listing everything wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path given with --sources.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}. Correct it and run again.") from error
    try:
        entries = _adapter().validate_python(content).source
    except ValidationError as error:
        raise InputError(f"{path}: {'; '.join(_problems(error))}. Keys: {', '.join(_KEYS)}.") from None
    return [Source(_resolved(entry.reviews, path.parent), entry.options()) for entry in entries]


_KEYS = tuple(_Entry.__dataclass_fields__)


@functools.cache
def _adapter() -> TypeAdapter[_File]:
    return TypeAdapter(_File)


def _problems(error: ValidationError) -> list[str]:
    """What is wrong, as in: source 2, dates: input should be 'dmy' or 'mdy'. Values are not shown: they may be secret."""
    problems = []
    for item in error.errors(include_input=False):
        first, *rest = item["loc"]
        number = f" {rest[0] + 1}" if rest and isinstance(rest[0], int) else ""
        where = ", ".join([f"{first}{number}", ".".join(map(str, rest[1 if number else 0 :]))]).rstrip(", ")
        is_unknown = item["type"] in {"unexpected_keyword_argument", "extra_forbidden"}
        problems.append(f"{where}: {'unknown key' if is_unknown else item['msg'][0].lower() + item['msg'][1:]}")
    return problems


def _resolved(reviews: str, folder: Path) -> str:
    """The value, with a path in it made relative to the folder of the file."""
    kind = address.scheme(reviews)
    if kind == "sqlite":
        database, question, parameters = reviews.partition("?")
        return f"sqlite:///{folder / database_file(database)}{question}{parameters}"
    return reviews if kind or reviews.startswith("hf:") else str(folder / reviews)
