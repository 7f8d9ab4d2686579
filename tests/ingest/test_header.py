"""Which row of a table is its header, and which rows below continue it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.formats.header import find_header
from pipeline.ingest.formats.record import ReadOptions
from pipeline.ingest.sources import read_records


def position(rows: list[list[str]], expected: bool = False, **options: Any) -> int | None:
    header = find_header(rows, ReadOptions(**options), expected)
    return header.position if header else None


def names(table: str, **mapping: str) -> list[str]:
    header = find_header(list(csv.reader(io.StringIO(table))), ReadOptions(mapping=mapping))
    return header.names if header else []


def rows_below(table: str, **mapping: str) -> int:
    rows = list(csv.reader(io.StringIO(table)))
    header = find_header(rows, ReadOptions(mapping=mapping))
    return len(rows) - header.body if header else len(rows)


# --- Headers with usual names ---


def test_a_line_above_that_holds_a_usual_name_is_no_header() -> None:
    assert position([["Date", "2024-06-01"], [], ["Date", "Review", "Stars"], ["2024-05-05", "Cold soup", "1"]]) == 2
    assert position([["Reviews", "", ""], ["Review", "", ""], ["Date", "Review", "Stars"], ["x", "Cold", "1"]]) == 2


def test_a_table_mapped_by_number_has_a_header_only_if_several_names_are_usual() -> None:
    by_number = {"mapping": {"text": "1"}}
    assert position([["Review"], ["Cold soup"]], **by_number) is None
    assert position([["Review", "Stars"], ["Cold soup", "1"]], **by_number) == 0
    assert position([["Review"], ["Cold soup"]], expected=True, **by_number) == 0
    assert position([["Great", "Place"], ["Cold soup", "Inn"]], expected=True, mapping={"text": "2"}) == 0
    titled = [["Our reviews", ""], ["Review", "Stars"], ["Cold soup", "1"]]
    assert position(titled, **by_number) == 1
    header = find_header(titled, ReadOptions(**by_number))
    assert header and header.names == [] and header.body == 2


def test_where_a_header_is_expected_it_need_not_stand_out() -> None:
    rows = [["Our guests"], ["Review"], ["Cold soup"], ["Warm soup"]]
    assert position(rows, expected=True) == 1
    assert position(rows) is None


# --- Headers without ---


@pytest.mark.parametrize(
    "table",
    [
        "Respondent,When did you come?,What could we do better?\n1181,03/05/2024 10:00:00 AM,The queue was long\n",
        "Kunde,Wann,Anmerkung zum Besuch\nAnna B,05.03.2024,Zu laut\nBert C,06.03.2024,Sehr nett\n",
        "What did you like?,What could we do better?\nThe garden,Nothing at all\n",
        "lastpage,G01Q01,G01Q02\n3,Good,Nothing\n4,Bad,The queue\n",
        "Guest,Anything else\n" + "".join(f"Guest {n},The queue at the desk was long\n" for n in "abcdef"),
    ],
)
def test_a_first_row_unlike_the_rows_below_is_a_header(table: str) -> None:
    assert names(table) == table.splitlines()[0].split(",")
    assert names(table, text="2") == [], "columns mapped by number need no names, and a text is not lost to them"
    assert rows_below(table, text="2") == len(table.splitlines())


@pytest.mark.parametrize(
    "table",
    [
        "The food was good,1\nThe soup was cold,0\n",
        "Why so slow?\nNever again\n",
        "Good soup,positive\nCold soup,negative\nWarm soup,positive\n",
        "en,shop,Good soup\nen,shop,Cold soup\n",
        "Good soup,restaurant\nWarm coat,shop\nCold soup,restaurant\n",
        "Why is it so slow?,Ann\nNever again,Bob\n",
        "The longest review of all of them,Ann\nGood,2024-03-05\n",
        "Guest a,Lovely\n" + "".join(f"Guest {n},The queue at the desk was long\n" for n in "bcd"),
    ],
)
def test_a_first_row_like_the_rows_below_is_none(table: str) -> None:
    assert names(table) == []


WORDS = st.text("abcdefgh ?!", min_size=1, max_size=30).filter(str.strip)
SENTENCES = WORDS.map(lambda text: f"{text.strip()} indeed.")


@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=12))
def test_mapped_by_number_no_review_is_taken_for_a_header(rows: list[list[str]]) -> None:
    assert position([*rows, *rows], mapping={"text": "1", "label": "2"}) is None


@given(st.lists(st.tuples(SENTENCES, st.sampled_from(["0", "1", "good", "bad"])).map(list), min_size=1, max_size=12))
def test_no_sentence_is_taken_for_a_name(rows: list[list[str]]) -> None:
    assert position([["It was loud.", "1"], *rows]) is None
    assert position([[text, text[::-1] + "."] for text, _ in rows]) is None


# --- Rows that continue a header ---

SURVEY = (
    "Respondent ID,Start Date,Which did you use?,,,What should we change?\n"
    ",,Phone,Mail,Other (please specify),Open-Ended Response\n"
    "11,03/05/2024,Phone,,,Shorter queues\n12,03/06/2024,,Mail,Fax,Nothing\n"
)
QUALTRICS = (
    'StartDate,Q1,Q2\nStart Date,How was it?,Why?\n"{""ImportId"":""startDate""}","{""ImportId"":""QID1""}",'
    '"{""ImportId"":""QID2_TEXT""}"\n2024-03-05,Bad,The queue was long\n'
)


@pytest.mark.parametrize("mapping", [{}, {"text": "What should we change?"}])
def test_a_column_without_a_name_takes_the_question_and_its_own_label(mapping: dict[str, str]) -> None:
    assert names(SURVEY, **mapping) == [
        "Respondent ID",
        "Start Date",
        "Which did you use?",
        "Which did you use? - Mail",
        "Which did you use? - Other (please specify)",
        "What should we change?",
    ]
    assert rows_below(SURVEY, **mapping) == 2


@pytest.mark.parametrize(
    ("table", "left"),
    [
        (SURVEY, 2),
        (QUALTRICS, 1),
        ("id,How was it?,Why?\n,Response,Open-Ended Response\n1,Bad,The queue was long\n", 1),
        ("How was it?,Why?\nResponse,Response\nBad,The queue was long\n", 1),
        ("id,Wie war es?,Warum?\n,Antwort,Offene Beantwortung\n1,Schlecht,Es war laut\n", 1),
    ],
)
def test_rows_that_continue_a_header_are_no_records(table: str, left: int) -> None:
    assert rows_below(table) == left
    assert rows_below(table, text="2") == left, "nor are they if columns are mapped by number"


def test_a_choice_with_a_usual_name_is_no_header() -> None:
    rows = list(csv.reader(io.StringIO(SURVEY.replace("Mail", "Feedback"))))
    assert position(rows, expected=True) == position(rows) == 0


def test_the_choices_of_a_question_and_names_written_twice_continue_a_header() -> None:
    choices = "id,Date,Which did you use?,,\n,,Phone,Mail,Shop\n1,2024-03-05,Phone,,\n2,2024-03-05,,Mail,Shop\n"
    assert rows_below(choices) == 2
    twice = "StartDate,ResponseId,Q1\nStart Date,Response ID,Why?\n2024-03-05,R_1,The queue was long\n"
    assert rows_below(twice) == 1


@pytest.mark.parametrize(
    "table",
    [
        "parent,text,kind\n,Cold soup,Response\n1,Sorry,Reply\n",
        "id,text,author\n,Cold soup,\n2,Warm soup,Ann\n",
        ",text,stars\nx,Cold soup,1\ny,Warm soup,5\n",
        ",text,\n,Cold soup,sadly\n2,Warm soup,gladly\n",
        "text,stars\nResponse was slow,1\nWarm soup,5\n",
        'text,stars\n"{""a"": 1}",1\nWarm soup,5\n',
        "text,author\nText,Ann\nWarm soup,Bob\n",
    ],
)
def test_a_first_record_is_no_such_row(table: str) -> None:
    assert rows_below(table, text="text") == 2


def test_survey_files_are_read_from_text_and_from_sheets(tmp_path: Path) -> None:
    import openpyxl

    rows = list(csv.reader(io.StringIO(SURVEY)))
    (tmp_path / "survey.csv").write_text(SURVEY)
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append([cell or None for cell in row])
    book.save(tmp_path / "survey.xlsx")
    texts = []
    for name in ("survey.csv", "survey.xlsx"):
        found = list(read_records(str(tmp_path / name), ReadOptions()))
        texts.append([record["What should we change?"] for record in found if isinstance(record, dict)])
    assert texts == [["Shorter queues", "Nothing"]] * 2
