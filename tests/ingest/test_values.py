"""Stars and labels as exports write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.values import (
    SCALES,
    Rating,
    describe_scale,
    label_names,
    parse_stars,
    star_scale,
    to_five,
    unfit,
    unknown_labels,
)


def read(values: list[str], declared: str | None = None) -> list[float | None]:
    """A column of ratings, as stars."""
    ratings = [parse_stars(value) for value in values]
    scale = star_scale(ratings, declared=declared)
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
        *[("+4", 4), ("80%", 4), ("20 %", 1), ("bubble_45", 4.5), ("ui_bubble_rating bubble_30", 3)],
    ],
)
def test_stars_in_their_usual_shapes(value: str, stars: float) -> None:
    assert to_five(parse_stars(value), "1-5") == stars


@pytest.mark.parametrize(
    "value",
    [
        *("n/a", "", None, "great", "3 rooms", "1/0", "four out", "One of the best", "Not rated", "-4", "4-5"),
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
        return star_scale([*map(Rating, values), None])

    assert scale() == scale(1, 5) == scale(0, 3, 5) == "1-5" and star_scale([], declared="0-4") == "0-4"
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
        (["+1", "-1", "+1", "0"], [None] * 4),
        (["2", "-2", "1"], [None] * 3),
        (["4", "-1", "2", "-1"], [4, None, 2, None]),
    ],
)
def test_a_columns_scale_is_brought_to_five(values: list[str], stars: list[float | None]) -> None:
    assert read(values) == stars


@pytest.mark.parametrize(
    ("column", "scale"),
    [
        *[("nps", "0-10"), ("NPS_score", "0-10"), ("npsScore", "0-10"), ("Net Promoter Score", "0-10")],
        *[("How likely are you to recommend us?", "0-10"), ("likelihood_to_recommend", "0-10")],
        *[("Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?", "0-10"), ("Rating (0-10)", "0-10")],
        *[
            ("How likely are you to recommend us (1-5)?", "1-5"),
            ("rating 1 to 10", "1-10"),
            ("score_out_of_10", "0-10"),
        ],
        *[
            ("note/10", "0-10"),
            ("Rating (0-100)", "1-100"),
            ("rating 0-5", "0-5"),
            ("rating", "1-5"),
            ("recommend", "1-5"),
        ],
        *[("rating_2021-10", "1-5"), ("rating of 10 hotels", "1-5"), ("expenses", "1-5"), ("rating 1-7", "unknown")],
    ],
)
def test_a_columns_name_can_tell_its_scale(column: str, scale: str) -> None:
    assert star_scale([Rating(2), Rating(5)], column) == scale


def test_a_named_or_declared_scale_must_fit() -> None:
    many = [*[Rating(5.0)] * 9, Rating(9.0)]
    assert star_scale(many, declared="1-5") == "1-5" and star_scale(many[1:], declared="1-5") == "unknown"
    assert star_scale(many, declared="0-10") == "0-10" and star_scale(many, declared="1-7") == "unknown"
    assert star_scale([Rating(80)] * 3, "nps") == "1-100"
    assert star_scale([Rating(3)] * 3, declared="10-50") == "unknown"
    assert star_scale([Rating(9, 10), None], declared="1-5") == "1-5", "a rating with its own best fits any scale"


@pytest.mark.parametrize(
    ("scale", "values", "stars"),
    [
        ("0-5", [0, 0.5, 2.5, 5, 6], [1, 1, 2.5, 5, None]),
        ("1-10", [0, 1, 7, 10], [None, 1, 3.5, 5]),
        ("0-10", [0, 1, 7, 10, 11], [1, 1, 3.5, 5, None]),
        ("10-50", [5, 10, 45], [None, 1, 4.5]),
        ("unknown", [0, 3], [None, None]),
    ],
)
def test_what_is_outside_a_scale_has_no_stars(scale: str, values: list[float], stars: list[float | None]) -> None:
    assert [to_five(Rating(value), scale) for value in values] == stars
    outside = [value for value, star in zip(values, stars, strict=True) if star is None]
    assert unfit([None, Rating(8, 10), *map(Rating, values)], scale) == outside


def test_a_few_unfit_ratings_are_examples() -> None:
    assert unfit(map(Rating, [0, 7, 7, 8, 9, 10]), "1-5") == [0, 7, 8]


def test_a_scale_is_described_for_people() -> None:
    def described(scale: str, *values: float) -> str:
        return describe_scale(scale, [None, Rating(20, 20), *map(Rating, values)])

    assert described("1-5", 3, 5) == described("1-5") == "1 to 5" and described("0-4", 4) == "0 to 4"
    assert described("0-10", 3, 9, 7.5) == "0 to 10, as 9 shows" and described("0-10", 3, 5) == "0 to 10"
    assert (
        described("10-50", 45, 10) == "10 to 50, as 45 shows" and described("1-100", 20, 85) == "1 to 100, as 85 shows"
    )
    assert described("unknown", 900, 3) == "unknown: no scale fits 900" and described("unknown") == "unknown"


def test_declared_to_start_from_zero() -> None:
    assert read(["0", "4", "3/4"], declared="0-4") == [1, 5, 4]


@given(
    st.sampled_from(sorted(SCALES)),
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


_NOTATIONS = ["{}", "{} stars", "{}★", "★ {}", "{} Sterne", "{} étoiles", "Rating: {}", "Bewertung: {}", "{}-star"]
_WITH_BEST = ["{}/{}", "{} von {}", "{} out of {}", "{} su {} stelle", "{} из {} звёзд"]


@given(
    st.sampled_from(sorted(SCALES)),
    st.sampled_from(_NOTATIONS),
    st.sampled_from([".", ","]),
    st.lists(st.integers(0, 200), min_size=1),
    st.booleans(),
)
def test_a_whole_column_of_ratings_is_read_back_or_none(
    scale: str, notation: str, point: str, halves: list[int], is_declared: bool
) -> None:
    low, high = SCALES[scale]
    marks = [mark for half in halves if low <= (mark := half / 2) <= high] or [high]
    if not is_declared:
        marks.append(high)  # else nothing tells 3 of 5 from 3 of 10
    ratings = [parse_stars(notation.format(f"{mark:g}".replace(".", point))) for mark in marks]
    found = star_scale(ratings, declared=scale if is_declared else None)
    for mark, rating in zip(marks, ratings, strict=True):
        stars = to_five(rating, found)
        if is_declared:
            assert stars in (None, to_five(Rating(mark), scale))
        elif scale != "0-4":  # which nobody can tell from 1-5
            assert stars in (None, max(mark * 5 / high, 1.0))


@given(
    st.sampled_from(_WITH_BEST),
    st.lists(st.tuples(st.integers(1, 20), st.sampled_from([4, 5, 10, 20, 100])), min_size=1),
)
def test_a_whole_column_of_ratings_with_their_best_is_read_back_or_none(
    notation: str, marks: list[tuple[int, int]]
) -> None:
    ratings = [parse_stars(notation.format(mark, best)) for mark, best in marks]
    scale = star_scale(ratings)
    for (mark, best), rating in zip(marks, ratings, strict=True):
        assert to_five(rating, scale) in (None, max(mark * 5 / best, 1.0) if mark <= best else None)


@given(st.text(max_size=40))
def test_no_text_crashes_a_parser(value: str) -> None:
    to_five(parse_stars(value), "0-10")


def test_numbers_are_labels_only_when_the_column_was_mapped() -> None:
    assert label_names(["0", "1"], mapped=True) == {"0": "negative", "1": "positive"}
    assert label_names(["0", "2", "1"], mapped=True) == {"0": "negative", "1": "neutral", "2": "positive"}
    assert label_names(["0", "1"], mapped=False) == {}
    assert label_names(["1.0", "0.0", "1"], mapped=True) == {"1.0": "positive", "0.0": "negative", "1": "positive"}
    assert label_names(["1", "-1", "0"], mapped=True) == {"-1": "negative", "0": "neutral", "1": "positive"}
    assert label_names(["1", "2"], mapped=True) == {}, "counted from 0 or from 1?"
    assert label_names(["0", "1", "3"], mapped=True) == {}


@pytest.mark.parametrize(
    ("values", "sentiments"),
    [
        (["Positive", "NEUTRAL", "neg", None, ""], "pos neu neg"),
        (["positiv", "négatif", "neutro", "отрицательный", "好评", "否定的"], "pos neg neu neg pos neg"),
        (["Good", "bad with comment", "goodwithcomment"], "pos neg pos"),
        (["promoter", "Passive", "detractor"], "pos neu neg"),
        (["Recommended", "Not Recommended", "doesnt_recommend", "doesn’t recommend"], "pos neg neg neg"),
        (["👍", "👎🏽", "thumbs up", "thumbs_down"], "pos neg pos neg"),
        (["Very satisfied", "dissatisfied", "unzufrieden", "mixed"], "pos neg neg neu"),
    ],
)
def test_words_for_sentiments(values: list[str | None], sentiments: str) -> None:
    names = label_names(values, mapped=False)
    assert " ".join(names[value.lower()][:3] for value in values if value) == sentiments


def test_a_label_column_that_is_not_understood_as_a_whole_is_refused() -> None:
    assert label_names(["positive"] * 9 + ["junk"], mapped=False) == {"positive": "positive"}
    assert label_names(["positive"] * 8 + ["junk"], mapped=False) == {}
    assert label_names(["positive", "junk"], mapped=True) == {"positive": "positive"}
    assert label_names(["happy", "angry", "sad"], mapped=False) == {}
    assert unknown_labels(["Positive", "Junk", "junk ", "b", None, "c", "d", "offered"]) == ["Junk", "junk", "b"]
    assert unknown_labels(["0", "1"]) == ["0", "1"] and unknown_labels(["0", "1"], mapped=True) == []


def test_that_nobody_was_asked_is_no_label_and_no_reason_to_refuse() -> None:
    values = ["unoffered"] * 50 + ["offered", "null", "good", "bad"]
    assert label_names(values, mapped=False) == {"good": "positive", "bad": "negative"}
    assert unknown_labels(values) == [] and label_names(["offered", None], mapped=True) == {}


@pytest.mark.parametrize(
    "column",
    [
        *(
            "recommended",
            "Recommended?",
            "voted_up",
            "votedUp",
            "thumbs",
            "isRecommended",
            "Would you recommend us? (yes/no)",
        ),
        *(
            "Weiterempfehlung",
            "Würden Sie uns weiterempfehlen?",
            "recommandez-vous",
            "¿Nos recomendaría?",
            "consiglieresti",
        ),
    ],
)
def test_yes_and_no_count_in_a_column_of_recommendations(column: str) -> None:
    yes_no = {"yes": "positive", "no": "negative"}
    assert label_names(["Yes", "No"], mapped=False, column=column) == yes_no == label_names(["Yes", "no"], mapped=True)
    assert label_names(["True", "False"], False, column) == {"true": "positive", "false": "negative"}
    assert set(label_names(["ja", "oui", "sí", "はい"], False, column).values()) == {"positive"}
    assert set(label_names(["nein", "non", "não", "нет"], False, column).values()) == {"negative"}


@pytest.mark.parametrize(
    "column", ["", "label", "complaint", "not_recommended", "would not recommend", "unrecommended"]
)
def test_yes_and_no_mean_nothing_elsewhere(column: str) -> None:
    assert label_names(["yes", "no"], mapped=False, column=column) == {}
    assert unknown_labels(["yes", "no"], column=column) == ["yes", "no"]


def test_a_scale_that_may_end_at_six_seven_or_ten_is_unknown() -> None:
    """Holidaycheck gives six suns, and answers from 1 to 7 are common in surveys; halves of them would look like stars."""
    assert star_scale(map(Rating, (5.8, 1.5, 6))) == star_scale(map(Rating, (7, 1, 4))) == "unknown"
    assert star_scale(map(Rating, (5.8, 1.5, 8))) == "0-10"


def test_german_school_grades_are_not_read_upside_down() -> None:
    assert star_scale(map(Rating, (1, 5, 2)), "Note", language="de") == "unknown"
    assert star_scale(map(Rating, (1, 5, 2)), "Note", language="fr") == "1-5"
    assert star_scale(map(Rating, (1, 8.5, 9)), "Gesamtnote", language="de") == "0-10"


@pytest.mark.parametrize(
    ("value", "stars"),
    [
        *[
            ("5 - Very satisfied", 5),
            ("1 (Poor)", 1),
            ("3 = neutral", 3),
            ("4: zufrieden", 4),
            ("[2/5]", 2),
            ("(4)", 4),
        ],
        *[("1 - sehr gut", None), ("5 - mangelhaft", None), ("3 - large", None), ("2 rooms", None)],
    ],
)
def test_a_rating_with_words_counts_only_if_they_agree(value: str, stars: float | None) -> None:
    assert to_five(parse_stars(value), "1-5") == stars
