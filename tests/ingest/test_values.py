"""Stars and labels as exports write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.values import Rating, label_names, parse_stars, star_scale, to_five


def read(values: list[str], zero_based: bool = False) -> list[float | None]:
    """A column of ratings, as stars."""
    ratings = [parse_stars(value) for value in values]
    scale = star_scale(ratings, zero_based)
    return [to_five(rating, scale) for rating in ratings]


@pytest.mark.parametrize(
    ("value", "stars"),
    [
        *[("4", 4), (" 3.0 ", 3), ("4,5", 4.5), ("4½", 4.5), ("4.333333333", 4.333333333)],
        *[("4 stars", 4), ("1 star", 1), ("4-star", 4), ("5-star rating", 5), ("five", 5), ("Four stars", 4)],
        *[("Rating: 4", 4), ("Rated 4.0 out of 5 stars", 4), ("Bewertung: 4", 4), ("4 Sterne", 4), ("4 stjerner", 4)],
        *[("4/5", 4), ("1 / 5", 1), ("8/10", 4), ("8,5/10", 4.25), ("4/5 stars", 4), ("5.0 out of 5 stars", 5)],
        *[("4 (out of 5)", 4), ("3 stars out of 5", 3), ("4 of 5 bubbles", 4), ("four out of five", 4), ("0/10", 1)],
        *[("3 von 5", 3), ("4,0 su 5 stelle", 4), ("2,0 van 5 sterren", 2), ("4,0 z 5 gwiazdek", 4)],
        *[("2,0 av 5 stjärnor", 2), ("3,0 de 5 estrelas", 3), ("4,0 sur 5 étoiles", 4), ("4 из 5 звёзд", 4)],
        *[
            ("5つ星のうち4.0", 4),
            ("星5つ中の3", 3),
            ("5 yıldız üzerinden 3,0", 3),
            ("별 5개 중 4.0개", 4),
            ("4 颗星,最多 5 颗星", 4),
        ],
        *[("★★★☆☆", 3), ("⭐⭐", 2), ("⭐️⭐️⭐️", 3), ("4★", 4), ("4.5★", 4.5), ("5 ⭐", 5), ("★ 4.5", 4.5)],
        *[("80%", 4), ("20 %", 1), ("bubble_45", 4.5), ("ui_bubble_rating bubble_30", 3)],
    ],
)
def test_stars_in_their_usual_shapes(value: str, stars: float) -> None:
    assert to_five(parse_stars(value), "1-5") == stars


@pytest.mark.parametrize(
    "value",
    [
        *("n/a", "", None, "great", "3 rooms", "1/0", "four out", "One of the best", "Not rated", "-4", "+4", "4-5"),
        *("4/5/2024", "24/7", "6/5", "1/1", "1 of 3 people", "☆☆☆☆☆", "✩✩✩", "★★ 4", "★★★★★★", "120%", "0%", "0/5"),
        *("1,000", "41000", "4" + " " * 200),
    ],
)
def test_what_is_not_one_rating_has_no_stars(value: str | None) -> None:
    assert to_five(parse_stars(value), "1-5") is None


def test_a_rating_keeps_the_best_that_was_written_with_it() -> None:
    assert parse_stars("9") == Rating(9) and parse_stars("8/10") == Rating(8, 10)
    assert read(["9", "8/10", "7"]) == [4.5, 4, 3.5], "the column's scale is for the numbers without one"


def test_scales() -> None:
    def scale(*values: float) -> str:
        return star_scale([*map(Rating, values), None], False)

    assert scale() == scale(1, 5) == scale(0, 3, 5) == "1-5" and star_scale([], True) == "0-4"
    assert scale(9, 7.5, 10) == scale(0, 10, 8) == "0-10"
    assert scale(*[4.0] * 99, 9.0) == "1-5", "one odd value changes no scale"
    assert scale(10, 30, 50, 45) == "10-50" and scale(100, 80, 60, 10) == "1-100"
    assert scale(8, 15, 12) == scale(20, 30) == scale(120, 900) == scale(0.2, 0.93) == "unknown"


@pytest.mark.parametrize(
    ("values", "stars"),
    [
        (["5", "0", "0.5", "1"], [5, None, 1, 1]),
        (["10", "7.5", "1", "0"], [5, 3.75, 1, 1]),
        (["50", "45", "10"], [5, 4.5, 1]),
        (["100", "85", "40", "10", "0"], [5, 4.25, 2, 1, None]),
        (["100%", "40%"], [5, 2]),
        (["8", "15", "12"], [None, None, None]),
        (["4"] * 20 + ["9"], [4] * 20 + [None]),
    ],
)
def test_a_columns_scale_is_brought_to_five(values: list[str], stars: list[float | None]) -> None:
    assert read(values) == stars


def test_declared_to_start_from_zero() -> None:
    assert read(["0", "4", "3/4", "5"], zero_based=True) == [1, 5, 4, None]


@given(
    st.sampled_from(["1-5", "0-4", "0-10", "10-50", "1-100"]),
    st.lists(st.floats(0, 120, allow_nan=False), min_size=2),
)
def test_a_better_rating_never_has_fewer_stars(scale: str, values: list[float]) -> None:
    stars = [star for value in sorted(values) if (star := to_five(Rating(value), scale)) is not None]
    assert stars == sorted(stars) and all(1 <= star <= 5 for star in stars)


@given(
    st.integers(2, 10),
    st.sampled_from(
        [
            "{}",
            "{}/5",
            "{} von 5",
            "{} su 5 stelle",
            "5つ星のうち{}",
            "{}★",
            "★ {}",
            "{}-star",
            "{} of 5",
            "Rated {} out of 5 stars",
        ]
    ),
    st.sampled_from([".", ","]),
)
def test_a_rating_in_any_notation_is_read_back(halves: int, notation: str, point: str) -> None:
    value = notation.format(str(halves / 2).replace(".", point))
    assert to_five(parse_stars(value), "1-5") == halves / 2


@given(st.text(max_size=40))
def test_no_text_crashes_a_parser(value: str) -> None:
    to_five(parse_stars(value), "0-10")


def test_numbers_are_labels_only_when_the_column_was_mapped() -> None:
    assert label_names(["0", "1"], mapped=True) == {"0": "negative", "1": "positive"}
    assert label_names(["0", "2", "1"], mapped=True) == {"0": "negative", "1": "neutral", "2": "positive"}
    assert label_names(["0", "1"], mapped=False) == {}
    assert label_names(["Positive", "junk"], mapped=False) == {"positive": "positive"}
