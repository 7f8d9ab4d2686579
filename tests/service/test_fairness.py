from __future__ import annotations

from pipeline.service.fairness import FairQueue


def test_a_cheap_item_passes_the_costly_ones_of_others_only() -> None:
    queue = FairQueue[str]()
    for number in range(4):
        queue.put(f"costly {number}", "greedy", 1000)
    queue.put("cheap 1", "modest", 10)
    queue.put("cheap 2", "modest", 10)
    assert queue.of("greedy") == 4 and queue.of("nobody") == 0
    order = [queue.take(1, 1)[0] for _ in range(6)]
    assert order == ["costly 0", "cheap 1", "cheap 2", "costly 1", "costly 2", "costly 3"]


def test_who_comes_late_has_neither_credit_nor_debt() -> None:
    queue = FairQueue[str]()
    for number in range(3):
        queue.put(f"early {number}", "early", 10)
    assert queue.take(2, 100) == ["early 0", "early 1"]
    queue.put("late 0", "late", 10)
    queue.put("late 1", "late", 10)
    assert queue.take(9, 100) == ["late 0", "early 2", "late 1"]
    queue.put("again", "early", 1)
    assert queue.take(9, 100) == ["again"] and not queue._ends and not queue._waiting and len(queue) == 0


def test_what_is_taken_at_once_is_bounded_but_never_nothing() -> None:
    queue = FairQueue[int]()
    for number, cost in enumerate((50, 5, 5, 5)):
        queue.put(number, "", cost)
    assert [queue.take(9, 10), queue.take(9, 10), queue.take(9, 10), queue.take(9, 10)] == [[0], [1, 2], [3], []]
