"""Dates as exports and review sites write them, in many languages: read right or not at all."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.dates import _LOCALES, DateStyle, date_style, parse_date
from pipeline.text.language import languages

DAY_FIRST = DateStyle(slashed_day_first=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-11-13T14:03:40.000Z", datetime(2023, 11, 13, 14, 3, 40)),
        ("2023-11-13T14:03:40+02:00", datetime(2023, 11, 13, 12, 3, 40)),
        ("2023-11-13 14:03:40 +0200", datetime(2023, 11, 13, 12, 3, 40)),
        ("2023-11-13T14:03:40.123456789Z", datetime(2023, 11, 13, 14, 3, 40, 123456)),
        ("2023-11-13 02:03:40 PM PST", datetime(2023, 11, 13, 22, 3, 40)),
        ("2023-11-13 12:03 AM", datetime(2023, 11, 13, 0, 3)),
        ("Mon Nov 13 14:03:40 UTC 2023", datetime(2023, 11, 13, 14, 3, 40)),
        ("Mon Nov 13 2023 14:03:40 GMT-0330 (Newfoundland Time)", datetime(2023, 11, 13, 17, 33, 40)),
        ("20231113", datetime(2023, 11, 13)),
        ("2023/11/3", datetime(2023, 11, 3)),
        ("2023. 11. 3.", datetime(2023, 11, 3)),
        ("2023年11月03日", datetime(2023, 11, 3)),
        ("2023년 9월 3일", datetime(2023, 9, 3)),
        ("ngày 3 tháng 11 năm 2023", datetime(2023, 11, 3)),
        ("31-Jul-18", datetime(2018, 7, 31)),
        ("1/26/2011", datetime(2011, 1, 26)),
        ("13. november 2023", datetime(2023, 11, 13)),
        ("Monday the 13th of November, 2023 at 14:03", datetime(2023, 11, 13, 14, 3)),
        ("Publiée le 3 août 2016", datetime(2016, 8, 3)),
        ("5. März 2024", datetime(2024, 3, 5)),
        ("5. marts 2024", datetime(2024, 3, 5)),
        ("5 de diciembre de 2024", datetime(2024, 12, 5)),
        ("21 maggio 2019", datetime(2019, 5, 21)),
        ("21 maja 2019", datetime(2019, 5, 21)),
        ("21 мая 2019 г.", datetime(2019, 5, 21)),
        ("21 févr. 2019", datetime(2019, 2, 21)),
        ("2 out. 2019", datetime(2019, 10, 2)),
        ("٢١ مارس ٢٠١٩", datetime(2019, 3, 21)),
        ("Date of experience: May 21, 2019", datetime(2019, 5, 21)),
        ("PostedMay 21, 2019", datetime(2019, 5, 21)),
        ("Rezension aus Österreich vom 21. Jänner 2019", datetime(2019, 1, 21)),
        ("Recensito in Francia il 2 ottobre 2019", datetime(2019, 10, 2)),
        ("Recensito nei Paesi Bassi il 2 ottobre 2019", datetime(2019, 10, 2)),
        ("Beoordeeld in België op 2 mei 2019", datetime(2019, 5, 2)),
        ("Opinia z Niemiec z 2 lipca 2019", datetime(2019, 7, 2)),
        ("Recenserad i Finland den 2 maj 2019", datetime(2019, 5, 2)),
        ("2019年10月2日にアメリカ合衆国でレビュー済み", datetime(2019, 10, 2)),
        ("Almanya'da 2 Ekim 2019 tarihinde değerlendirildi", datetime(2019, 10, 2)),
        ("Reviewed in the United Kingdom on 2 October 2019", datetime(2019, 10, 2)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20)),
        ("1700000000.5", datetime(2023, 11, 14, 22, 13, 20, 500000)),
        ("1700000000000", datetime(2023, 11, 14, 22, 13, 20)),
        ("1700000000000000", datetime(2023, 11, 14, 22, 13, 20)),
        ("1700000000000000000", datetime(2023, 11, 14, 22, 13, 20)),
        ("1.7000123e9", datetime(2023, 11, 15, 1, 38, 20)),
    ],
)
def test_dates_in_their_usual_shapes(value: str, expected: datetime) -> None:
    assert parse_date(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "vor 10 Monaten",
            "2 months ago",
            "il y a 2 mois, 2024",
            "yesterday",
            "3 週間前",
            "Edited 3 weeks ago",
            "há 2 dias",
        ),
        *("August 2022", "2022-08", "2022年8月", "5 Aug", "2022", "10:30", "Visited August 2022"),  # incomplete
        *("2023-13-45", "2023-02-30", "0000-00-00", "30 February 2023", "2023-01-02 25:00", "2023-01-02 13:00 PM"),
        *("2024-W10", "2024-W10-2", "2024-065", "45356", "3/4/20", "24-Mar", "12345 March 2024"),
        *("5 Marchember 2024", "10 foo 2023", "5 or 6 March 2024", "5 March or April 2024", "May 5, 2024 (was June)"),
        *("1/2/2020 - 3/4/2020", "2020-01-02 2020-03-04", "room 12, 3/4/2020", "5 listopada 2024"),
        *("1.7e9", "1.70001E+12", "170000000", "1e999", "15 1402 مارس", "5 März 1385", "nonsense", "", None),
        "2024-03-05" + " " * 200,
    ],
)
def test_what_is_not_one_complete_date_is_none(value: str | None) -> None:
    assert parse_date(value) is None


def test_day_or_month_first_is_decided_over_the_column() -> None:
    def read(value: str, *others: str | None) -> datetime | None:
        return parse_date(value, date_style([value, *others]))

    assert read("3/4/2020", "26/4/2020") == datetime(2020, 4, 3)
    assert read("3/4/2020", "4/26/2020") == datetime(2020, 3, 4)
    assert read("3/4/2020", None, "word") == datetime(2020, 3, 4)
    assert read("3.4.2020") == datetime(2020, 4, 3), "dots are how Germans and Danes write it"
    assert read("3.4.2020", "4.26.2020") == datetime(2020, 3, 4)
    assert read("3.4.2020", "4/26/2020") == datetime(2020, 4, 3), "each separator has an order of its own"


def test_a_column_that_contradicts_itself_leaves_open_values_none() -> None:
    values = ["26/4/2020", "4/26/2020", "3/4/2020", "5/5/2020"]
    style = date_style(values)
    assert [parse_date(value, style) for value in values] == [
        datetime(2020, 4, 26),
        datetime(2020, 4, 26),
        None,
        datetime(2020, 5, 5),
    ]


@pytest.mark.parametrize("evidence", ["1/26/11", "3/4/05", "03/04/2005", "30/04/05"])
def test_two_digit_years_need_a_column_that_cannot_have_the_year_first(evidence: str) -> None:
    assert parse_date("05/05/06", date_style(["05/05/06"])) is None
    assert parse_date("05/05/06", date_style(["05/05/06", evidence])) == datetime(2006, 5, 5)
    assert parse_date("05/05/06", date_style(["05/05/06", evidence, "99/12/30"])) is None


def test_spreadsheet_serials_count_only_beside_dates() -> None:
    values = ["45356", "45356.5", "2024-03-06"]
    style = date_style(values)
    assert parse_date("45356", style) == datetime(2024, 3, 5) and parse_date("45356.5", style) == datetime(
        2024, 3, 5, 12
    )
    for column in (["45356", "45357"], ["45356", "B", "C", "2024-03-06"], ["45356"]):
        assert parse_date("45356", date_style(column)) is None


def test_a_month_with_two_meanings_takes_that_of_the_columns_language() -> None:
    name = "5 listopada 2024"
    assert parse_date(name, date_style([name])) is None
    assert parse_date(name, date_style([name, "5 maja 2024"])) == datetime(2024, 11, 5)
    assert parse_date(name, date_style([name, "5. ožujka 2024."])) == datetime(2024, 10, 5)


def test_month_names_of_over_thirty_languages_are_read() -> None:
    days = [date(2023, month, 27) for month in range(1, 13)]
    complete = set()
    for code in (*languages(), *_LOCALES):
        texts = [format_date(day, "long", code) for day in days]
        style = date_style(texts)
        if [parse_date(text, style) for text in texts] == [datetime(day.year, day.month, day.day) for day in days]:
            complete.add(code[:2])
    assert len(complete) >= 30 and languages().keys() <= complete


@given(
    st.dates(date(1990, 1, 1), date(2024, 12, 31)),
    st.sampled_from(sorted({*languages(), *_LOCALES})),
    st.sampled_from(["full", "long", "medium", "short"]),
)
def test_a_date_in_any_language_is_read_back_or_none(day: date, code: str, width: str) -> None:
    text = format_date(day, width, code)  # type: ignore[arg-type]
    end_of_month = format_date(date(2021, 1, 31), width, code)  # type: ignore[arg-type]
    assert parse_date(text, date_style([text, end_of_month])) in (None, datetime(day.year, day.month, day.day))


@given(st.datetimes(datetime(2002, 1, 1), datetime(2090, 1, 1)), st.sampled_from(range(0, 10, 3)))
def test_seconds_to_nanoseconds_since_1970_are_read_back(moment: datetime, power: int) -> None:
    seconds = round((moment.replace(microsecond=0) - datetime(1970, 1, 1)).total_seconds())
    assert parse_date(str(seconds * 10**power)) == moment.replace(microsecond=0)


@given(st.text(max_size=40))
def test_no_text_crashes_a_parser(value: str) -> None:
    parse_date(value, DAY_FIRST)
    date_style([value])
