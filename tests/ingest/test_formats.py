"""The table of file formats, and the values of typed formats as text."""

from __future__ import annotations

import gzip
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.registry import implementation
from pipeline.ingest import formats
from pipeline.ingest.formats.record import Broken, Layout, ReadOptions, Tally
from pipeline.ingest.sources import expand, read_records


def values(path: Path, column: Any) -> list[str | None]:
    pq.write_table(pa.table({"v": column}), path)
    records = list(read_records(str(path), ReadOptions()))
    assert not any(isinstance(record, Broken) for record in records)
    return [record["v"] for record in records if isinstance(record, dict)]


@pytest.mark.parametrize("extension", formats.READERS)
def test_every_reader_of_the_table_exists(extension: str) -> None:
    assert callable(implementation(formats.READERS, extension))


@pytest.mark.parametrize(
    ("name", "extension"),
    [("a.CSV", ".csv"), ("a.json.gz", ".json"), ("a.b.parquet", ".parquet"), (".gz", ""), ("a.gz", ".gz"), ("a", "")],
)
def test_the_extension_looks_through_gz(name: str, extension: str) -> None:
    assert formats.extension(Path(name)) == extension


def test_a_line_in_the_table_is_all_that_a_new_format_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {**formats.READERS, ".log": "pipeline.ingest.formats.json:read_json"}
    monkeypatch.setattr(formats, "READERS", table)
    file = tmp_path / "reviews.log"
    file.write_text('[{"text": "Fine soup"}]')
    assert expand([str(tmp_path)]) == [str(file)]
    assert list(read_records(str(file), ReadOptions())) == [{"text": "Fine soup"}]


# What reading through DuckDB gave, value by value.
@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["a", None, "ü\n"]), ["a", None, "ü\n"]),
        (pa.array(["a", "b", None]).dictionary_encode(), ["a", "b", None]),
        (pa.array([2**64 - 1, 0, None], pa.uint64()), ["18446744073709551615", "0", None]),
        (pa.array([0.1, None, 1e20], pa.float32()), ["0.10000000149011612", None, "1.0000000200408773e+20"]),
        (pa.array([0.1, float("nan"), float("inf"), -0.0, 1e22]), ["0.1", "nan", "inf", "-0.0", "1e+22"]),
        (pa.array([True, False, None]), ["True", "False", None]),
        (pa.nulls(2), [None, None]),
        (pa.array([b"\xff\x00"]), [r"b'\xff\x00'"]),
        (pa.array([date(2020, 1, 2), None]), ["2020-01-02", None]),
        (pa.array([time(1, 2, 3), time(1, 2, 3, 456)], pa.time64("us")), ["01:02:03", "01:02:03.000456"]),
        (
            pa.array([datetime(2020, 1, 2, 3, 4, 5), None, datetime(2020, 1, 2, 3, 4, 5, 678901)], pa.timestamp("us")),
            ["2020-01-02 03:04:05", None, "2020-01-02 03:04:05.678901"],
        ),
        (pa.array([datetime(1969, 1, 1)], pa.timestamp("s")), ["1969-01-01 00:00:00"]),
        (pa.array([1577934245678901234], pa.timestamp("ns")), ["2020-01-02 03:04:05.678901"]),
        (pa.array([Decimal("1.50"), None, Decimal("-0.01")], pa.decimal128(10, 2)), ["1.50", None, "-0.01"]),
        (pa.array([["a", None], None, []]), ['["a", null]', None, "[]"]),
        (pa.array([{"a": 1, "b": "ü"}, None]), ['{"a": 1, "b": "\\u00fc"}', None]),
        (pa.array([[(1, "k"), (2, None)]], pa.map_(pa.int64(), pa.string())), ['{"1": "k", "2": null}']),
        (pa.array([{"m": [("a", 1)]}], pa.struct([("m", pa.map_(pa.string(), pa.int64()))])), ['{"m": {"a": 1}}']),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_parquet_values_as_texts(tmp_path: Path, column: Any, expected: list[str | None]) -> None:
    assert values(tmp_path / "v.parquet", column) == expected


