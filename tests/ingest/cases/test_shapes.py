"""Files of unusual shape: lines above a header, several sheets, JSON of every nesting, encodings, files with nothing in them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse
from tests.ingest.cases.reading import column, counts, days, read, write

RUG = ("The rug sheds all over.", 1, "2025-02-05")
LAMP = ("A warm light, well made.", 5, "2025-02-06")
HEADER = ("review", "stars", "date")
TEXTS = [RUG[0], LAMP[0]]


def workbook(path: Path, sheets: dict[str, list[tuple[Any, ...]]]) -> str:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return write(path / "book.xlsx", buffer.getvalue())


@pytest.mark.parametrize(
    "sheets",
    [
        {"Empty": [], "Reviews": [HEADER, RUG, LAMP]},
        {"About": [("Made with our tool",), ("Do not edit",)], "Reviews": [HEADER, RUG, LAMP]},
        {"Reviews": [("Feedback of the week",), (), ("Shop", "Rug Barn"), HEADER, RUG, LAMP]},
        {"May": [HEADER, RUG], "June": [HEADER, LAMP]},
    ],
    ids=["empty first sheet", "cover sheet", "title rows", "a sheet per month"],
)
def test_sheets(warehouse: Warehouse, tmp_path: Path, sheets: dict[str, list[tuple[Any, ...]]]) -> None:
    result = read(warehouse, workbook(tmp_path, sheets))
    assert column(warehouse, "text") == TEXTS and counts(result) == (2, 0, 0, 0)
    assert column(warehouse, "stars") == [1, 5] and days(warehouse) == ["2025-02-05", "2025-02-06"]
    assert {layout["part"] for layout in result.layouts} <= {"Reviews", "May", "June"}


def test_a_column_whose_name_is_a_number(warehouse: Warehouse, tmp_path: Path) -> None:
    source = workbook(tmp_path, {"R": [("Review", 5, None), RUG, LAMP]})
    result = read(warehouse, source)
    assert column(warehouse, "text") == TEXTS and result.unused == ["5", "3"]
    read(warehouse, source, mapping={"stars": "5", "reviewed_at": "3"})
    assert column(warehouse, "stars") == [1, 5] and days(warehouse) == ["2025-02-05", "2025-02-06"]


def test_a_sheet_with_a_header_only_is_one_clear_line(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no reviews.*Export it again"):
        read(warehouse, workbook(tmp_path, {"R": [HEADER]}))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('\ufeffsep=;\nText;Sterne;Datum\n"Der Teppich fusselt; stark.";1;2025-02-05\nWarmes Licht;5;2025-02-06\n', 2),
        (
            'Weekly report,,\nFrom: 2025-02-01,,\n,,\nReview,Rating,Date\n"It sheds, a lot.",1,2025-02-05\nWarm light,5,2025-02-06\n',
            4,
        ),
    ],
    ids=["the line in which Excel names the delimiter", "title lines"],
)
def test_lines_above_the_header(warehouse: Warehouse, tmp_path: Path, content: str, line: int) -> None:
    result = read(warehouse, write(tmp_path / "r.csv", content))
    assert counts(result) == (2, 0, 0, 0) and [layout["header_line"] for layout in result.layouts] == [line]
    assert column(warehouse, "stars") == [1, 5] and days(warehouse) == ["2025-02-05", "2025-02-06"]


SURVEY = (
    "Respondent ID,Collector ID,Start Date,End Date,How pleased are you?,What should we change?\n"
    ",,,,Response,Open-Ended Response\n"
    "901,5,03/05/2025 10:00:00 AM,03/05/2025 10:04:00 AM,Not at all,The queue at the till is endless.\n"
    "902,5,03/16/2025 10:00:00 AM,03/16/2025 10:04:00 AM,Very,More of the seasonal tea please.\n"
)


def test_the_second_header_row_of_a_survey_is_no_review(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "survey.csv", SURVEY)
    with pytest.raises(
        InputError, match=r"How pleased are you\?, What should we change\?.*--map text='What should we change\?'"
    ):
        read(warehouse, source)
    assert counts(read(warehouse, source, mapping={"text": "What should we change?"})) == (2, 0, 0, 0)
    assert days(warehouse) == ["2025-03-05", "2025-03-16"]


ROWS = [dict(zip(HEADER, row, strict=True)) for row in (RUG, LAMP)]
NESTED = {
    "columns": {name: {str(n): row[name] for n, row in enumerate(ROWS)} for name in HEADER},
    "index": {str(n): row for n, row in enumerate(ROWS)},
    "split": {"columns": HEADER, "index": [0, 1], "data": [RUG, LAMP]},
    "table": {"schema": {"fields": [{"name": name} for name in HEADER], "primaryKey": ["index"]}, "data": ROWS},
    "pages as lists": [[ROWS[0]], [ROWS[1]]],
    "beside another list": {"product": "Rug", "reviews": ROWS, "questions": [{"question": "Is it wool?"}]},
    "in an envelope": [
        {"id": n, "attributes": {"rating": row["stars"], "body": row["review"], "createdDate": row["date"]}}
        for n, row in enumerate(ROWS)
    ],
}


@pytest.mark.parametrize("document", NESTED.values(), ids=NESTED)
def test_json(warehouse: Warehouse, tmp_path: Path, document: Any) -> None:
    result = read(warehouse, write(tmp_path / "r.json", document))
    assert column(warehouse, "text") == TEXTS and column(warehouse, "stars") == [1, 5]
    assert days(warehouse) == ["2025-02-05", "2025-02-06"] and counts(result) == (2, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.txt", f'review,stars\n"{TEXTS[0]}",1\n"{TEXTS[1]}",5\n'),
        ("pretty.json", f'{{\n "review": "{TEXTS[0]}"\n}}\n{{\n "review": "{TEXTS[1]}"\n}}\n'),
        ("texts.json", TEXTS),
        (
            "pages.jsonl",
            f'{{"page": 1, "reviews": [{{"review": "{TEXTS[0]}"}}]}}\n{{"page": 2, "reviews": [{{"review": "{TEXTS[1]}"}}]}}',
        ),
    ],
)
def test_texts_in_other_wrappings(warehouse: Warehouse, tmp_path: Path, name: str, content: Any) -> None:
    assert counts(read(warehouse, write(tmp_path / name, content))) == (2, 0, 0, 0)
    assert column(warehouse, "text") == TEXTS


def test_a_text_per_line_is_read_by_its_position(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "lines.txt", "The rug sheds, and it smells.\nWarm light.\nA flimsy stand.\n")
    with pytest.raises(InputError, match="longest texts stand in '1'"):
        read(warehouse, source)
    assert counts(read(warehouse, source, mapping={"text": "1"})) == (3, 0, 0, 0)


@pytest.mark.parametrize("content", ["[{'review': 'It sheds.'}]", '[{"review": "It sheds."},\n]'])
def test_what_is_not_json_is_one_clear_line(warehouse: Warehouse, tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"not valid JSON: .*line \d column \d"):
        read(warehouse, write(tmp_path / "r.json", content))


SPOKEN = {
    "gb18030": ("zh", "床垫太软了，睡得腰疼，客服也不理人。", "枕头很舒服，下次还会再来买。"),
    "cp932": ("ja", "枕が硬すぎて、よく眠れませんでした。", "とても暖かい毛布で、気に入っています。"),
    "big5": ("zh", "枕頭太硬，客服也沒有回覆。", "毛毯很溫暖，推薦給大家。"),
    "cp1251": ("ru", "Подушка слишком жёсткая, возврат не приняли.", "Очень тёплое одеяло, спасибо магазину!"),
    "cp1254": ("tr", "Yastık çok sert, iade için kimse cevap vermiyor.", "Battaniye çok sıcak tutuyor, teşekkürler."),
    "cp1256": ("ar", "الوسادة قاسية جدا ولم يرد أحد على رسالتي.", "البطانية دافئة وجميلة جدا."),
    "utf-16-le": ("en", "The pillow is far too hard.", "A very warm blanket."),
}


@pytest.mark.parametrize(("encoding", "spoken"), SPOKEN.items())
def test_encodings_without_a_mark(
    warehouse: Warehouse, tmp_path: Path, encoding: str, spoken: tuple[str, str, str]
) -> None:
    language, *texts = spoken
    content = f'review,rating\n"{texts[0]}",1\n"{texts[1]}",5\n'.encode(encoding)
    read(warehouse, write(tmp_path / "r.csv", content))
    assert column(warehouse, "text") == texts and column(warehouse, "language") == [language] * 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", 'review,stars\n,1\n"",3\n', "the column review holds no text"),
        ("emoji.csv", "review,stars\n👎👎,1\n!!!,2\n9/10,5\n", "the column review holds no text"),
        ("header.csv", "review,stars\n", "holds no reviews, at most a header"),
        ("blank.csv", "\n\n\n", "is empty"),
        ("ratings.csv", "stars,date\n1,2025-02-05\n", "no column with a usual name.*Its columns: stars, date"),
        ("book.xlsx", "review,stars\nIt sheds.,1\n", "not an Excel file.*Save it as"),
        ("old.xls", "review,stars\nIt sheds.,1\n", "what kind of file is this"),
        ("nothing", "review,stars\nIt sheds.,1\n", "what kind of file is this"),
    ],
)
def test_a_file_without_reviews_is_one_clear_line(
    warehouse: Warehouse, tmp_path: Path, name: str, content: str, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        read(warehouse, write(tmp_path / name, content))


def test_small_oddities(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "o'hara (1).csv", 'review,review,stars\n"It \0sheds.","on the sofa",1\n')
    result = read(warehouse, source)
    assert column(warehouse, "text") == ["It sheds."] and counts(result) == (1, 0, 0, 0)
    assert result.attributes == ["review_2"], "no column is lost"
