"""Turns concurrent requests into one call of the models.

A model takes little longer for 32 short texts than for one. So requests queue here; a free worker takes its share of those
waiting, up to a limit of items and of what they cost, and gives each caller its own result. Clients take turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from pipeline.service.fairness import FairQueue

In = TypeVar("In")
Out = TypeVar("Out")

Waiting = tuple[In, asyncio.Future[Out]]  # an item, and the future that its caller awaits

_MAX_URGENT_TURNS = 4  # urgent batches in a row while patient items wait


class Busy(Exception):
    """So many are waiting, of this client or in all, that a new item would time out; better to refuse it at once."""


class Batcher(Generic[In, Out]):
    """`work` takes a list and returns one result per item, in order; it runs in `workers` threads of its own.

    `linger`: seconds to wait for more items before a batch that is not full. `max_waiting`: urgent items in the queue, and of
    one client half as many. `max_cost`: what the items of a batch may cost together; `cost` says what one does.
    `observe`: called with the size of each batch.
    """

    def __init__(
        self,
        work: Callable[[Sequence[In]], Sequence[Out]],
        *,
        max_batch: int,
        linger: float,
        max_waiting: int,
        workers: int = 1,
        max_cost: float = float("inf"),
        cost: Callable[[In], float] = lambda item: 1.0,
        observe: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.work, self.max_batch, self.linger, self.max_waiting = work, max_batch, linger, max_waiting
        self.observe, self.workers, self.max_cost, self.cost = observe, workers, max_cost, cost
        self._urgent = FairQueue[Waiting[In, Out]]()
        self._patient = FairQueue[Waiting[In, Out]]()
        self._turns = 0  # urgent batches since the last patient one
        self._wake = asyncio.Event()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="models")
        self._working: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def waiting(self) -> int:
        """Items in both queues."""
        return len(self._urgent) + len(self._patient)

    def start(self) -> None:
        """Starts taking items, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Returns once everything that was submitted has its result."""
        self._closing = True
        self._wake.set()
        if self._task:
            await self._task
        await asyncio.gather(*self._working)
        self._threads.shutdown()

    async def submit(self, item: In, urgent: bool = True, client: str = "") -> Out:
        """The result for one item; raises what `work` raised for it, and Busy if too many are waiting already.

        An item that is not urgent (a row of a file) lets urgent ones go first, but not forever.
        """
        of_client = -(-self.max_waiting // 2)
        if urgent and (len(self._urgent) >= self.max_waiting or self._urgent.of(client) >= of_client):
            raise Busy
        future: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._patient).put((item, future), client, self.cost(item))
        self._wake.set()
        return await future

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            if not self.waiting:
                if self._closing:
                    return
                self._wake.clear()
                continue
            if self._urgent and len(self._urgent) < self.max_batch and not self._closing:
                await asyncio.sleep(self.linger)
            while len(self._working) == self.workers:  # meanwhile more items may arrive
                await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
            if batch := self._next_batch():
                self.observe(len(batch))
                task = asyncio.ensure_future(self._work(batch))
                self._working.add(task)
                task.add_done_callback(self._working.discard)

    def _next_batch(self) -> list[Waiting[In, Out]]:
        """A free worker's share of one of the queues, without items whose caller has gone."""
        urgent = bool(self._urgent) and not (self._patient and self._turns >= _MAX_URGENT_TURNS)
        self._turns = self._turns + 1 if urgent else 0
        queue = self._urgent if urgent else self._patient
        share = -(-len(queue) // (self.workers - len(self._working)))
        batch = queue.take(min(share, self.max_batch), self.max_cost)
        return [(item, future) for item, future in batch if not future.done()]

    async def _work(self, batch: list[Waiting[In, Out]]) -> None:
        loop = asyncio.get_running_loop()
        results = await loop.run_in_executor(self._threads, self._each, [item for item, _ in batch])
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _each(self, items: list[In]) -> list[Out | Exception]:
        """The results of all items; if the batch fails, of each on its own, so that a bad item fails alone."""
        try:
            return list(self.work(items))
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [result for item in items for result in self._each([item])]
