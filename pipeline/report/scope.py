"""Which reviews a report covers, and the named queries run on them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse

Row = dict[str, Any]
Ask = Callable[..., list[Row]]  # `run_query` bound to a warehouse and scope: (query name, parameters) -> rows


@dataclass(frozen=True)
class Scope:
    """A choice of reviews; None means all. `until` is the last day included. Raises InputError if it precedes `since`."""

    business: str | None = None
    product: str | None = None
    language: str | None = None
    since: date | None = None
    until: date | None = None
    segment: tuple[str, ...] = ()  # KEY=VALUE of attributes, all of which a review must have, in any case

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise InputError(f"--since {self.since} is after --until {self.until}: no day lies between them.")
        keys = [key.lower() for key, _ in self._segments()]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise InputError(f"--segment {twice[0]}: give it one value; a review has only one.")

    def _segments(self) -> list[tuple[str, str]]:
        pairs = (item.partition("=") for item in self.segment)
        return [(key, value) for key, _, value in pairs]

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return any(asdict(self).values())

    def __str__(self) -> str:
        named = asdict(self) | {"segment": " and ".join(self.segment)}
        return ", ".join(f"{name} {value}" for name, value in named.items() if value)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the named queries; None for all."""
        return asdict(self) | {"segment": list(self.segment) or None}


def require_known(warehouse: Warehouse, scope: Scope) -> None:
    """Raises InputError, with the names that come near, for a business, product, language or segment that no review has."""
    for column in ("business", "product", "language"):
        name = getattr(scope, column)
        if name is None:
            continue
        rows = warehouse.query(f"SELECT DISTINCT {column} AS name FROM reviews WHERE {column} IS NOT NULL")
        names = [row["name"] for row in rows] + (["unknown"] if column == "language" else [])
        if name not in names:
            raise InputError(f"--{column} {name}: no review has it. {hint(name, names)}")
    for key, value in scope._segments():
        _require_segment(warehouse, key, value)


def _require_segment(warehouse: Warehouse, key: str, value: str) -> None:
    entries = "(SELECT unnest(map_entries(attributes)) AS entry FROM reviews)"
    keys = warehouse.query(f"SELECT DISTINCT entry.key AS name FROM {entries} ORDER BY name")
    if key.lower() not in {row["name"].lower() for row in keys}:
        raise InputError(f"--segment {key}={value}: no review has the attribute {key}. {_known(key, keys)}")
    # An attribute can have as many values as there are reviews.
    values = warehouse.query(
        f"SELECT entry.value AS name FROM {entries} WHERE lower(entry.key) = lower($key) GROUP BY name "
        "ORDER BY lower(name) = lower($value) DESC, count(*) DESC, name LIMIT 1000",
        {"key": key, "value": value},
    )
    if values[0]["name"].lower() != value.lower():
        raise InputError(f"--segment {key}={value}: no review has this value. {_known(value, values)}")


def _known(name: str, rows: Sequence[Row]) -> str:
    """A hint: the names that come near, and the first ten of all."""
    names = {row["name"].lower(): row["name"] for row in rows}
    near = [names[match] for match in difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)]
    listed = ", ".join(list(names.values())[:10]) or "none"
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{hint}Known: {listed}{', ...' if len(names) > 10 else ''}."


def hint(name: str, names: Sequence[str]) -> str:
    """A sentence about an unknown name: those that come near, or some that there are."""
    if near := difflib.get_close_matches(name, names, n=3, cutoff=0.5):
        return f"Did you mean {' or '.join(near)}?"
    return f"For instance: {', '.join(sorted(names)[:3]) or 'none'}."


def run_query(warehouse: Warehouse, scope: Scope, name: str, **parameters: Any) -> list[Row]:
    """The rows of the query @name, given those of the scope and `parameters` that it takes."""
    query = queries.load(name)
    accepted = {key: value for key, value in (scope.parameters | parameters).items() if key in query.parameters}
    return warehouse.query(query.sql, query.bind(accepted))
