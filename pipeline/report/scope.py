"""Which reviews a report covers, and the named queries run on them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
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

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise InputError(f"--since {self.since} is after --until {self.until}: no day lies between them.")

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return any(asdict(self).values())

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items() if value)


def require_known(warehouse: Warehouse, scope: Scope) -> None:
    """Raises InputError, with the names that come near, for a business, product or language that no review has."""
    for column in ("business", "product", "language"):
        name = getattr(scope, column)
        if name is None:
            continue
        rows = warehouse.query(f"SELECT DISTINCT {column} AS name FROM reviews WHERE {column} IS NOT NULL")
        names = [row["name"] for row in rows] + (["unknown"] if column == "language" else [])
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
            hint = (
                f"Did you mean {' or '.join(near)}?"
                if near
                else f"For instance: {', '.join(sorted(names)[:3]) or 'none'}."
            )
            raise InputError(f"--{column} {name}: no review has it. {hint}")


def run_query(warehouse: Warehouse, scope: Scope, name: str, **parameters: Any) -> list[Row]:
    """The rows of the query @name, given those of the scope and `parameters` that it takes."""
    query = queries.load(name)
    accepted = {key: value for key, value in (asdict(scope) | parameters).items() if key in query.parameters}
    return warehouse.query(query.sql, query.bind(accepted))
