from __future__ import annotations

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import columns

PROSE = "The waiter was rude and the soup was cold that evening."


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["rating", "date", "variation", "verified_reviews"],
            {"text": "verified_reviews", "stars": "rating", "product": "variation"},
        ),
        (["Review Text", "Rating", "Title"], {"text": "Review Text", "stars": "Rating", "title": "Title"}),
        (
            ["name", "rating", "review_text", "review_rating"],
            {"text": "review_text", "stars": "review_rating"},
        ),
        (["reviewId", "content", "score", "at"], {"text": "content", "stars": "score", "reviewed_at": "at"}),
        (["text", "business_id"], {"text": "text", "business": "business_id"}),
    ],
)
def test_columns_are_found_by_common_names(names: list[str], expected: dict[str, str]) -> None:
    values = {"rating": "4", "Rating": "4", "score": "4", "review_rating": "2", "stars": "3"}
    sample = [{name: values.get(name, PROSE) for name in names}]
    found = columns.choose(names, {}, sample, "f.csv")
    assert expected.items() <= found.items()


def test_a_name_is_the_business_only_where_it_recurs() -> None:
    """Otherwise it is the customer's: no business is better than one per customer."""

    def chosen(*names: str) -> str | None:
        sample = [{"name": name, "review": PROSE} for name in names]
        return columns.choose(["name", "review"], {}, sample, "f.csv").get("business")

    assert chosen("Corner Bakery", "Corner Bakery", "Old Mill", "Old Mill") == "name"
    assert chosen("Ann", "Bob", "Cleo", "Dora", "Bob") is None


def test_names_of_known_exports() -> None:
    play = ["Reviewer Language", "Review Submit Date and Time", "Star Rating", "Review Title", "Review Text"]
    found = columns.choose(play, {}, [dict.fromkeys(play, PROSE) | {"Star Rating": "1"}], "f.csv")
    assert found["language"] == play[0] and found["reviewed_at"] == play[1] and found["stars"] == play[2]
    trustpilot = ["Review Created (UTC)", "Review Title", "Review Content", "Review Stars", "Webshop Name"]
    found = columns.choose(trustpilot, {}, [dict.fromkeys(trustpilot, PROSE) | {"Review Stars": "1"}], "f.csv")
    assert (
        found["reviewed_at"] == trustpilot[0] and found["stars"] == trustpilot[3] and found["business"] == trustpilot[4]
    )


def test_a_text_column_holds_prose() -> None:
    sample = [{"text": "7", "review": PROSE}]
    assert columns.choose(["text", "review"], {}, sample, "f.csv")["text"] == "review"


def test_mapping_wins_and_is_checked() -> None:
    sample = [{"text": PROSE, "good": PROSE, "bad": PROSE}]
    assert columns.choose(["text", "good", "bad"], {"text": "good+bad"}, sample, "f.csv")["text"] == "good+bad"
    with pytest.raises(InputError, match=r"no column 'ugly'\. Its columns: text, good, bad"):
        columns.choose(["text", "good", "bad"], {"text": "ugly"}, sample, "f.csv")
    with pytest.raises(InputError, match="no field 'colour'"):
        columns.choose(["text"], {"colour": "text"}, sample, "f.csv")
    with pytest.raises(InputError, match="--map text=COLUMN"):
        columns.choose(["a", "b"], {}, [{"a": "1", "b": "2"}], "f.csv")
