from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, open_memory
from pipeline.ingest.load import Ingested, ingest
from pipeline.ingest.understanding import IngestOptions
from tests.conftest import FIXTURES

NOW = datetime(2026, 11, 1)
ROWS = [
    {"text": "The soup was cold, sadly.", "stars": "2", "date": "2026-01-02", "business": "Inn"},
    {"text": 'He said "never again".\nAnd left.', "stars": "1", "date": "2026-01-03", "business": "Inn"},
    {"text": "Très bon café, merci beaucoup !", "stars": "5", "date": "2026-01-04", "business": "Bar"},
]


def read(warehouse: Warehouse, path: Path | str, **options: Any) -> Ingested:
    (result,) = ingest(warehouse, [str(path)], IngestOptions(**options), "run", NOW)
    assert result.rows == result.accepted + result.rejected + result.duplicates + result.rating_only
    return result


def texts(warehouse: Warehouse) -> list[str]:
    return [row["text"] for row in warehouse.query("SELECT text FROM reviews ORDER BY source_row")]


def as_csv(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def quoted_twice() -> str:
    lines = as_csv([row | {"text": row["text"].replace("\n", " ")} for row in ROWS]).splitlines()
    return "".join('"' + line.replace('"', '""') + '"\n' for line in lines)


WRITERS = {
    "r.csv": lambda path: path.write_text(as_csv(ROWS), newline=""),
    "r.tsv": lambda path: path.write_text(as_csv(ROWS, "\t"), newline=""),
    "semicolons.csv": lambda path: path.write_text(as_csv(ROWS, ";"), newline=""),
    "pipes.csv": lambda path: path.write_text(as_csv(ROWS, "|"), newline=""),
    "bom.csv": lambda path: path.write_text(as_csv(ROWS), encoding="utf-8-sig", newline=""),
    "utf16.csv": lambda path: path.write_text(as_csv(ROWS), encoding="utf-16", newline=""),
    "utf16-without-bom.csv": lambda path: path.write_text(as_csv(ROWS), encoding="utf-16-be", newline=""),
    "cp1252.csv": lambda path: path.write_text(as_csv(ROWS), encoding="cp1252", newline=""),
    "quoted-twice.csv": lambda path: path.write_text(quoted_twice(), newline=""),
    "r.json": lambda path: path.write_text(json.dumps(ROWS)),
    "wrapped.json": lambda path: path.write_text(json.dumps({"count": 3, "reviews": ROWS})),
    "r.jsonl": lambda path: path.write_text("\n".join(map(json.dumps, ROWS))),
    "lines.json": lambda path: path.write_text("\n".join(map(json.dumps, ROWS))),
    "r.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
    "r.csv.gz": lambda path: path.write_bytes(gzip.compress(as_csv(ROWS).encode())),
    "r.jsonl.gz": lambda path: path.write_bytes(gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_and_encoding_gives_the_same_reviews(warehouse: Warehouse, tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    result = read(warehouse, tmp_path / name)
    assert (result.rows, result.accepted) == (3, 3)
    expected = [row["text"] for row in ROWS]
    if name == "quoted-twice.csv":
        expected = [text.replace("\n", " ") for text in expected]
    assert texts(warehouse) == expected
    rows = warehouse.query("SELECT stars, reviewed_at, business FROM reviews ORDER BY source_row")
    assert [row["stars"] for row in rows] == [2, 1, 5]
    assert rows[0]["reviewed_at"] == datetime(2026, 1, 2) and rows[2]["business"] == "Bar"


def test_excel(warehouse: Warehouse, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    book.save(tmp_path / "r.xlsx")
    assert read(warehouse, tmp_path / "r.xlsx").accepted == 3
    assert texts(warehouse) == [row["text"] for row in ROWS]


def test_the_sample(warehouse: Warehouse) -> None:
    result = read(warehouse, SAMPLE)
    assert result.rows == result.accepted >= 240
    facts = warehouse.query(
        "SELECT count(DISTINCT business) AS b, count(DISTINCT language) AS l, count(DISTINCT date_trunc('month', reviewed_at)) AS m, "
        "min(stars) AS low, max(stars) AS high FROM reviews"
    )[0]
    assert facts["b"] >= 12 and facts["l"] >= 5 and facts["m"] >= 4 and (facts["low"], facts["high"]) == (1, 5)


def test_the_messy_file_gives_its_rows_or_a_reason_each(warehouse: Warehouse) -> None:
    expected = json.loads((FIXTURES / "messy.expected.json").read_text())
    result = read(warehouse, FIXTURES / "messy.csv")
    counts = ("rows", "accepted", "rejected", "duplicates", "rating_only")
    assert {name: getattr(result, name) for name in counts} == {name: expected[name] for name in counts}
    ratings = warehouse.query("SELECT source_row FROM reviews WHERE rating_only ORDER BY source_row")
    assert [row["source_row"] for row in ratings] == [item["row"] for item in expected["ratings"]]
    found = {row["source_row"]: row["reason"] for row in warehouse.query("SELECT source_row, reason FROM rejects")}
    assert found == {item["row"]: item["reason"] for item in expected["why"]}


def test_reading_again_adds_nothing_and_a_grown_file_adds_what_is_new(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(as_csv([*ROWS, ROWS[0]]), newline="")
    first = read(warehouse, path)
    assert (first.added, first.duplicates) == (3, 1)
    again = read(warehouse, path)
    assert (again.rows, again.accepted, again.added, again.duplicates) == (4, 3, 0, 1)
    new = [{**ROWS[0], "text": "A new review at the top."}]
    path.write_text(as_csv([*new, *ROWS, ROWS[0]]), newline="")
    grown = read(warehouse, path)
    assert (grown.rows, grown.accepted, grown.added, grown.duplicates) == (5, 4, 1, 1)
    assert warehouse.value("SELECT count(*) FROM rejects") == 1, "a known duplicate is not counted twice"


def test_a_review_held_from_another_source_is_a_duplicate_of_it(warehouse: Warehouse, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(as_csv(ROWS), newline="")
    read(warehouse, tmp_path / "a.csv")
    second = read(warehouse, tmp_path / "b.csv")
    assert (second.accepted, second.duplicates) == (0, 3)
    kept = {row["review_id"] for row in warehouse.query("SELECT review_id FROM reviews")}
    assert {row["review_id"] for row in warehouse.query("SELECT review_id FROM rejects")} == kept


@pytest.mark.parametrize("broken", ["#NAME?", "1.02E+17", "NULL"])
def test_an_id_that_a_spreadsheet_broke_makes_no_duplicates(warehouse: Warehouse, tmp_path: Path, broken: str) -> None:
    google_play = {"userName": "NULL", "score": "4", "thumbsUpCount": "0", "reviewCreatedVersion": "1"}
    ids = [broken, "a1", broken, "b2"]
    rows = [
        {"reviewId": id, **google_play, "content": f"The {number}. loaf was stale.", "at": "2026-01-02"}
        for number, id in enumerate(ids)
    ]
    (tmp_path / "r.csv").write_text(as_csv(rows))
    result = read(warehouse, tmp_path / "r.csv")
    assert (result.accepted, result.duplicates, result.export is None) == (4, 0, False)
    held = warehouse.query("SELECT native_id, author FROM reviews ORDER BY source_row")
    assert [row["native_id"] for row in held] == [None, "google_play:a1", None, "google_play:b2"]
    assert {row["author"] for row in held} == {None}


def test_title_halves_and_labels(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("title,good,bad,label\nNice stay,Clean room,Loud street,1\nNice,Nice bed,,0\n,,Dirty,0\n")
    read(warehouse, path, mapping={"text": "good+bad", "label": "label"})
    assert texts(warehouse) == ["Nice stay\n\nClean room\n\nLoud street", "Nice bed", "Dirty"]
    labels = warehouse.query("SELECT label FROM reviews ORDER BY source_row")
    assert [row["label"] for row in labels] == ["positive", "negative", "negative"]


def test_headerless_files_by_position(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "l.txt"
    path.write_text('Crust is not good.\t0\nHe said "wow.\t1\n')
    assert read(warehouse, path, mapping={"text": "1", "label": "2"}).accepted == 2
    assert texts(warehouse) == ["Crust is not good.", 'He said "wow.']


def test_stars_from_zero_and_out_of_ten(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("text,stars\nAwful place,0\nLovely place,4\n")
    read(warehouse, path, scale="0-4")
    assert [row["stars"] for row in warehouse.query("SELECT stars FROM reviews ORDER BY source_row")] == [1, 5]
    other = tmp_path / "ten.csv"
    other.write_text("text,score\nQuite good hotel,9.0\nDreadful hotel,1\n")
    read(warehouse, other)
    assert [
        row["stars"]
        for row in warehouse.query("SELECT stars FROM reviews WHERE source LIKE '%ten.csv' ORDER BY source_row")
    ] == [4.5, 1]


@pytest.mark.parametrize(
    ("content", "accepted", "reasons"),
    [
        ("text,stars\nGood soup,5,extra\nFine soup,4\n", 1, ["3 fields where there are 2 columns"]),
        ("text,stars\nFine soup,4\nGood soup,5,Bad soup,1\n", 1, ["4 fields where there are 2 columns"]),
        ("text,stars\nFine soup\n", 0, ["1 fields where there are 2 columns"]),
        ('text,stars\nFine soup,4\n"Never closed,5\nLast soup,3\n', 2, ["a quote is opened and never closed"]),
        ("text,stars\r\nFine soup,4\r\nMore soup,3\r\n", 2, []),
        ("text,stars\rFine soup,4\rMore soup,3\r", 2, []),
        ("text,stars\nFine\x00 soup,4\n", 1, []),
        ("text,stars\n\nFine soup,4\n\n", 1, []),
        ("\n\ntext,stars\nFine soup,4\n", 1, []),
        ('"Never closed,1\ntext,stars\nFine soup,4\n', 1, ["a quote is opened and never closed"]),
    ],
)
def test_damaged_rows_are_rejects_and_the_rest_is_read(
    warehouse: Warehouse, tmp_path: Path, content: str, accepted: int, reasons: list[str]
) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(content.encode())
    assert read(warehouse, path).accepted == accepted
    assert [row["reason"] for row in warehouse.query("SELECT reason FROM rejects")] == reasons


def test_one_broken_json_line_is_one_reject(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"text": "Fine soup"}\n{"text": "broken\n[1]\n{"text": "More soup"}\n')
    result = read(warehouse, path)
    assert (result.rows, result.accepted, result.rejected) == (4, 2, 2)
    assert {row["raw"] for row in warehouse.query("SELECT raw FROM rejects")} == {'{"text": "broken', "[1]"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("r.csv", b"", "is empty"),
        ("r.csv", b" \n \n", "is empty"),
        ("r.csv", b"a,b\n1,2\n", "--map text=COLUMN"),
        ("r.csv", b"review,stars\n,1\n!!!,2\n", "the column review holds no text"),
        ("r.csv", b"review,stars\n", "holds no reviews"),
        ("r.json", b"[]", "holds no reviews"),
        ("r.json", b'[{"text": "x"}', "not valid JSON"),
        ("r.json", b"3", "no list of reviews"),
        ("r.parquet", b"not parquet", "not a Parquet file"),
        ("r.xlsx", b"not excel", "not an Excel file"),
        ("r.csv.gz", b"not gzip", "not a whole gzip file"),
        ("r.pdf", b"x", "what kind of file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(
    warehouse: Warehouse, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        read(warehouse, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert warehouse.value("SELECT count(*) FROM store.sources") == 0


def test_missing_files_globs_and_folders(warehouse: Warehouse, tmp_path: Path) -> None:
    for value, says in (
        (tmp_path / "no.csv", "There is no file"),
        (tmp_path / "*.csv", "Nothing matches"),
        (tmp_path, "holds no reviews"),
    ):
        with pytest.raises(InputError, match=says):
            read(warehouse, value)
    (tmp_path / "sub").mkdir()
    for name in ("a.csv", "sub/b.csv"):
        (tmp_path / name).write_text(f"text\nThe soup in {name} was fine\n")
    assert len(ingest(warehouse, [str(tmp_path)], IngestOptions(), "r", NOW)) == 2
    assert len(ingest(warehouse, [str(tmp_path / "**" / "*.csv")], IngestOptions(), "r", NOW)) == 2


def test_hub_data_sets_come_through_datasets(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    features = datasets.Features(
        {"label": datasets.ClassLabel(names=["1 star", "2 star", "5 stars"]), "text": datasets.Value("string")}
    )
    data = datasets.Dataset.from_dict({"label": [0, 2], "text": ["Awful place", "Lovely place"]}, features=features)
    asked = []

    def fake(name: str, config: str | None, split: str) -> datasets.Dataset:
        asked.append((name, config, split))
        return data

    monkeypatch.setattr(datasets, "load_dataset", fake)
    read(warehouse, "hf:Yelp/yelp_review_full:train", mapping={"stars": "label"})
    read(warehouse, "hf:some/set:german:test", mapping={"stars": "label"})
    assert set(asked) == {("Yelp/yelp_review_full", None, "train"), ("some/set", "german", "test")}
    assert [row["stars"] for row in warehouse.query("SELECT stars FROM reviews ORDER BY source_row")] == [1, 5]


def test_a_data_set_that_is_a_script_is_read_from_its_parquet(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    asked: list[str | None] = []

    def load_dataset(name: str, config: str | None, split: str, revision: str | None = None) -> datasets.Dataset:
        asked.append(revision)
        if revision is None:
            raise RuntimeError("Dataset scripts are no longer supported, but found set.py")
        return datasets.Dataset.from_dict({"text": ["Good soup, friendly people"]})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    read(warehouse, "hf:some/set")
    assert asked[:2] == [None, "refs/convert/parquet"]


def test_a_hub_that_is_away_is_one_clear_line(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(datasets, "load_dataset", away)
    with pytest.raises(InputError, match="could not be loaded: no network"):
        read(warehouse, "hf:some/set")


def test_dates_within_a_platforms_own_words_are_read(warehouse: Warehouse, tmp_path: Path) -> None:
    """Texts lose Amazon's line with the country and Trustpilot's date of experience; in a column of dates they are the value."""
    path = tmp_path / "amazon.csv"
    path.write_text(
        "Datum,Rezension\nRezension aus Deutschland vom 4. März 2024,Kocht schnell\n"
        "Date of experience: August 15. 2023,Leaks badly\nn/a,Just fine\n"
    )
    result = read(warehouse, path)
    assert not result.notes
    dates = warehouse.query("SELECT reviewed_at::DATE::TEXT AS day FROM reviews ORDER BY source_row")
    assert [row["day"] for row in dates] == ["2024-03-04", "2023-08-15", None]


def test_a_line_of_totals_is_no_rating(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("Date,Food,Rating,Comment\n2024-03-04,Average,2,\n2024-03-05,Good,5,Great soup\nAverage,,3.5,\n")
    result = read(warehouse, path)
    assert (result.accepted, result.rating_only, result.rejected) == (1, 1, 1)


def test_limit(warehouse: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(as_csv(ROWS), newline="")
    assert read(warehouse, tmp_path / "r.csv", limit=2).rows == 2
    assert read(warehouse, tmp_path / "r.csv").added == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
            st.text(st.characters(max_codepoint=127), max_size=5),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_rows_always_add_up(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    """Whatever the cells hold (quotes, breaks, separators, nothing), every record is a review, a reject or a duplicate."""
    path = tmp_path / "wild.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["text", "stars"])
        writer.writerow(["A first review so that there is a text column", "3"])
        writer.writerows(rows)
    opened = open_memory()
    try:
        result = read(opened, path, delimiter=",", encoding="utf-8")
        assert result.rows == len(rows) + 1
        assert opened.value("SELECT count(*) FROM reviews") == result.accepted
        assert opened.value("SELECT count(*) FROM rejects") == result.rejected + result.duplicates
    finally:
        opened.close()


SHARED = {
    "reviews/yelp.csv": (1499, {}),
    "reviews/amazon_alexa.tsv": (3150, {}),
    "reviews/british_airways.csv": (2000, {}),
    "reviews/tripadvisor.csv": (2000, {}),
    "reviews/gyms_trustpilot_da.csv": (2802, {}),
    "reviews/places_leipzig_de.csv": (1152, {}),
    "reviews/yelp_labelled.txt": (954, {"text": "1", "label": "2"}),
    "replies/app_greenlight.csv": (7476, {}),
}


@pytest.mark.parametrize("name", SHARED)
def test_real_files_add_up(warehouse: Warehouse, shared_data: Path, name: str) -> None:
    result = read(warehouse, shared_data / name, mapping=SHARED[name][1], limit=1500)
    assert result.rows == min(1500, SHARED[name][0])
    assert result.accepted > 0.5 * result.rows


def test_torture_files_never_crash(warehouse: Warehouse, shared_data: Path) -> None:
    for folder in ("csv_spectrum", "csvkit_examples", "json_test_suite"):
        for path in sorted((shared_data / "nasty" / folder).rglob("*")):
            if path.is_file():
                try:
                    read(warehouse, path)
                except InputError as error:
                    assert "\n" not in str(error)
