"""A source read again replaces what it said before."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, audit, open_memory
from pipeline.ingest.load import Ingested, ingest
from pipeline.ingest.understanding import IngestOptions

NOW = datetime(2026, 3, 1)
Rows = Sequence[Mapping[str, str]]


def write(path: Path, rows: Rows) -> Path:
    """A CSV file with the columns of the first row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(warehouse: Warehouse, *paths: Path, **options: Any) -> list[Ingested]:
    """Reads sources as a run of its own, a day after the one before."""
    number = warehouse.value("SELECT count(DISTINCT run_id) FROM store.sources") or 0
    names = [str(path) for path in paths]
    ingested = ingest(warehouse, names, IngestOptions(**options), f"run{number}", NOW + timedelta(days=number))
    audit(warehouse)
    return ingested


def current(warehouse: Warehouse, *columns: str) -> list[tuple[Any, ...]]:
    """The current reviews: the named columns, sorted."""
    rows = warehouse.query(f"SELECT {', '.join(columns)} FROM reviews ORDER BY ALL")
    return [tuple(row.values()) for row in rows]


@pytest.fixture
def warehouse() -> Warehouse:
    return open_memory()


REVIEWS = [
    {"review": "The soup was cold.", "score": "2", "date": "2026-01-03", "points": "9"},
    {"review": "Friendly staff.", "score": "5", "date": "2026-01-04", "points": "4"},
    {"review": "Too loud to talk.", "score": "3", "date": "2026-01-05", "points": "7"},
]


