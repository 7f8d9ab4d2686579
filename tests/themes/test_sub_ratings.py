"""What customers rate by itself, as evidence for a theme."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.names import plain
from pipeline.themes.sub_ratings import columns, of_themes
from pipeline.themes.taxonomy import load_aspects

THEMES = columns(load_aspects())


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (None, {}),
        ({"Route": "Rome to London", "Seat Type": "Economy Class"}, {}),
        ({"SeatComfort": "1", "Cabin Staff Service": "4.0"}, {"seating": 1.0, "staff_attitude": 4.0}),
        ({"seat_comfort": "2/5", "Value For Money": "★★★☆☆"}, {"seating": 2.0, "value_for_money": 3.0}),
        ({"Sauberkeit": "8", "Lage": "4"}, {"cleanliness": 4.0, "location": 2.0}),
        ({"Cleanliness": "0", "Staff": "-", "Room": "Deluxe", "Food": "11"}, {}),
        ({"Food": "0.5"}, {"food_quality": 1.0}),
    ],
)
def test_ratings_of_themes(attributes: dict[str, str] | None, expected: dict[str, float]) -> None:
    assert of_themes(attributes, THEMES) == expected


@given(st.dictionaries(st.sampled_from(["Staff", "Food", "Lage", "Other"]), st.text(max_size=8)))
def test_whatever_stands_there_stars_are_from_one_to_five(attributes: dict[str, str]) -> None:
    assert all(1 <= stars <= 5 for stars in of_themes(attributes, THEMES).values())


def test_a_column_is_about_one_theme() -> None:
    names = Counter(plain(name) for aspect in load_aspects() for name in aspect.ratings)
    assert [name for name, n in names.items() if n > 1] == []
