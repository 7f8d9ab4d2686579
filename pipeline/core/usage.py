"""What language models were asked and what that cost, counted for whoever is listening: a stage, batch by batch.

Backends report each of their answers with `count`, whatever becomes of it: one that fails a check was paid for too. Outside
`counted` (in the service, in tests) nobody listens.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from pipeline.core.warehouse import Warehouse

Prices = tuple[float | None, float | None]  # per million tokens of prompts and of answers; None: not known


@dataclass
class Spent:
    """On one model. `cost`: in the currency of the profile's prices, None without prices."""

    requests: int = 0
    prompt_characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None

    def add(self, other: Spent) -> None:
        """Adds what was spent elsewhere on the same model."""
        self.requests += other.requests
        self.prompt_characters += other.prompt_characters
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        if other.cost is not None:
            self.cost = (self.cost or 0.0) + other.cost


_LISTENING: ContextVar[dict[str, Spent] | None] = ContextVar("usage", default=None)


def cost(tokens: tuple[int, int], prices: Prices) -> float | None:
    """What these tokens of prompts and answers cost; None if neither has a price."""
    if prices == (None, None):
        return None
    return sum(number * (price or 0.0) for number, price in zip(tokens, prices, strict=True)) / 1e6


def count(model: str, characters: int, tokens: tuple[int, int], prices: Prices = (None, None)) -> None:
    """Reports one answer: the characters of its prompt, the tokens of prompt and answer. (0, 0): they were not counted."""
    spent = _LISTENING.get()
    if spent is not None and any(tokens):
        spent.setdefault(model, Spent()).add(Spent(1, characters, *tokens, cost(tokens, prices)))


@contextlib.contextmanager
def counted() -> Iterator[Mapping[str, Spent]]:
    """What is spent within it, per model; grows while it lasts."""
    spent: dict[str, Spent] = {}
    token = _LISTENING.set(spent)
    try:
        yield spent
    finally:
        _LISTENING.reset(token)


def record(warehouse: Warehouse, run_id: str, stage: str, spent: Mapping[str, Spent]) -> None:
    """Adds to what the run's stage has spent so far (`store.usage`)."""
    for model, one in spent.items():
        warehouse.execute(
            "INSERT INTO store.usage VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, "
            "prompt_characters = prompt_characters + excluded.prompt_characters, prompt_tokens = prompt_tokens + excluded.prompt_tokens, "
            "completion_tokens = completion_tokens + excluded.completion_tokens, cost = coalesce(cost + excluded.cost, excluded.cost, cost)",
            [
                run_id, stage, model, one.requests, one.prompt_characters, one.prompt_tokens, one.completion_tokens, one.cost,
            ],
        )  # fmt: skip


def spent_in(warehouse: Warehouse, run_id: str) -> dict[tuple[str, str], Spent]:
    """What a run has spent, per stage and model."""
    rows = warehouse.query("SELECT * FROM store.usage WHERE run_id = ? ORDER BY stage, model", [run_id])
    return {
        (row["stage"], row["model"]): Spent(**{key: row[key] for key in Spent.__dataclass_fields__}) for row in rows
    }
