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
            {"text": "review_text", "stars": "review_rating", "business": "name"},
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