def test_parquet_values_that_python_has_no_plain_form_of(tmp_path: Path) -> None:
    moments = [datetime(2020, 7, 2, 3, 4, 5), datetime(2020, 1, 1)]
    berlin = pa.array(moments, pa.timestamp("ms", tz="Europe/Berlin"))
    assert values(tmp_path / "v.parquet", berlin) == ["2020-07-02 05:04:05+02:00", "2020-01-01 01:00:00+01:00"]
    assert values(tmp_path / "v.parquet", pa.array([[date(2020, 1, 1)]])) == ['["2020-01-01"]']
    assert values(tmp_path / "v.parquet", pa.array(["Très bon".encode()])) == ["Très bon"], "a text not declared as one"
    (far,) = values(tmp_path / "v.parquet", pa.array([-(10**17)], pa.timestamp("us")))
    assert far and far.startswith("-1199-02-15")


def test_parquet_is_read_in_batches_and_numbers_repeated_names(tmp_path: Path) -> None:
    path = tmp_path / "many.parquet"
    numbers = pa.array(range(12_001))
    pq.write_table(pa.Table.from_arrays([numbers, numbers], names=["text", "text"]), path, row_group_size=7000)
    records = list(read_records(str(path), ReadOptions()))
    assert records == [{"text": str(number), "text_2": str(number)} for number in range(12_001)]


def test_parquet_has_a_layout_that_says_nothing(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["Fine soup"]}), tmp_path / "r.parquet")
    assert list(formats.read(tmp_path / "r.parquet", ReadOptions())) == [
        Layout(),
        {"text": "Fine soup"},
        Tally(1),
    ]


def test_typed_formats_are_read_gzipped(tmp_path: Path) -> None:
    import openpyxl

    pq.write_table(pa.table({"text": ["Fine soup"]}), tmp_path / "r.parquet")
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["text"])
    book.active.append(["Fine soup"])
    book.save(tmp_path / "r.xlsx")
    for name in ("r.parquet", "r.xlsx"):
        zipped = tmp_path / f"{name}.gz"
        zipped.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        assert list(read_records(str(zipped), ReadOptions())) == [{"text": "Fine soup"}]


def test_a_map_that_is_no_json_object_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a Parquet file that can be read: "):
        values(tmp_path / "v.parquet", pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64())))


def records(path: Path, content: str | bytes, **options: Any) -> list[Any]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_records(str(path), ReadOptions(**options)))


IN_OTHER_ENCODINGS = [
    ("gb18030", "这家店的菜很好吃，老板也很热情。"),
    ("big5", "這家店的菜很好吃，老闆也很熱情。"),
    ("cp932", "スープが冷めていて、とても残念でした。"),
    ("euc_jp", "スープが冷めていて、とても残念でした。"),
    ("cp949", "국물이 차갑고 직원이 불친절했어요."),
    ("cp1250", "Polévka byla studená a číšník nepříjemný, už nepřijdeme."),
    ("cp1250", "Zupa była zimna, a kelner niemiły i spóźniony, więcej nie przyjdę."),
    ("cp1251", "Суп был холодный, а официант грубил."),
    ("cp1252", "Die Suppe war kalt, für 9 € eine Frechheit – schöne Grüße!"),
    ("cp1252", "The soup wasn’t “hot”, it was cold… for £9"),
    ("cp1252", "Très bon café"),
    ("cp1253", "Η σούπα ήταν κρύα και ο σερβιτόρος αγενής."),
    ("cp1254", "Çorba çok soğuktu, garson da kaba davrandı, bir daha gelmeyiz."),
    ("cp1255", "המרק היה קר והמלצר היה גס רוח."),
    ("cp1256", "كان الحساء باردا والنادل غير مهذب."),
    ("mac_roman", "Le café était très bon, l’accueil vraiment chaleureux."),
    ("utf-16-le", "The soup was cold."),
]


