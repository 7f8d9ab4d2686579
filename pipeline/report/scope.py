"""Which reviews a report is about, and the named queries asked about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse

Row = dict[str, Any]
Ask = Callable[..., list[Row]]  # `run_query` of one warehouse and scope: name of a query, more parameters -> rows


@dataclass(frozen=True)
class Scope:
    """A choice of reviews; None means all. `until` is the last day that counts. Raises InputError where no day is left."""

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


def run_query(warehouse: Warehouse, scope: Scope, name: str, **more: Any) -> list[Row]:
    """The rows of @name, with the parameters of the scope that it takes and with `more`."""
    query = queries.load(name)
    given = {key: value for key, value in (asdict(scope) | more).items() if key in query.parameters}
    return warehouse.query(query.sql, query.bind(given))
