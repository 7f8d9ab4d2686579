"""CSV and its kin: what was written is read back, damage costs one record, and the file is never held whole."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.ingest import formats
from pipeline.ingest.formats import delimited
from pipeline.ingest.formats.record import Broken, Item, Layout, ReadOptions, Record, Tally, is_record

ONE_FOLDER = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def items(file: Path, content: str | bytes, **options: Any) -> list[Item]:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [item for item in formats.read(file, ReadOptions(**options)) if not isinstance(item, Tally)]


def records(file: Path, content: str | bytes, **options: Any) -> list[Record]:
    layout, *rest = items(file, content, **options)
    assert isinstance(layout, Layout)
    return [item for item in rest if is_record(item)]


def counted(file: Path, content: str, **options: Any) -> tuple[int, int]:
    """How many records are read, and how many are counted without the parser."""
    file.write_text(content, encoding="utf-8", newline="")
    read = list(formats.read(file, ReadOptions(**options)))
    return sum(map(is_record, read)), sum(item.records for item in read if isinstance(item, Tally))


# --- What was written is read back ---

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "gb18030", "koi8-r")
DETECTED = {"utf-8", "utf-8-sig", "utf-16", "utf-16-le"}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """An encoding, and rows of one width whose cells it can write."""
    encoding = draw(st.sampled_from(ENCODINGS))
    codec = "utf-8" if encoding in DETECTED else encoding
    cell = st.text(st.characters(codec=codec) | st.sampled_from(",;\t|\"'\r\n "), max_size=12)
    width = draw(st.integers(1, 4))
    return encoding, draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=8))


@ONE_FOLDER
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)),
    st.booleans(),
)
def test_any_table_is_read_back_equal(
    tmp_path: Path, table: tuple[str, list[list[str]]], delimiter: str, quoting: Literal[0, 1, 2], zipped: bool
) -> None:
    encoding, rows = table
    names = ["text", "stars", "c", "d"][: len(rows[0])]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows([names, *rows])
    content = out.getvalue().encode(encoding)
    found = records(
        tmp_path / ("r.csv.gz" if zipped else "r.csv"),
        gzip.compress(content) if zipped else content,
        delimiter=delimiter,
        encoding=None if encoding in DETECTED else encoding,
        header=True,
    )
    assert found == [dict(zip(names, row, strict=True)) for row in rows]


@ONE_FOLDER
@given(
    st.lists(st.lists(st.text("abc ä\n\"'.", min_size=1, max_size=9), min_size=3, max_size=3), min_size=1, max_size=9),
    st.sampled_from(",;\t|"),
)
def test_the_delimiter_is_detected_where_texts_do_not_hold_it(
    tmp_path: Path, rows: list[list[str]], delimiter: str
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([["id", "text", "stars"], *rows])
    layout, *found = items(tmp_path / "r.csv", out.getvalue())
    assert layout == Layout("utf-8", delimiter, 1)
    assert found == [dict(zip(("id", "text", "stars"), row, strict=True)) for row in rows]


# --- Damage ---


def letters(content: str | None) -> list[str]:
    return [letter for letter in content or "" if letter.isalpha()]


@settings(ONE_FOLDER, max_examples=500)
@given(st.text('ab ",\n\r', max_size=60), st.sampled_from([",", None]))
def test_whatever_its_quotes_nothing_of_a_file_is_lost(tmp_path: Path, damaged: str, delimiter: str | None) -> None:
    found = records(tmp_path / "r.csv", f"text,stars\n{damaged}", delimiter=delimiter, header=True)
    texts = [item.raw if isinstance(item, Broken) else "".join(map(str, item.values())) for item in found]
    assert letters("".join(texts)) == letters(damaged)
    rows, least = counted(tmp_path / "r.csv", f"text,stars\n{damaged}", delimiter=delimiter, header=True)
    assert rows == len(found) >= least


@ONE_FOLDER
@given(tables(), st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
def test_what_is_read_is_what_is_counted(
    tmp_path: Path, table: tuple[str, list[list[str]]], quoting: Literal[0, 1]
) -> None:
    out = io.StringIO(newline="")
    _, rows = table
    csv.writer(out, quoting=quoting).writerows([["text", "stars", "c", "d"][: len(rows[0])], *rows])
    found = counted(tmp_path / "r.csv", out.getvalue(), delimiter=",", encoding="utf-8", header=True)
    assert found == (len(rows), len(rows))


@pytest.mark.parametrize(
    ("content", "rows", "least"),
    [
        ('text,stars\n"good"x,"never closed\n' + "".join(f"Soup {n},1\n" for n in range(200)), 201, 201),
        ('text,stars\n"good"x,"never closed\n' + "".join(f'"Soup {n}",1\n' for n in range(200)), 201, 201),
        ('text,name,stars\n"Best "pizza" in town","Luigi,5\n"Cold soup",Maria,1\n"Warm soup",Ana,5\n', 3, 3),
        ('text,stars\n"Never closed,1\n' + "Cold soup,2\n" * 9 + 'Soup 12",5\nWarm soup,4\n', 12, 2),
        ('text,stars\n"Cold soup.\nSaid "sorry" and left",1\nWarm soup,5\n', 2, 2),
        ('"text,stars"\n"Cold soup,1"\n""\n"Warm soup,5"\n', 3, 3),
        ("Our reviews\n\ntext,stars\nCold soup,1\n\nWarm soup,5\n", 2, 2),
        ("sep=;\ntext;stars\nCold soup;1\n", 1, 1),
        ("text,stars\rCold soup,1\rWarm soup,5\r", 2, 2),
        ("text,stars\nCold\x00 soup,1\n\x00,2\n", 2, 2),
    ],
)
def test_no_quote_swallows_records(tmp_path: Path, content: str, rows: int, least: int) -> None:
    assert counted(tmp_path / "r.csv", content) == (rows, least)


def test_a_damaged_text_that_goes_on_over_lines_is_one_record(tmp_path: Path) -> None:
    found = records(tmp_path / "r.csv", 'text,stars\n"Cold soup.\nSaid "sorry" and left",1\nWarm soup,5\n')
    assert found == [{"text": 'Cold soup.\nSaid "sorry" and left', "stars": "1"}, {"text": "Warm soup", "stars": "5"}]


def test_a_cell_whose_lines_look_like_records_is_read_line_by_line(tmp_path: Path) -> None:
    found = records(tmp_path / "r.csv", 'text,stars\n"Never closed,1\n' + "Cold soup,2\n" * 4 + 'Soup 12",5\n')
    assert isinstance(found[0], Broken) and "records of their own" in found[0].reason
    assert found[1:] == [*[{"text": "Cold soup", "stars": "2"}] * 4, {"text": 'Soup 12"', "stars": "5"}]


def test_a_torn_quote_does_not_join_records_in_a_cell_that_is_not_the_text(tmp_path: Path) -> None:
    torn = 'Warm soup and good bread,"2025-01-02,Inn\nCold soup and old bread,","Inn"\n'
    head = "text,date,business\nFine soup and fresh bread,2025-01-01,Inn\n"
    handmade = records(tmp_path / "r.csv", f'{head}Soup,"Inn" of ours,x\n{torn}')
    assert [one.raw[:4] if isinstance(one, Broken) else one["text"][:4] for one in handmade] == [
        "Fine",
        "Soup",
        "Warm",
        "Cold",
    ]
    exported = records(tmp_path / "r.csv", head + torn)
    assert len(exported) == 2  # where no quote is damaged, quotes mean what they say


def test_text_after_a_closing_quote_does_not_let_the_next_quote_swallow_the_file(tmp_path: Path) -> None:
    found = records(tmp_path / "r.csv", 'text,stars\n"So"so,"never closed\nCold soup,1\nWarm soup,5\n')
    assert found[0] == Broken('"So"so,"never closed', "a quote is opened and never closed")
    assert found[1:] == [{"text": "Cold soup", "stars": "1"}, {"text": "Warm soup", "stars": "5"}]


def test_a_quote_that_is_closed_thousands_of_lines_later_was_never_closed(tmp_path: Path) -> None:
    body = "Cold soup,1\n" * 5000
    found = records(tmp_path / "r.csv", f'text,stars\n"Never closed,1\n{body}"Warm soup",5\n')
    assert found[0] == Broken('"Never closed,1', "a quote is opened and never closed")
    assert len(found) == 5002 and found[-1] == {"text": "Warm soup", "stars": "5"}


def test_quotes_that_are_never_closed_do_not_cost_more_with_every_line(tmp_path: Path) -> None:
    """Reading on from each of them to the end would take hours."""
    lines = 30_000
    for line in ('"So"so,"never closed', 'so,"never closed'):
        found = records(tmp_path / "r.csv", "text,stars\n" + f"{line}\n" * lines, delimiter=",")
        assert lines / 2 <= len(found) <= lines


def test_a_long_text_in_quotes_is_one_record(tmp_path: Path) -> None:
    text = "Cold soup.\n" * 1500
    assert records(tmp_path / "r.csv", f'text,stars\n"{text}",1\n') == [{"text": text, "stars": "1"}]
    line = "cold soup " * 200_000
    assert records(tmp_path / "r.csv", f'text,stars\n"{line}",1\n') == [{"text": line, "stars": "1"}]


def test_a_line_of_fifty_million_characters_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_LONGEST_LINE", 1000)
    with pytest.raises(InputError, match="holds a line of 1,000 characters or more"):
        records(tmp_path / "r.csv", f"text\n{'a' * 1000}\n")


def test_a_gzip_file_that_breaks_off_is_one_clear_line(tmp_path: Path) -> None:
    whole = gzip.compress("text\nCold soup\n".encode("utf-16"))
    for content in (whole[:-9], whole[:12] + b"\xff\xff" + whole[14:]):
        with pytest.raises(InputError, match="not a whole gzip file"):
            items(tmp_path / "r.csv.gz", content)


@pytest.mark.parametrize("content", [gzip.compress(b"text\nCold soup\n", mtime=0), b"PK\x03\x04rest of a workbook"])
def test_a_compressed_file_under_a_texts_name_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="no text but a compressed file"):
        items(tmp_path / "r.csv", content)


def test_a_header_quoted_twice_holds_for_all_rows(tmp_path: Path) -> None:
    content = '"text,stars"\n"""Cold, salty"",1"\n"two\nrows,2"\n'
    assert records(tmp_path / "r.csv", content, delimiter=",") == [
        {"text": "Cold, salty", "stars": "1"},
        Broken("two\nrows,2", "2 rows quoted as one"),
    ]


