"""The rules that SQL states once, in warehouse/views/01_rules.sql."""

from __future__ import annotations

import pytest

from pipeline.core.labels import EMOTIONS
from pipeline.core.warehouse import Warehouse


@pytest.mark.parametrize(
    ("sentiment", "stars", "unhappy", "reply", "plainly_happy"),
    [
        ("negative", None, True, True, False),
        ("negative", 5.0, True, False, False),
        ("negative", 3.0, True, True, False),
        ("neutral", 3.0, True, False, False),
        ("neutral", 3.5, False, False, False),
        ("positive", 2.0, True, True, False),
        ("positive", 3.0, True, False, False),
        ("positive", 4.0, False, False, True),
        ("positive", None, False, False, True),
        (None, 1.0, True, True, False),
        (None, None, False, False, False),
    ],
)
def test_who_is_unhappy(
    warehouse: Warehouse, sentiment: str | None, stars: float | None, unhappy: bool, reply: bool, plainly_happy: bool
) -> None:
    sql = "SELECT is_unhappy($1, $2::DOUBLE, 3), needs_reply($1, $2::DOUBLE), is_plainly_happy($1, $2::DOUBLE)"
    (row,) = warehouse.query(sql, [sentiment, stars])
    assert tuple(row.values()) == (unhappy, reply, plainly_happy)


def test_negative_emotions_are_labels(warehouse: Warehouse) -> None:
    negative = set(warehouse.value("SELECT negative_emotions()"))
    assert negative < set(EMOTIONS)
    grouped = "SELECT emotion FROM emotion_groups WHERE scheme = 'sentiment' AND name = 'negative'"
    assert {row["emotion"] for row in warehouse.query(grouped)} == negative
