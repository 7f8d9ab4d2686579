"""Whose turn it is: clients take turns by what their requests cost, whatever each of them sends."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Start-time fair queueing (Goyal, Vin and Cheng 1996): an item's turn comes when its client has had its share up to there.
    So a client's cheap item passes another client's many or costly ones, but not its own earlier ones.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str, float, T]] = []
        self._numbers = itertools.count()
        self._now = 0.0  # the turn of the latest item that was taken
        self._ends: dict[str, float] = {}  # client -> when its latest item will have been paid for
        self._waiting = Counter[str]()

    def __len__(self) -> int:
        return len(self._heap)

    def of(self, client: str) -> int:
        """How many items of a client wait."""
        return self._waiting[client]

    def put(self, item: T, client: str, cost: float) -> None:
        """Adds an item."""
        turn = max(self._now, self._ends.get(client, 0.0))
        self._ends[client] = turn + cost
        self._waiting[client] += 1
        heapq.heappush(self._heap, (turn, next(self._numbers), client, cost, item))

    def take(self, count: int, most: float) -> list[T]:
        """The next items: at most `count`, and after the first one only while their costs add up to no more than `most`."""
        taken: list[T] = []
        total = 0.0
        while self._heap and len(taken) < count:
            turn, _, client, cost, item = self._heap[0]
            total += cost
            if taken and total > most:
                break
            heapq.heappop(self._heap)
            self._now = turn
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]
            taken.append(item)
        if not self._heap:  # nobody waits, so nobody owes anything
            self._now = 0.0
            self._ends.clear()
        return taken