# --- Layout ---


@pytest.mark.parametrize(
    ("name", "content", "layout"),
    [
        ("r.csv", b"text,stars\nCold soup,1\n", Layout("utf-8", ",", 1)),
        ("r.csv", b"\xef\xbb\xbftext;stars\nCold soup;1\n", Layout("utf-8", ";", 1)),
        ("r.csv", b"sep=;\n\ntext;stars\nCold soup;1\n", Layout("utf-8", ";", 3)),
        ("r.csv", b'"Our\nreviews"\n\nText,Stars\nCold soup,1\n', Layout("utf-8", ",", 4)),
        ("r.csv", "text,stars\nTrès bon café,1\n".encode("cp1252"), Layout("cp1252", ",", 1)),
        ("r.tsv", "text\tstars\nCafé\t1\n".encode("utf-16"), Layout("utf-16", "\t", 1)),
        ("r.txt", b"Cold soup\t1\n", Layout("utf-8", "\t", None)),
        ("r.txt", b'review,stars\n"Cold, salty",1\n', Layout("utf-8", ",", 1)),
        ("r.tsv", b'"review";"stars"\n"Cold\tsalty";"1"\n', Layout("utf-8", ";", 1)),
    ],
)
def test_the_layout_comes_first(tmp_path: Path, name: str, content: bytes, layout: Layout) -> None:
    first, *rest = items(tmp_path / name, content)
    assert first == layout
    assert len(rest) == 1 and isinstance(rest[0], dict)


