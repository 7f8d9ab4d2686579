from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.service.batching import Batcher, Busy


def batcher(work: Any, **options: Any) -> Batcher[Any, Any]:
    return Batcher(work, **{"max_batch": 8, "linger": 0.001, "max_waiting": 100, **options})


def test_concurrent_items_share_a_call_and_keep_their_results() -> None:
    calls: list[Sequence[int]] = []

    def double(items: Sequence[int]) -> list[int]:
        calls.append(items)
        return [2 * item for item in items]

    async def main() -> list[int]:
        queue = batcher(double)
        queue.start()
        results = await asyncio.gather(*(queue.submit(number) for number in range(20)))
        await queue.close()
        return results

    assert asyncio.run(main()) == [2 * number for number in range(20)]
    assert [len(call) for call in calls] == [8, 8, 4]


def test_a_bad_item_fails_alone() -> None:
    def inverse(items: Sequence[float]) -> list[float]:
        return [1 / item for item in items]

    async def main() -> list[Any]:
        queue = batcher(inverse)
        queue.start()
        results = await asyncio.gather(*(queue.submit(n) for n in (1, 0, 4)), return_exceptions=True)
        await queue.close()
        return results

    one, failed, quarter = asyncio.run(main())
    assert (one, quarter) == (1, 0.25) and isinstance(failed, ZeroDivisionError)


def test_newcomers_are_sent_away_when_too_many_wait_and_closing_finishes_what_waits() -> None:
    gate = threading.Event()

    def wait(items: Sequence[int]) -> Sequence[int]:
        gate.wait(30)
        return items

    async def main() -> list[Any]:
        queue = batcher(wait, max_waiting=2, max_batch=1)
        queue.start()
        tasks = [asyncio.ensure_future(queue.submit(0))]
        while queue.waiting or not tasks:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        tasks += [asyncio.ensure_future(queue.submit(number, client=str(number))) for number in (1, 2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Busy):
            await queue.submit(3, client="3")
        gate.set()
        await queue.close()
        return [await task for task in tasks]

    assert asyncio.run(main()) == [0, 1, 2]


def test_who_waits_for_an_answer_goes_before_a_file_but_not_for_ever() -> None:
    order: list[str] = []

    def note(items: Sequence[str]) -> Sequence[str]:
        order.extend(items)
        return items

    async def main() -> None:
        queue = batcher(note, max_batch=1)
        names = [*(("file", False),) * 2, *(("request", True),) * 9]
        tasks = [asyncio.ensure_future(queue.submit(name, urgent)) for name, urgent in names]
        await asyncio.sleep(0)
        queue.start()
        await asyncio.gather(*tasks)
        await queue.close()

    asyncio.run(main())
    assert order == ["request"] * 4 + ["file"] + ["request"] * 4 + ["file"] + ["request"]


def test_whoever_gave_up_costs_nothing() -> None:
    seen: list[str] = []

    def note(items: Sequence[str]) -> Sequence[str]:
        seen.extend(items)
        return items

    async def main() -> None:
        queue = batcher(note)
        gone = asyncio.ensure_future(queue.submit("gone"))
        stays = asyncio.ensure_future(queue.submit("stays"))
        await asyncio.sleep(0)
        gone.cancel()
        queue.start()
        await stays
        await queue.close()

    asyncio.run(main())
    assert seen == ["stays"]


def test_two_workers_share_what_waits() -> None:
    both = threading.Barrier(2, timeout=30)  # passes only where two batches are at work at once
    sizes: list[int] = []

    def times_ten(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        both.wait()
        return [10 * item for item in items]

    async def main() -> list[int]:
        queue = batcher(times_ten, workers=2)
        queue.start()
        results = await asyncio.gather(*(queue.submit(number) for number in range(6)))
        await queue.close()
        return results

    assert asyncio.run(main()) == [10 * number for number in range(6)]
    assert sorted(sizes) == [3, 3]


def test_one_client_cannot_take_all_places() -> None:
    async def main() -> None:
        queue = batcher(lambda items: items, max_waiting=4)
        tasks = [asyncio.ensure_future(queue.submit(number, client="many")) for number in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await queue.submit(3, client="many")
        tasks.append(asyncio.ensure_future(queue.submit(4, client="other")))
        queue.start()
        await asyncio.gather(*tasks)
        await queue.close()

    asyncio.run(main())


def test_clients_take_turns_by_what_they_cost_and_a_batch_has_an_end() -> None:
    batches: list[list[str]] = []

    def note(items: Sequence[str]) -> Sequence[str]:
        batches.append(list(items))
        return items

    async def main() -> None:
        queue = batcher(note, max_cost=10, cost=len)
        sent = [("greedy", "g" * 10)] * 5 + [("one", "a"), ("one", "b"), ("two", "cc")]
        tasks = [asyncio.ensure_future(queue.submit(item, client=client)) for client, item in sent]
        await asyncio.sleep(0)
        queue.start()
        await asyncio.gather(*tasks)
        await queue.close()

    asyncio.run(main())
    assert batches[:2] == [["g" * 10], ["a", "cc", "b"]] and batches[2:] == [["g" * 10]] * 4
