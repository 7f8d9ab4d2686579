"""Dates as exports and review sites write them, in many languages: read right or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.ingest.dates import _LOCALES, DateStyle, contradictions, date_style, describe, parse_date
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


@pytest.mark.parametrize(
    ("order", "language", "expected"),
    [
        (None, None, date(2020, 3, 4)),
        (None, "en", date(2020, 3, 4)),
        (None, "fr", date(2020, 4, 3)),
        (None, "ja", None),
        ("dmy", "en", date(2020, 4, 3)),
        ("mdy", "fr", date(2020, 3, 4)),
        ("ymd", "fr", date(2020, 4, 3)),
    ],
)
def test_where_no_value_decides_the_declared_order_or_else_the_language_does(
    order: str | None, language: str | None, expected: date | None
) -> None:
    style = date_style(["3/4/2020", "5/5/2020"], order, language)
    moment = parse_date("3/4/2020", style)
    assert (moment and moment.date()) == expected and style.assumed == (order not in ("dmy", "mdy"))
    assert parse_date("5/5/2020", style) == datetime(2020, 5, 5)


def test_a_declared_order_is_for_values_that_can_be_read_both_ways() -> None:
    style = date_style(["3/4/2020", "25/12/2020", "3.4.2020"], "mdy")
    assert [parse_date(value, style) for value in ("3/4/2020", "25/12/2020", "3.4.2020")] == [
        datetime(2020, 3, 4),
        datetime(2020, 12, 25),
        datetime(2020, 3, 4),
    ]
    assert parse_date("05/06/07", date_style(["05/06/07"], "dmy")) == datetime(2007, 6, 5)
    assert parse_date("05/06/07", date_style(["05/06/07"], "ymd")) == datetime(2005, 6, 7)
    assert parse_date("05/06/07", date_style(["05/06/07", "99/12/31"], "dmy")) is None
    with pytest.raises(InputError, match="dmy, mdy or ymd"):
        date_style([], "ddmm")


def test_what_only_another_order_can_explain_is_a_contradiction() -> None:
    month_first = date_style(["3/4/2020", "12/25/2020"])
    assert contradictions(["1/2/2020", None, "25/12/2024", "12/26/2020", "2020-12-25"], month_first) == ["25/12/2024"]
    assert contradictions([f"{day}/1/2020" for day in range(10, 20)], month_first) == [
        "13/1/2020",
        "14/1/2020",
        "15/1/2020",
    ]
    assert contradictions(["25.12.2024"], month_first) == []
    assert contradictions(["25/12/2024"], date_style(["25/12/2024", "12/25/2024"])) == []
    assert contradictions(["24/12/31", "24/13/01"], date_style(["05/06/07"], "ymd")) == ["24/13/01"]
    assert contradictions(["99/12/31", "31/12/99"], date_style(["31/12/2020"], "dmy")) == ["99/12/31"]


@pytest.mark.parametrize(
    ("values", "order", "language", "phrase"),
    [
        (["1/2/2024", "25/12/2024"], None, None, "day first, as 25/12/2024 shows"),
        (["1/2/2024", "12/25/24 10:30"], None, None, "month first, as 12/25/24 shows"),
        (["1/2/2024"], None, "en", "month first, assumed: nothing in the file decides; say --dates dmy if not"),
        (["1/2/2024"], None, "de", "day first, assumed: nothing in the file decides; say --dates mdy if not"),
        (["1/2/2024"], "dmy", "en", "day first, as declared"),
        (["2024-01-02", "5 May 2024", "5/5/2024", "2 days ago"], None, None, "no ambiguous dates"),
    ],
)
def test_a_style_is_described_for_people(
    values: list[str], order: str | None, language: str | None, phrase: str
) -> None:
    assert describe(date_style(values, order, language)) == phrase


def test_dates_left_empty_are_described_with_what_to_do() -> None:
    for style in (date_style(["1/2/2024"], None, "zh"), date_style(["1/2/2024", "25/12/2024", "12/25/2024"])):
        assert parse_date("1/2/2024", style) is None
        assert "left empty; say --dates dmy or mdy" in describe(style)


@pytest.mark.parametrize(
    "style",
    [
        DateStyle(),
        date_style(["5 maja 2024", "25/12/2024", "1/2/24"], None, "pl"),
        replace(date_style(["1/2/2024"], "ymd"), as_of=date(2024, 3, 15)),
    ],
)
def test_a_style_can_be_remembered_as_json(style: DateStyle) -> None:
    assert DateStyle.from_json(json.loads(json.dumps(style.to_json()))) == style


@pytest.mark.parametrize(
    ("value", "days"),
    [
        *[("today", 0), ("yesterday", 1), ("gestern", 1), ("3 days ago", 3), ("a week ago", 7), ("2 weeks ago", 14)],
        *[("vor 3 Tagen", 3), ("vor einer Woche", 7), ("hace un día", 1), ("il y a une semaine", 7), ("há 2 dias", 2)],
        *[
            ("2 weken geleden", 14),
            ("ieri", 1),
            ("3 日前", 3),
            ("3日前", 3),
            ("2 дня назад", 2),
            ("Edited 2 days ago", 2),
        ],
    ],
)
def test_relative_days_and_weeks_count_from_the_files_own_date(value: str, days: int) -> None:
    style = DateStyle(as_of=date(2024, 3, 20))
    assert parse_date(value, style) == datetime(2024, 3, 20 - days)
    assert parse_date(value) is None


@pytest.mark.parametrize(
    "value", ["2 months ago", "hace un mes", "a year ago", "5 hours ago", "in 3 days", "3 days", "3 days ago or more"]
)
def test_what_is_no_whole_number_of_days_ago_stays_none(value: str) -> None:
    assert parse_date(value, DateStyle(as_of=date(2024, 3, 20))) is None


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


_PATTERNS = [
    "dd/MM/yyyy",
    "M/d/yyyy",
    "MM-dd-yyyy",
    "d.M.yyyy",
    "d/M/yy",
    "MM/dd/yy",
    "dd.MM.yy",
    "yyyy/M/d",
    "yyyyMMdd",
]


@given(
    st.lists(st.dates(date(1990, 1, 1), date(2024, 12, 31)), min_size=1),
    st.sampled_from(sorted({*languages(), *_LOCALES})),
    st.sampled_from(["full", "long", "medium", "short", *_PATTERNS]),
    st.sampled_from([None, "declared"]),
)
def test_a_whole_column_is_read_back_or_none(days: list[date], code: str, pattern: str, declared: str | None) -> None:
    texts = [format_date(day, pattern, code) for day in days]
    example = format_date(date(2001, 10, 25), pattern, code)
    order = "dmy" if example.find("25") < example.find("10") else "mdy"
    style = date_style(texts, order if declared else None, code[:2])
    if style.assumed:
        return  # then the user is asked
    for day, text in zip(days, texts, strict=True):
        assert parse_date(text, style) in (None, datetime(day.year, day.month, day.day)), text


@given(
    st.lists(st.dates(date(2000, 1, 1), date(2024, 12, 31)), min_size=1),
    st.sampled_from(["yy/MM/dd", "yy-M-dd", "y.M.d"]),
)
def test_a_whole_column_with_the_year_first_is_read_back(days: list[date], pattern: str) -> None:
    texts = [format_date(day, pattern, "en") for day in days]
    style = date_style(texts, "ymd")
    assert [parse_date(text, style) for text in texts] == [datetime(day.year, day.month, day.day) for day in days]
    style = date_style(texts)
    for day, text in zip(days, texts, strict=True):
        assert parse_date(text, style) in (None, datetime(day.year, day.month, day.day)), text


@given(st.lists(st.dates(date(1990, 1, 1), date(2024, 12, 31))), st.sampled_from(["d/M/y", "M/d/y", "d.M.y", "M/d/yy"]))
def test_a_columns_own_values_never_contradict_the_order_that_they_show(days: list[date], pattern: str) -> None:
    texts = [format_date(day, pattern, "en") for day in days]
    assert contradictions(texts, date_style(texts)) == []


@given(st.datetimes(datetime(2002, 1, 1), datetime(2090, 1, 1)), st.sampled_from(range(0, 10, 3)))
def test_seconds_to_nanoseconds_since_1970_are_read_back(moment: datetime, power: int) -> None:
    seconds = round((moment.replace(microsecond=0) - datetime(1970, 1, 1)).total_seconds())
    assert parse_date(str(seconds * 10**power)) == moment.replace(microsecond=0)


@given(st.text(max_size=40))
def test_no_text_crashes_a_parser(value: str) -> None:
    parse_date(value, DAY_FIRST)
    date_style([value])


@pytest.mark.parametrize(
    ("values", "language", "expected"),
    [
        (["03.04.24", "17.04.24"], "de", "2024-04-03"),
        (["03.04.24"], "de", "2024-04-03"),
        (["03.04.24"], "ko", None),
        (["24.03.04", "24.03.15", "24.04.11"], "ko", None),
        (["24.03.04", "24.03.15", "24.04.11"], "de", None),
        (["12.11.24"], "de", None),
        (["03/04/24", "11/05/24", "12/04/24"], "en", "2024-03-04"),
        (["24/03/04"], "en", None),
    ],
)
def test_short_dates_end_with_the_year_where_it_varies_least(
    values: list[str], language: str, expected: str | None
) -> None:
    read = parse_date(values[0], date_style(values, None, language))
    assert (read and f"{read:%Y-%m-%d}") == expected