@pytest.mark.parametrize("rows", [1, 50])
@pytest.mark.parametrize(("encoding", "text"), IN_OTHER_ENCODINGS, ids=[name for name, _ in IN_OTHER_ENCODINGS])
def test_other_encodings_are_detected_in_short_and_long_files(
    tmp_path: Path, encoding: str, text: str, rows: int
) -> None:
    content = "text;stars\n" + rows * f"{text};3\n"
    assert records(tmp_path / "r.csv", content.encode(encoding)) == rows * [{"text": text, "stars": "3"}]


def test_a_given_encoding_is_taken(tmp_path: Path) -> None:
    baltic = "text\nSriuba buvo šalta\n".encode("cp1257")
    assert records(tmp_path / "r.csv", baltic, encoding="cp1257") == [{"text": "Sriuba buvo šalta"}]
    for unknown in ("klingon", "base64"):
        with pytest.raises(InputError, match=f"--encoding {unknown}: there is no text encoding of that name"):
            records(tmp_path / "r.csv", baltic, encoding=unknown)


def test_utf_8_with_a_damaged_character_is_not_taken_for_another_script(tmp_path: Path) -> None:
    from pipeline.text.repair import repair

    damaged = "text\nСуп был холодный\nОфициант грубил\n".encode() + b"\xff\n"
    read = [repair(record["text"]) for record in records(tmp_path / "r.csv", damaged)]
    assert read[:2] == ["Суп был холодный", "Официант грубил"]


@pytest.mark.parametrize("line", ["sep=;\r\n", "\ufeffsep=;\n", '"sep=;"\n', "SEP=;\n"])
def test_the_line_in_which_excel_names_the_delimiter(tmp_path: Path, line: str) -> None:
    assert records(tmp_path / "r.csv", line + "text;stars\nCold, salty, late;1\n") == [
        {"text": "Cold, salty, late", "stars": "1"}
    ]


@pytest.mark.parametrize(
    "titles",
    ["Our reviews,,\n,,\n", "Our reviews\n\nFrom 1 to 31 March\n\n", "Shop:,Corner Café,\nExported,2026-03-31\n"],
)
def test_title_lines_above_the_header_are_no_records(tmp_path: Path, titles: str) -> None:
    table = "date,text,stars\n2026-03-05,Cold soup,1\n2026-03-06,Warm soup,5\n"
    plain = records(tmp_path / "r.csv", table)
    assert records(tmp_path / "r.csv", titles + table) == plain and len(plain) == 2
    mapped = titles + table.replace("text", "What they wrote").replace("date", "a").replace("stars", "b")
    assert len(records(tmp_path / "r.csv", mapped, mapping={"text": "What they wrote"})) == 2


@pytest.mark.parametrize(
    "content",
    [
        "Cold soup\tbad\nreview\tgood\n",  # not wider than what stands above
        "Cold soup\nreview\nWarm soup\n",
        "Cold soup\nreview\t1\n",  # a header has no numbers
        "Cold soup\nreview\tstars\nWarm\t1\tmore\n",  # narrower than what stands below
        "x\n" * 20 + "review\tstars\nWarm soup\t5\n",
    ],
)
def test_a_row_in_the_middle_is_no_header(tmp_path: Path, content: str) -> None:
    assert len(records(tmp_path / "r.txt", content)) == len(content.splitlines())


def test_json_under_a_text_file_s_name_is_json(tmp_path: Path) -> None:
    file = tmp_path / "reviews.txt"
    file.write_text('[{"text": "Cold soup."}, {"text": "Warm bread."}]', encoding="utf-8")
    assert [record["text"] for record in read_records(str(file), ReadOptions())] == ["Cold soup.", "Warm bread."]  # type: ignore[index]
    file.write_text("[Edited] The soup was cold.\nThe bread was warm.\n", encoding="utf-8")
    assert [list(record.values()) for record in read_records(str(file), ReadOptions())] == [  # type: ignore[union-attr]
        ["[Edited] The soup was cold."],
        ["The bread was warm."],
    ]
