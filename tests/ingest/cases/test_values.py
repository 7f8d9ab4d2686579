"""Columns of dates, ratings, languages and texts, as shops in many countries write them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from pipeline.core.warehouse import Warehouse
from tests.ingest.cases.reading import column, counts, days, how, read, write


def table(*columns: str, rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([columns, *rows])
    return out.getvalue()


def numbered(name: str, values: list[str]) -> str:
    """A review for each value of a column."""
    return table(
        "review", name, rows=[(f"Chair {n} creaks when you lean back.", value) for n, value in enumerate(values)]
    )


STORES = {
    "Rezension aus Österreich vom 7. Jänner 2025": ("2,0 von 5 Sternen", "2025-01-07"),
    "Recensito in Italia il 9 maggio 2025": ("3,0 su 5 stelle", "2025-05-09"),
    "Recensito in Italia il 10 gennaio 2025": ("1,0 su 5 stelle", "2025-01-10"),
    "Beoordeeld in België op 8 maart 2025": ("5,0 van 5 sterren", "2025-03-08"),
    "Commenté en Belgique le 11 août 2025": ("4,0 sur 5 étoiles", "2025-08-11"),
    "Revisado en México el 6 de diciembre de 2025": ("4,0 de 5 estrellas", "2025-12-06"),
    "Avaliado no Brasil em 5 de outubro de 2025": ("1,0 de 5 estrelas", "2025-10-05"),
    "Opinia z Polski z 4 września 2025": ("3,0 z 5 gwiazdek", "2025-09-04"),
    "Recenserad i Sverige den 12 maj 2025": ("2,0 av 5 stjärnor", "2025-05-12"),
    "2025年7月9日に日本でレビュー済み": ("5つ星のうち3.0", "2025-07-09"),
    "Türkiye'de 2 Haziran 2025 tarihinde değerlendirildi": ("5 yıldız üzerinden 4,0", "2025-06-02"),
    "Reviewed in Ireland on 1 April 2025": ("4.0 out of 5 stars", "2025-04-01"),
    "Date of experience: May 04, 2025": ("5", "2025-05-04"),
}


def test_the_sentence_in_which_a_shop_writes_country_and_date(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [(f"Mug {n} leaks at the handle.", rating, date) for n, (date, (rating, _)) in enumerate(STORES.items())]
    result = read(
        warehouse, write(tmp_path / "shops.csv", table("review_text", "review_rating", "review_date", rows=rows))
    )
    assert days(warehouse) == [day for _, day in STORES.values()] and not result.notes
    assert column(warehouse, "stars") == [
        float(rating.replace("5つ星のうち", "").replace("5 yıldız üzerinden ", "")[0]) for rating, _ in STORES.values()
    ]


def test_the_same_sentence_as_a_review_is_none(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [(next(iter(STORES)), "2"), ("Mug 1 leaks at the handle.", "1")]
    assert counts(read(warehouse, write(tmp_path / "r.csv", table("review", "stars", rows=rows)))) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    ("values", "stars", "scale"),
    [
        (["3★", "1★", "5 ⭐", "★ 2.5", "★★★★☆"], [3, 1, 5, 2.5, 4], "1 to 5"),
        (["2-star", "4 (out of 5)", "Rating: 3", "40%", "+4", "one star"], [2, 4, 3, 2, 4, 1], "1 to 5"),
        (["100", "70", "30", "20", "95"], [5, 3.5, 1.5, 1, 4.75], "1 to 100, read as 1 to 5"),
        (["+1", "-1", "0", "+1"], [None] * 4, "unknown"),
        (["4", "-1", "N/A", "☆☆☆☆☆"], [4, None, None, None], "1 to 5"),
    ],
)
def test_ratings(
    warehouse: Warehouse, tmp_path: Path, values: list[str], stars: list[float | None], scale: str
) -> None:
    result = read(warehouse, write(tmp_path / "r.csv", numbered("rating", values)))
    assert column(warehouse, "stars") == stars and how(result, "stars") == scale


DATES = {
    "2025年8月9日": "2025-08-09",
    "9 de agosto de 2025": "2025-08-09",
    "3 févr. 2025": "2025-02-03",
    "4 ene 2025": "2025-01-04",
    "5 Okt 2025": "2025-10-05",
    "6 mrt 2025": "2025-03-06",
    "7 мая 2025 г.": "2025-05-07",
    "9 out 2025": "2025-10-09",
    "1.7542656e9": "2025-08-04",  # a number that a spreadsheet or pandas shortened
    "1754265600": "2025-08-04",
    "1754265600000000": "2025-08-04",
    "45873": "2025-08-04",
    "2025-08-04T10:11:12.254545406Z": "2025-08-04",
    "ReviewedMay 6, 2025": "2025-05-06",
    "2025-08-04 11:12:13 PM PST": "2025-08-05",
    "3 weeks ago": None,
    "il y a 2 mois": None,
    "March 2025": None,
    "5 Mar": None,
    "2025-02-30": None,
    "0000-00-00": None,
}


def test_a_date_is_read_whole_or_not_at_all(warehouse: Warehouse, tmp_path: Path) -> None:
    result = read(warehouse, write(tmp_path / "r.csv", numbered("date", list(DATES))))
    assert dict(zip(DATES, days(warehouse), strict=True)) == DATES
    assert f"of {len(DATES)} values of date are not understood" in result.notes[0]


@pytest.mark.parametrize(
    ("values", "expected", "phrase"),
    [
        (["02/03/2025", "04/05/2025"], ["2025-02-03", "2025-04-05"], "say --dates dmy if not"),
        (["28/02/2025", "04/05/2025"], ["2025-02-28", "2025-05-04"], "day first, as 28/02/2025 shows"),
        (["28/02/2025", "04/05/2025", "12/31/2024"], ["2025-02-28", None, "2024-12-31"], "left empty"),
    ],
)
def test_day_or_month_first(
    warehouse: Warehouse, tmp_path: Path, values: list[str], expected: list[str | None], phrase: str
) -> None:
    result = read(warehouse, write(tmp_path / "r.csv", numbered("date", values)))
    assert days(warehouse) == expected and phrase in how(result, "reviewed_at")


@pytest.mark.parametrize("year", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+02:00"])
def test_a_moment_beyond_the_calendar_is_no_date(warehouse: Warehouse, tmp_path: Path, year: str) -> None:
    read(warehouse, write(tmp_path / "r.csv", numbered("date", [year, "2025-01-01"])))
    assert days(warehouse) == [None, "2025-01-01"]


SAID = {
    "en": ("English", "en_GB", "The kettle burned my hand and nobody cared."),
    "de": ("German", "de-DE", "Der Kocher ist nach zwei Tagen kaputtgegangen."),
    "ja": ("Japanese", "ja_JP", "ケトルがすぐに壊れてしまいました。"),
    "zh": ("Chinese", "zh-Hans", "水壶用了两天就坏了，很失望。"),
    "id": ("Indonesian", "in_ID", "Ketelnya rusak setelah dua hari dipakai."),
    "nb": ("Norwegian Bokmål", "nb-NO", "Kjelen gikk i stykker etter to dager."),
    "es": ("Spanish", "es-419", "El hervidor se rompió a los dos días."),
}


@pytest.mark.parametrize("column_of", [0, 1])
def test_languages_by_name_and_by_locale(warehouse: Warehouse, tmp_path: Path, column_of: int) -> None:
    rows = [(said[2], said[column_of]) for said in SAID.values()]
    read(warehouse, write(tmp_path / "r.csv", table("review", "language", rows=rows)))
    assert column(warehouse, "language") == list(SAID)


def test_languages_are_the_same_without_a_column_that_says_them(warehouse: Warehouse, tmp_path: Path) -> None:
    told_apart = {code: said for code, said in SAID.items() if code != "nb"}  # not from Danish, in a sentence
    read(warehouse, write(tmp_path / "r.csv", table("review", rows=[(said[2],) for said in told_apart.values()])))
    assert column(warehouse, "language") == list(told_apart)


def test_words_for_nothing_are_no_reviews(warehouse: Warehouse, tmp_path: Path) -> None:
    words = [
        "nan",
        "None",
        "NULL",
        "N/A",
        "#N/A",
        "-",
        "(No comment)",
        "undefined",
        "No comments available for this review",
    ]
    rows = [("The fan rattles at night.", "2"), *((word, "4") for word in words)]
    result = read(warehouse, write(tmp_path / "r.csv", table("review", "stars", rows=rows)))
    assert counts(result) == (1, 0, 0, len(words)), "the ratings count"


def test_nan_of_a_data_frame_is_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = '[{"content":"The fan rattles.","score":2,"at":NaN},{"content":NaN,"score":4,"at":"2025-03-06"},{"content":"Quiet fan.","score":NaN,"at":"2025-03-07"}]'
    assert counts(read(warehouse, write(tmp_path / "r.json", rows))) == (2, 0, 0, 1)
    assert column(warehouse, "stars") == [2, 4, None] and days(warehouse) == [None, "2025-03-06", "2025-03-07"]


def test_the_name_of_each_customer_is_no_business(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [
        ("Rosa Beispiel", "2025-03-01", "2", "The vase came cracked."),
        ("Otto Exempel", "2025-03-02", "5", "A lovely vase."),
    ]
    result = read(warehouse, write(tmp_path / "r.csv", table("Name", "Date", "Rating", "Review", rows=rows)))
    assert column(warehouse, "business") == [None, None] and result.columns["author"] == "Name"
    assert "Rosa" not in str(warehouse.query("FROM reviews")), "of a name only its hash is kept"
