"""The named queries in `warehouse/queries/`: what people ask, by name.

The first line of a file is the question it answers. It takes the parameters it names ($business, $since, ...); one that
is not given is NULL, which means all.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.core.assets import WAREHOUSE
from pipeline.core.errors import InputError

# Shown in help and documentation.
PARAMETERS = {
    "business": "only this business",
    "product": "only this product",
    "language": "only this language (two letters, or unknown)",
    "since": "only reviews of this day and later (YYYY-MM-DD)",
    "until": "only reviews of this day and earlier (YYYY-MM-DD)",
    "segment": "only reviews with this attribute, in any case; repeatable",
    "limit": "how many rows at most",
    "theme": "only this theme",
    "words": 'words or "phrases" to look for',
    "id": "a review_id, or its beginning",
    "groups": "further groups of emotions, as JSON",
}

_NOT_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")


@dataclass(frozen=True)
class Query:
    """A named query."""

    name: str
    question: str  # "What hurts most?"
    notes: str  # the rest of the comment: grain, what a parameter means
    sql: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names without the dollar sign, in the order of PARAMETERS."""
        named = set(re.findall(r"\$([a-z_]+)", _NOT_CODE.sub("", self.sql)))
        return tuple(name for name in PARAMETERS if name in named)

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A value for each parameter, None if not given. Raises InputError for a value that the query does not take."""
        if unknown := [name for name, value in given.items() if value is not None and name not in self.parameters]:
            takes = ", ".join(f"--{name}" for name in self.parameters) or "no option"
            raise InputError(f"@{self.name} does not take --{unknown[0]}; it takes {takes}.")
        return {name: given.get(name) for name in self.parameters}


def load(name: str) -> Query:
    """The query of that name. Raises InputError, suggesting similar names, if there is none."""
    path = WAREHOUSE / "queries" / f"{name}.sql"
    if not re.fullmatch(r"[a-z_]+", name) or not path.is_file():
        similar = difflib.get_close_matches(name, names(), n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(f'@{other}' for other in similar)}?" if similar else ""
        raise InputError(f"There is no query @{name}.{hint} All of them: review-insights sql --list")
    sql = path.read_text(encoding="utf-8")
    comment = []
    for line in sql.splitlines():
        if not line.startswith("-- "):
            break
        comment.append(line[3:])
    question, _, rest = comment[0].partition("?")
    return Query(name, f"{question}?", " ".join([rest.strip(), *comment[1:]]).strip(), sql)


def names() -> list[str]:
    """Names of all queries, sorted."""
    return sorted(path.stem for path in (WAREHOUSE / "queries").glob("*.sql"))
