"""Stars, dates and labels as exports write them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.values import day_first, label_names, parse_date, parse_stars, star_scale, to_five


@pytest.mark.parametrize(
    ("value", "stars"),
    [
        ("4", 4),
        ("4 stars", 4),
        ("1 star", 1),
        ("4/5", 4),
        ("8/10", 4),
        ("★★★☆☆", 3),
        ("4,5", 4.5),
        ("five", 5),
        ("5.0 out of 5 stars", 5),
        (" 9.0 ", 9),
        ("3 von 5", 3),
        ("⭐⭐", 2),
        ("n/a", None),
        ("", None),
        (None, None),
        ("great", None),
        ("3 rooms", None),
        ("1/0", None),
        ("four out", 4),
    ],
)
def test_stars_in_their_usual_shapes(value: str | None, stars: float | None) -> None:
    assert parse_stars(value) == stars


def test_scales() -> None:
    assert star_scale([1.0, 5.0, None], False) == "1-5"
    assert star_scale([9.0, 7.5, 10.0], False) == "0-10"
    assert star_scale([4.0] * 99 + [9.0], False) == "1-5", "one odd value changes no scale"
    assert to_five(9.0, "0-10") == 4.5 and to_five(0.0, "0-4") == 1.0 and to_five(4.0, "0-4") == 5.0
    assert to_five(0.5, "1-5") == 1.0, "the lowest mark of a scale with halves"
    assert to_five(9.0, "1-5") is None and to_five(0.0, "1-5") is None and to_five(None, "1-5") is None


@pytest.mark.parametrize(
    ("value", "dayfirst", "expected"),
    [
        ("2023-11-13T14:03:40.000Z", False, datetime(2023, 11, 13, 14, 3, 40)),
        ("2023-11-13T14:03:40+02:00", False, datetime(2023, 11, 13, 12, 3, 40)),
        ("2024-03-04", True, datetime(2024, 3, 4)),
        ("31-Jul-18", False, datetime(2018, 7, 31)),
        ("1/26/2011", False, datetime(2011, 1, 26)),
        ("3/4/2020", False, datetime(2020, 3, 4)),
        ("3/4/2020", True, datetime(2020, 4, 3)),
        ("August 2022", False, datetime(2022, 8, 1)),
        ("13. november 2023", False, datetime(2023, 11, 13)),
        ("Publiée le 3 août 2016", False, datetime(2016, 8, 3)),
        ("5. März 2024", False, datetime(2024, 3, 5)),
        ("5. marts 2024", False, datetime(2024, 3, 5)),
        ("5 de diciembre de 2024", False, datetime(2024, 12, 5)),
        ("1700000000", False, datetime(2023, 11, 14, 22, 13, 20)),
        ("1700000000000", False, datetime(2023, 11, 14, 22, 13, 20)),
        ("vor 10 Monaten", False, None),
        ("2 months ago", False, None),
        ("il y a 2 mois, 2024", False, None),
        ("yesterday", False, None),
        ("nonsense", False, None),
        ("2023-13-45", False, None),
        ("", False, None),
        (None, False, None),
    ],
)
def test_dates_in_their_usual_shapes(value: str | None, dayfirst: bool, expected: datetime | None) -> None:
    assert parse_date(value, dayfirst) == expected


def test_day_or_month_first_is_decided_over_the_column() -> None:
    assert day_first(["3/4/2020", "26/4/2020"])
    assert not day_first(["3/4/2020", "4/26/2020"])
    assert not day_first(["3/4/2020", None, "word"])
    assert day_first(["3.4.2020"]), "dots are how Germans and Danes write it"


@given(st.text(max_size=40))
def test_no_text_crashes_a_parser(value: str) -> None:
    parse_stars(value)
    parse_date(value, True)
    day_first([value])


def test_numbers_are_labels_only_when_the_column_was_mapped() -> None:
    assert label_names(["0", "1"], mapped=True) == {"0": "negative", "1": "positive"}
    assert label_names(["0", "2", "1"], mapped=True) == {"0": "negative", "1": "neutral", "2": "positive"}
    assert label_names(["0", "1"], mapped=False) == {}
    assert label_names(["Positive", "junk"], mapped=False) == {"positive": "positive"}