def test_a_corrected_mapping_leaves_one_row_per_review(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", REVIEWS)
    read(warehouse, path)
    (again,) = read(warehouse, path, mapping={"stars": "points"}, scale="0-10")
    assert (again.rows, again.accepted, again.duplicates) == (3, 3, 0)
    assert current(warehouse, "text", "stars") == [
        ("Friendly staff.", 2.0),
        ("The soup was cold.", 4.5),
        ("Too loud to talk.", 3.5),
    ]
    read(warehouse, path)
    assert [stars for (stars,) in current(warehouse, "stars")] == [2, 3, 5]
    assert warehouse.value("SELECT count(*) FROM store.reviews") == 9, "every version is kept"


def test_a_review_taken_down_leaves_the_view_and_can_come_back(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", REVIEWS)
    read(warehouse, path)
    write(path, REVIEWS[:2])
    (shorter,) = read(warehouse, path)
    assert (shorter.added, shorter.withdrawn, len(current(warehouse, "text"))) == (0, 1, 2)
    assert warehouse.value("SELECT count(*) FROM store.reviews WHERE retired_at IS NOT NULL") == 1
    write(path, REVIEWS)
    (longer,) = read(warehouse, path)
    assert (longer.added, longer.withdrawn, len(current(warehouse, "text"))) == (1, 0, 3)


def test_an_export_of_what_is_new_can_be_appended(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", REVIEWS[:2])
    read(warehouse, path)
    write(path, REVIEWS[1:])
    (appended,) = read(warehouse, path, append=True)
    assert (appended.rows, appended.accepted, appended.duplicates, appended.added) == (4, 3, 1, 1)
    assert len(current(warehouse, "text")) == 3


def test_a_review_of_two_sources_stays_with_the_one_that_still_has_it(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.csv", REVIEWS[:2]), write(tmp_path / "b.csv", REVIEWS[1:])
    a, b = read(warehouse, first, second)
    assert (a.accepted, b.accepted, b.duplicates) == (2, 1, 1)
    (reject,) = warehouse.query("FROM rejects")
    assert (reject["source"], reject["kept_source"], reject["reason"]) == (str(second), str(first), "duplicate")
    write(first, REVIEWS[:1])
    a, b = read(warehouse, first, second)
    assert (a.accepted, b.accepted, b.duplicates) == (1, 2, 0)
    assert current(warehouse, "text", "source")[0] == ("Friendly staff.", str(second))


def test_a_changed_text_under_the_same_id_replaces_the_old_one(warehouse: Warehouse, tmp_path: Path) -> None:
    def rows(text: str) -> Rows:
        return [
            {"review_id": "rev-0001-a1", "review": text, "stars": "1"},
            {"review_id": "rev-0002-b2", "review": "Fine.", "stars": "5"},
        ]

    old, new = (
        write(tmp_path / "old.csv", rows("Never again.")),
        write(tmp_path / "new.csv", rows("They made it good.")),
    )
    read(warehouse, old)
    read(warehouse, new)
    assert current(warehouse, "text") == [("Fine.",), ("They made it good.",)]


def test_ids_that_merely_count_do_not_hide_another_files_reviews(warehouse: Warehouse, tmp_path: Path) -> None:
    one = write(
        tmp_path / "one.csv", [{"review_id": "15", "review": "Cold soup."}, {"review_id": "4", "review": "Fine."}]
    )
    two = write(
        tmp_path / "two.csv", [{"review_id": "15", "review": "Late bus."}, {"review_id": "4", "review": "Fine."}]
    )
    first, second = read(warehouse, one, two)
    assert (first.accepted, second.accepted, second.duplicates) == (2, 1, 1)


def test_only_a_platform_gives_ids_that_hold_beyond_one_source(warehouse: Warehouse, tmp_path: Path) -> None:
    shared = {"review_id": "1009", "review": "Open late.", "score": "4"}
    inn = write(tmp_path / "inn.csv", [{"review_id": "1001", "review": "Cold soup.", "score": "2"}, shared])
    barber = write(tmp_path / "barber.csv", [{"review_id": "1001", "review": "Nice haircut.", "score": "5"}, shared])
    read(warehouse, inn, barber)
    assert current(warehouse, "text") == [("Cold soup.",), ("Nice haircut.",), ("Open late.",)]
    counts = [(source.rows, source.accepted, source.duplicates) for source in read(warehouse, inn, barber)]
    assert counts == [(2, 2, 0), (2, 1, 1)]
    write(barber, [{"review_id": "1001", "review": "Nice haircut, but dear.", "score": "4"}, shared])
    read(warehouse, barber)
    assert current(warehouse, "text") == [("Cold soup.",), ("Nice haircut, but dear.",), ("Open late.",)]


def test_how_a_source_is_read_is_said(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [
        {"review": text, "score": stars, "label": "1"}
        for text, stars in (("Cold soup and rude staff.", "9"), ("Fine.", "4"))
    ]
    (source,) = read(warehouse, write(tmp_path / "r.csv", rows))
    how = {field["name"]: field["how"] for field in source.fields}
    assert (how["stars"], how["language"]) == ("0 to 10, read as 1 to 5", "detected in each text, mostly English")
    assert source.notes == [
        "label: label is not used: 1 say neither good nor bad; if they are sentiments from bad to good: --map label=label"
    ]


def test_what_was_made_of_a_review_is_made_anew_when_its_content_is_another(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", REVIEWS)
    read(warehouse, path)
    warehouse.execute("INSERT INTO store.current VALUES ('sentiment', 'f')")
    for (id,) in current(warehouse, "review_id"):
        row = {"review_id": id, "fingerprint": "f", "run_id": "run0", "model": "m", "label": "neutral"}
        warehouse.append("store.sentiment", [row])
    write(path, [REVIEWS[0] | {"score": "4"}, REVIEWS[1] | {"date": "2026-02-01"}])
    read(warehouse, path)
    left = warehouse.query("SELECT text FROM sentiment JOIN reviews USING (review_id)")
    assert [row["text"] for row in left] == [], (
        "the date is part of the id where there is no other, the stars of the content"
    )
    assert warehouse.value("SELECT count(*) FROM sentiment") == 0
    assert warehouse.value("SELECT count(*) FROM store.sentiment") == 3, "kept, should the old rows come back"
    write(path, REVIEWS)
    read(warehouse, path)
    assert warehouse.value("SELECT count(*) FROM sentiment") == 3


def test_customers_who_write_the_same_are_told_apart(warehouse: Warehouse, tmp_path: Path) -> None:
    def great(**column: str) -> Mapping[str, str]:
        return {"review": "Great!", "stars": "5", **column}

    ids = write(tmp_path / "ids.csv", [great(review_id=f"r{n}x{n}") for n in range(10)])
    dates = write(tmp_path / "dates.csv", [great(date=f"2026-01-{n:02}") for n in range(1, 11)])
    authors = write(tmp_path / "authors.csv", [great(author=f"Person {n}") for n in range(10)])
    same = write(tmp_path / "same.csv", [great() for _ in range(10)])
    for path, expected in ((ids, (10, 0)), (dates, (10, 0)), (authors, (10, 0)), (same, (1, 9))):
        (read_one,) = read(open_memory(), path)
        assert (read_one.accepted, read_one.duplicates) == expected, path.name


def test_a_reviewers_name_is_kept_as_a_salted_hash_only(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [{"review": "Great place!", "author": "Vera Example", "stars": "5"}] * 2)
    warehouse = open_memory()
    (ingested,) = read(warehouse, path)
    assert ingested.duplicates == 1
    ((author,),) = current(warehouse, "author")
    assert len(author) == 16
    everything = str(warehouse.query("FROM store.reviews")) + str(warehouse.query("FROM store.sources"))
    assert "Vera" not in everything


def test_ratings_without_words_count(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [
        {"review": text, "stars": stars}
        for text, stars in (("Fine.", "4"), ("", "5"), ("", "5"), ("👍", "5"), ("", ""))
    ]
    (ingested,) = read(warehouse, write(tmp_path / "a.csv", rows))
    assert (ingested.rows, ingested.accepted, ingested.rating_only, ingested.rejected) == (5, 1, 3, 1)
    assert warehouse.value("SELECT avg(stars) FROM reviews") == 4.75


def test_a_grown_file_keeps_its_date_order_and_says_what_contradicts_it(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [{"review": "A fine evening.", "date": "02/01/2026"}, {"review": "Nice food.", "date": "13/01/2026"}]
    path = write(tmp_path / "a.csv", rows)
    read(warehouse, path)
    before = current(warehouse, "review_id", "reviewed_at")
    write(path, [*rows, {"review": "Slow.", "date": "01/25/2026"}, {"review": "Late.", "date": "01/26/2026"}])
    (grown,) = read(warehouse, path)
    assert set(before) <= set(current(warehouse, "review_id", "reviewed_at"))
    assert any("01/25/2026" in note and "--dates" in note for note in grown.notes)
    ids = {id for (id,) in current(warehouse, "review_id")}
    read(warehouse, path, dates="mdy")
    assert {id for (id,) in current(warehouse, "review_id")} == ids, "an id does not depend on how a date is read"
    assert (datetime(2026, 2, 1),) in current(warehouse, "reviewed_at")


@pytest.mark.parametrize(
    ("made_at", "expected"),
    [(["2026-02-10", "2026-02-10"], datetime(2026, 2, 8)), (["2026-02-10", "2026-02-11"], None)],
)
def test_relative_dates_count_from_the_day_of_the_export_if_it_has_one(
    warehouse: Warehouse, tmp_path: Path, made_at: list[str], expected: datetime | None
) -> None:
    rows = [
        {"review": text, "date": "2 days ago", "scraped_at": day}
        for text, day in zip(("Fine.", "Good."), made_at, strict=True)
    ]
    read(warehouse, write(tmp_path / "a.csv", rows))
    assert current(warehouse, "reviewed_at") == [(expected,), (expected,)]


def test_the_day_of_the_export_is_that_of_each_export(warehouse: Warehouse, tmp_path: Path) -> None:
    for day, expected in (("2026-02-10", datetime(2026, 2, 8)), ("2026-02-11", datetime(2026, 2, 9))):
        rows = [{"review": "Fine.", "date": "2 days ago", "scraped_at": day}]
        read(warehouse, write(tmp_path / "a.csv", rows))
        assert current(warehouse, "reviewed_at") == [(expected,)]


def test_a_mapped_column_that_is_not_understood_is_an_error(warehouse: Warehouse, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", REVIEWS)
    with pytest.raises(InputError, match=r"--map stars=review: 3 of 3 .*'The soup was cold.'"):
        read(warehouse, path, mapping={"text": "date", "stars": "review"})
    assert current(warehouse, "text") == []


def test_a_field_can_be_unmapped(warehouse: Warehouse, tmp_path: Path) -> None:
    (ingested,) = read(warehouse, write(tmp_path / "a.csv", REVIEWS), mapping={"stars": ""})
    assert "stars" not in ingested.columns
    assert set(current(warehouse, "stars")) == {(None,)}


def test_the_understanding_is_kept(warehouse: Warehouse, tmp_path: Path) -> None:
    read(warehouse, write(tmp_path / "a.csv", REVIEWS))
    (row,) = warehouse.query(
        "SELECT f.name, f.column, f.samples, f.filled, f.understood FROM (SELECT unnest(from_json(fields, "
        """'[{"name":"VARCHAR","column":"VARCHAR","samples":["VARCHAR"],"filled":"BIGINT","understood":"BIGINT"}]'))"""
        " AS f FROM sources) WHERE f.name = 'stars'"
    )
    assert row == {"name": "stars", "column": "score", "samples": ["2", "5", "3"], "filled": 3, "understood": 3}


# --- Properties ---

TEXTS = ("Great!", "Bad food.", "", "👍", "So so, nothing special", "Never again")
ROW = st.fixed_dictionaries(
    {
        "review": st.sampled_from(TEXTS),
        "stars": st.sampled_from(("", "1", "3", "5", "x")),
        "date": st.sampled_from(("", "2026-01-03", "2026-02-04", "05/06/2026")),
        "author": st.sampled_from(("", "Ann", "Bob", "Cy")),
        "seat": st.sampled_from(("", "aisle", "window")),
    }
)
FIRST = {"review": "A first review.", "stars": "4", "date": "2026-01-01", "author": "Zoe", "seat": ""}
COLUMNS = ("review_id", "text", "stars", "reviewed_at", "rating_only", "attributes::VARCHAR")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=12), order=st.randoms(use_true_random=False), split=st.integers(0, 12))
def test_read_twice_extended_shuffled_or_remapped_the_current_rows_are_the_same(
    tmp_path: Path, rows: list[dict[str, str]], order: Any, split: int
) -> None:
    path = write(tmp_path / "a.csv", [FIRST, *rows])
    once = open_memory()
    (ingested,) = read(once, path)
    assert ingested.rows == len(rows) + 1
    assert ingested.rows == ingested.accepted + ingested.rejected + ingested.duplicates + ingested.rating_only
    expected = current(once, *COLUMNS)

    again = open_memory()
    for step in ([FIRST, *rows[:split]], [FIRST, *rows]):
        write(path, step)
        read(again, path)
    read(again, path, mapping={"stars": "seat"} if all(row["seat"] == "" for row in rows) else {"stars": ""})
    read(again, path)
    assert current(again, *COLUMNS) == expected

    shuffled = list(rows)
    order.shuffle(shuffled)
    write(path, [FIRST, *shuffled])
    read(again, path)
    assert current(again, *COLUMNS) == expected
