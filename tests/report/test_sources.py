from __future__ import annotations

import json

import pytest

from pipeline.report.sources import describe
from tests.factory import source


@pytest.mark.parametrize(
    ("filled", "understood", "words"),
    [
        (1200, 1200, "all 1,200; 1 to 5"),
        (1200, 1199, "1,199 of 1,200 (99 %); 1 to 5"),
        (3, 0, "none of 3"),
        (0, 0, "empty"),
    ],
)
def test_how_much_of_a_column_was_understood_is_said_in_words(filled: int, understood: int, words: str) -> None:
    field = {"name": "stars", "column": "Score", "how": "1 to 5", "filled": filled, "understood": understood}
    ((name, column, samples, said),) = described([field | {"samples": ["5", "1"]}])
    assert (name, column, samples, said) == ("stars", "Score", "5 | 1", words)


def test_one_sample_of_prose_is_enough_and_a_missing_language_is_detected() -> None:
    counts = {"filled": 2, "understood": 2}
    text = {"name": "text", "column": "Review", "how": "", "samples": ["Cold soup.", "Warm bread."], **counts}
    language = {"name": "language", "column": None, "how": "detected in each text", "samples": [], **counts}
    assert described([text, language]) == [
        ("text", "Review", "Cold soup.", "all 2"),
        ("language", "not found", "", "detected in each text"),
    ]


def test_a_text_in_two_halves_is_not_missing() -> None:
    text = {"name": "text", "column": None, "how": "", "filled": 0, "understood": 0, "samples": []}
    liked = text | {"name": "liked", "column": "Pros", "filled": 1, "understood": 1, "samples": ["Warm bread."]}
    assert [row[0] for row in described([text, liked])] == ["liked"]


def described(fields: list[dict[str, object]]) -> list[tuple[str, str, str, str]]:
    counts = {"accepted": 2, "rejected": 0, "duplicates": 0, "rating_only": 0, "export": None, "fields": fields}
    row = source() | counts
    return describe(row | {"layouts": json.loads(row["layouts"])}).rows