def test_lines_of_delimiters_are_records_and_empty_lines_are_none(tmp_path: Path) -> None:
    found = records(tmp_path / "r.csv", "text,stars\n,\n\nCold soup,1\n\n")
    assert found == [{"text": "", "stars": ""}, {"text": "Cold soup", "stars": "1"}]


@pytest.mark.parametrize("names", ["text,text,text_2", "text_3,text,text", ",1,1", "text,text,text_3"])
def test_no_column_is_lost_to_another_of_its_name(tmp_path: Path, names: str) -> None:
    (record,) = records(tmp_path / "r.csv", f"{names}\na,b,c\n", header=True)
    assert isinstance(record, dict) and list(record.values()) == ["a", "b", "c"]


# --- Memory ---


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("r.csv", "utf-8"), ("r.csv", "utf-16"), ("r.csv", "cp1252"), ("r.tsv.gz", "utf-8"), ("r.txt", "utf-8")],
)
def test_the_file_is_never_held_whole(tmp_path: Path, name: str, encoding: str) -> None:
    content = ("text\tstars\n" + "Très bonne soupe, mais froide\t3\n" * 100_000).encode(encoding)
    file = tmp_path / name
    file.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    read = formats.read(file, ReadOptions())
    next(read)
    tracemalloc.start()
    try:
        count = sum(map(is_record, read))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 100_000
    assert peak < len(content) / 4
