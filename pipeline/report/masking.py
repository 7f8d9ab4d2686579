"""A report that names nobody (`--mask`): placeholders for what identifies a person, in every text that it shows.

A placeholder means the same person in all texts about one review. Values that reviews are grouped by (businesses, products,
attributes such as "doctor") have theirs over the whole report.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipeline.core.warehouse import Warehouse
from pipeline.ingest.personal import holds_names
from pipeline.text.private import Mask, counted

NOTE = "What identifies a person is masked"  # begins the line that says so in every masked report
_GROUPS = ("business", "product")
# Ours, or of a closed set: no customer wrote them.
_OURS = ("review_id", "theme", "problem", "problem_name", "reply_say", "reply_avoid", "language", "sentiment", "emotions", "labels", "profile", "stage", "fingerprint",
         "environment", "run_id", "git_sha", "version", "model", "feedback_model", "feedback_role", "role")  # fmt: skip


class Masking:
    """What one report hides, and how many values of each kind."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._groups = Mask()
        self._reviews: dict[str, Mask] = {}
        self._others: Counter[str] = Counter()
        self._people = _filled_by_people(warehouse)

    def of(self, key: str, value: Any, mask: Mask | None = None) -> Any:
        """A value that a report shows under a name, masked at any depth. `mask`: that of the review which it is about."""
        if value is None or key in _OURS:
            return value
        if isinstance(value, str):
            return self._group(key, value) if key in _GROUPS else mask.hide(value) if mask else self._alone(value)
        if isinstance(value, Mapping):
            return self._entries(key, value, mask)
        if isinstance(value, list | tuple):
            return type(value)(self.of(key, item, mask) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
            return dataclasses.replace(value, **self._entries(key, fields, mask))
        return value

    def signed(self, review: Mapping[str, Any]) -> dict[str, Any]:
        """A review of which a reply is drafted: with the business, which signs it, as the report shows it."""
        return {**review, "business": self.of("business", review.get("business"))}

    def _entries(self, key: str, values: Mapping[str, Any], mask: Mask | None) -> dict[str, Any]:
        if isinstance(review := values.get("review_id"), str):
            mask = self._review(review)
        if key == "attributes":
            return {name: self._attribute(name, str(value)) for name, value in values.items()}
        if isinstance(values.get("key"), str) and isinstance(values.get("value"), str):  # a row of @segments
            values = {**values, "value": self._attribute(values["key"], values["value"])}
            return {**{name: self.of(name, value, mask) for name, value in values.items()}, "value": values["value"]}
        return {name: self.of(name, value, mask) for name, value in values.items()}

    def _review(self, review_id: str) -> Mask:
        """The mask of a review, which knows the names that its text gives away."""
        if review_id not in self._reviews:
            text = self._warehouse.value("SELECT any_value(text) FROM reviews WHERE review_id = ?", [review_id])
            self._reviews[review_id] = Mask(text)
        return self._reviews[review_id]

    def _alone(self, text: str) -> str:
        mask = Mask()
        hidden = mask.hide(text)
        self._others.update(mask.counts)
        return hidden

    def _group(self, field: str, value: str) -> str:
        return self._groups.stand_in(value, "name") if field in self._people else self._groups.hide(value)

    def _attribute(self, name: str, value: str) -> str:
        return self._groups.stand_in(value, "name") if holds_names(name) else self._groups.hide(value)

    @property
    def counts(self) -> dict[str, int]:
        """Kind -> values hidden so far, those of each review by themselves."""
        return counted([self._groups.counts, self._others, *(mask.counts for mask in self._reviews.values())])

    @property
    def line(self) -> str:
        """What a report says of it."""
        hidden = ", ".join(f"{kind} {n}" for kind, n in Counter(self.counts).most_common()) or "nothing was found"
        return f"{NOTE}: {hidden}."


def _filled_by_people(warehouse: Warehouse) -> frozenset[str]:
    """Those of business and product that a source fills from a column with people's names."""
    found = set()
    for row in warehouse.query("SELECT fields FROM sources"):
        for field in json.loads(row["fields"] or "[]"):
            if field["name"] in _GROUPS and field["column"] and holds_names(field["column"]):
                found.add(field["name"])
    return frozenset(found)
