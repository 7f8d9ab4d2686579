"""JSON as APIs, stores and pandas write it."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.ingest.columns import choose
from pipeline.ingest.formats.record import Broken, Layout, ReadOptions, Record, Tally, is_record
from pipeline.ingest.sources import read_items, read_records

LAMP = {"review": "The lamp hums at night.", "stars": "2"}
DESK = {"review": "A sturdy desk.", "stars": "4"}


def read(path: Path, content: Any, **mapping: str) -> list[Record]:
    """Records of a file with this content: text as it is, anything else as JSON."""
    file = path / "r.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return list(read_records(str(file), ReadOptions(mapping=mapping)))


def lines(*documents: Any) -> str:
    return "\n".join(map(json.dumps, documents))


SHAPES: dict[str, Any] = {
    "array": [LAMP, DESK],
    "lines": lines(LAMP, DESK),
    "pretty objects": "\n".join(json.dumps(row, indent=1) for row in (LAMP, DESK)),
    "under a key": {"status": "OK", "result": {"count": 2, "reviews": [LAMP, DESK]}},
    "pages as lists": [[LAMP], [DESK]],
    "pages as objects": [{"page": 1, "reviews": [LAMP]}, {"page": 2, "reviews": [DESK]}],
    "pages as lines": lines({"items": [LAMP]}, {"items": [DESK]}),
    "pages, one empty": lines({"reviews": [LAMP]}, {"reviews": []}, {"reviews": [DESK]}),
    "keyed": {"r1": LAMP, "r2": DESK},
    "keyed under a key": {"export": {"reviews": {"-N1": LAMP, "-N2": DESK}}},
    "pandas, by column": {"review": {"0": LAMP["review"], "1": DESK["review"]}, "stars": {"0": 2, "1": 4}},
    "pandas, by index": {"0": LAMP, "1": DESK},
    "pandas, split": {"columns": ["review", "stars"], "index": [0, 1], "data": [[*LAMP.values()], [*DESK.values()]]},
    "pandas, table": {"schema": {"fields": [{"name": "review", "type": "string"}]}, "data": [LAMP, DESK]},
    "lists by column": {"review": [LAMP["review"], DESK["review"]], "stars": [2, 4]},
    "beside questions": {"questions": [{"question": "Is it loud?"}], "reviews": [LAMP, DESK]},
    "beside a short list": {"messages": [{"message": "done"}], "rows": [LAMP, DESK] * 5},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_reviews_are_found_wherever_they_stand(tmp_path: Path, shape: str) -> None:
    assert read(tmp_path, SHAPES[shape]) == [LAMP, DESK] * (5 if shape == "beside a short list" else 1)


def test_texts_alone_are_reviews(tmp_path: Path) -> None:
    assert read(tmp_path, ["It hums.", "Sturdy."]) == [{"text": "It hums."}, {"text": "Sturdy."}]


def test_a_place_gives_its_name_to_its_reviews_but_not_its_average(tmp_path: Path) -> None:
    def place(name: str, *texts: str) -> dict[str, Any]:
        reviews = [{"name": "places/1/reviews/2", "text": {"text": text, "languageCode": "en"}} for text in texts]
        return {
            "id": name[0],
            "displayName": {"text": name},
            "description": "A fine place",
            "rating": 4.5,
            "reviews": reviews,
        }

    places = {"places": [place("North Inn", "Cold soup.", "Kind staff."), place("South Inn", "Great view.")]}
    records = read(tmp_path, places)
    assert [(r["text"], r["business"], r["place.id"]) for r in records if isinstance(r, dict)] == [
        ("Cold soup.", "North Inn", "N"),
        ("Kind staff.", "North Inn", "N"),
        ("Great view.", "South Inn", "S"),
    ]
    assert records[0] == {
        "name": "places/1/reviews/2",
        "text": "Cold soup.",
        "text.text": "Cold soup.",
        "text.languageCode": "en",
        "place.name": "North Inn",
        "place.id": "N",
        "business": "North Inn",
    }


def test_a_record_keeps_the_business_and_product_it_names(tmp_path: Path) -> None:
    enclosed = {"name": "Chain", "product": "Lamp", "reviews": [{"text": "Fine.", "hotel": "Inn", "sku": "7"}]}
    assert read(tmp_path, enclosed) == [
        {"text": "Fine.", "hotel": "Inn", "sku": "7", "place.name": "Chain", "place.product": "Lamp"}
    ]


def test_a_name_beside_the_places_own_is_not_the_business(tmp_path: Path) -> None:
    (record,) = read(tmp_path, {"name": "Inn", "reviews": [{"name": "Ann", "text": "Fine."}]})
    assert record == {"name": "Ann", "text": "Fine.", "place.name": "Inn", "business": "Inn"}


@pytest.mark.parametrize(
    ("enclosing", "business"),
    [
        ({"title": "Inn", "address": "1 High Street"}, "Inn"),
        ({"title": "Inn", "placeId": "p1", "totalScore": 4.3}, "Inn"),
        ({"title": "All our reviews"}, None),
        ({"place_info": {"title": "Inn", "rating": 4.3}}, "Inn"),
        ({"name": "Inn", "rating": 4.3}, "Inn"),
    ],
)
def test_a_title_is_a_places_name_beside_what_places_have(
    tmp_path: Path, enclosing: dict[str, Any], business: str | None
) -> None:
    (record,) = read(tmp_path, enclosing | {"reviews": [{"text": "Fine.", "placeId": "p1"}]})
    assert isinstance(record, dict) and record.get("business") == business and "rating" not in record


def test_a_name_beside_a_sku_is_the_products(tmp_path: Path) -> None:
    (record,) = read(tmp_path, {"name": "Mug", "sku": "M-1", "reviews": [{"text": "Fine."}]})
    assert record == {"text": "Fine.", "place.product": "Mug", "product": "Mug"}


def test_lists_are_no_values_of_fields_but_points_for_and_against(tmp_path: Path) -> None:
    points = {"pros": ["Quick", "Kind staff"], "cons": [], "date": ["2024"], "rating": 2}
    assert read(tmp_path, [points]) == [{"pros": "Quick\nKind staff", "cons": "", "date[]": '["2024"]', "rating": "2"}]


def test_a_list_called_reviews_is_taken_though_its_texts_are_unusual(tmp_path: Path) -> None:
    document = {"topics": [{"keyword": "soup"}, {"keyword": "bread"}], "reviews": [{"moan": "Cold."}]}
    assert read(tmp_path, document) == [{"moan": "Cold."}]


def test_a_google_review_belongs_to_the_location_in_its_name(tmp_path: Path) -> None:
    (record,) = read(tmp_path, {"reviews": [{"comment": "Fine.", "name": "accounts/5/locations/6/reviews/7"}]})
    assert isinstance(record, dict) and record["business"] == "accounts/5/locations/6"


def test_a_place_without_reviews_is_not_a_review(tmp_path: Path) -> None:
    records = read(tmp_path, [{"name": "Inn", "reviews": [LAMP]}, {"name": "Bar", "description": "Cosy bar"}])
    assert isinstance(records[0], dict) and records[0]["review"] == LAMP["review"]
    assert isinstance(records[1], Broken) and "holds no list of reviews" in records[1].reason
    assert len(records) == 2


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"content": {"label": "Crashes.", "attributes": {"type": "text"}}}, {"content": "Crashes."}),
        ({"body": {"#text": "Fine."}, "date": {"value": "2024"}}, {"body": "Fine.", "date": "2024"}),
        ({"text": "a", "rating": {"value": 8, "max": 10}}, {"rating": "8/10"}),
        ({"text": "a", "author": {"name": {"label": "Ann"}}}, {"author.name": "Ann", "author.name.label": "Ann"}),
        ({"id": 1, "attributes": {"body": "Fine.", "rating": 5}}, {"id": "1", "body": "Fine.", "rating": "5"}),
        ({"text": "a", "at": {"$date": {"$numberLong": "1700000000000"}}}, {"at": "1700000000000"}),
        ({"text": "a", "_id": {"$oid": "f0"}, "stars": {"$numberInt": "4"}}, {"_id": "f0", "stars": "4"}),
        ({"text": "a", "tags": ["x", "y"]}, {"tags": '["x", "y"]'}),
    ],
)
def test_nested_values(tmp_path: Path, item: dict[str, Any], expected: dict[str, str]) -> None:
    (record,) = read(tmp_path, [item])
    assert isinstance(record, dict) and expected.items() <= record.items()


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"content": {"label": "It crashes."}, "im:rating": {"label": "1"}, "updated": {"label": "2024-05-01"}},
            {"text": "content", "stars": "im:rating", "reviewed_at": "updated"},
        ),
        (
            {"attributes": {"body": "It crashes.", "rating": 1, "createdDate": "2024-05-01"}},
            {"text": "body", "stars": "rating", "reviewed_at": "createdDate"},
        ),
        (
            {"text": {"text": "Cold soup."}, "rating": 1, "publishTime": "2024-05-01", "name": "places/1/reviews/2"},
            {"text": "text", "stars": "rating", "reviewed_at": "publishTime", "business": "business"},
        ),
        (
            {"comment": "Cold soup.", "starRating": "ONE", "createTime": "2024-05-01", "updateTime": "2024-06-01"},
            {"text": "comment", "stars": "starRating", "reviewed_at": "createTime"},
        ),
    ],
    ids=["App Store's feed", "App Store Connect", "Places API", "Business Profile API"],
)
def test_the_columns_of_well_known_exports(tmp_path: Path, item: dict[str, Any], expected: dict[str, str]) -> None:
    (record,) = read(tmp_path, [item])
    assert isinstance(record, dict) and choose(list(record), {}, [record], "r.json") == expected


@pytest.mark.parametrize("value", [["One.", "Two."], {"a": "One.", "b": "Two."}, [{"text": "One."}]])
def test_a_list_or_an_object_is_never_a_reviews_text(tmp_path: Path, value: Any) -> None:
    (record,) = read(tmp_path, [{"id": 1, "text": value}])
    assert isinstance(record, dict) and "text" not in record


@pytest.mark.parametrize(
    "item",
    [
        {"text": "Mine.", "comments": [{"text": "A reply.", "date": "2024-01-01"}]},
        {"text": "Mine.", "user": {"reviews": [{"text": "Another."}]}},
        {"opinion_of_guest": "Mine.", "items": [{"description": "A lamp"}]},
        {"opinion_of_guest": "Mine.", "details": {"a": {"description": "A lamp"}, "b": {"description": "A desk"}}},
        {"stars": 4, "replies": {"data": [{"text": "Sorry.", "date": "2024-01-01"}]}},
    ],
)
def test_lists_in_a_record_are_not_reviews(tmp_path: Path, item: dict[str, Any]) -> None:
    records = read(tmp_path, [item, item])
    assert len(records) == 2
    texts = [(r.get("text"), r.get("description")) for r in records if isinstance(r, dict)]
    assert texts == [(item.get("text"), None)] * 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            {"good_reviews": [LAMP], "bad_reviews": [DESK] * 30},
            r"several lists .*: bad_reviews \(30\), good_reviews \(1\)",
        ),
        ({"a": [LAMP] * 3, "b": {"c": [DESK]}}, r"several lists .*: a \(3\), b\.c \(1\)\. .*--map text=COLUMN"),
        ({"reviews": []}, "its list is empty"),
        ([], "its list is empty"),
        ({"columns": ["text"], "data": []}, "its list is empty"),
        ([["a", 1], ["b", 2]], "holds no list of reviews"),
        ("[" * 50_000 + "]" * 50_000, "too deeply"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "too deeply"),
        ('[{"review": "It hums."},\n]', "not valid JSON: .*line 2 column 1"),
        ("[{'review': 'It hums.'}]", "not valid JSON: .*double quotes"),
        ("{'review': 'It hums.'}\n{'review': 'Sturdy.'}", "not valid JSON"),
        ('{"review": "It hums."} and more', "not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_map_says_which_of_two_lists(tmp_path: Path) -> None:
    assert read(tmp_path, {"a": [LAMP], "b": [{"words": "Mine."}]}, text="words") == [{"words": "Mine."}]


def test_a_row_of_another_width_is_broken(tmp_path: Path) -> None:
    records = read(tmp_path, {"columns": ["review", "stars"], "data": [["It hums.", 1], ["Sturdy."]]})
    assert records == [
        {"review": "It hums.", "stars": "1"},
        Broken('["Sturdy."]', "1 values where there are 2 columns"),
    ]


def test_lines_end_only_at_line_breaks(tmp_path: Path) -> None:
    text = "It hums.\u2028At night.\u0085Loudly."
    content = "\r\n".join(json.dumps({"text": text, "id": n}, ensure_ascii=False) for n in (1, 2))
    assert read(tmp_path, content) == [{"text": text, "id": "1"}, {"text": text, "id": "2"}]


def test_a_line_nested_too_deeply_is_broken_and_the_others_are_kept(tmp_path: Path) -> None:
    records = read(tmp_path, '{"a":' + "[" * 50_000 + "]" * 50_000 + "}\n" + lines(LAMP, DESK))
    assert isinstance(records[0], Broken) and "nested too deeply" in records[0].reason
    assert records[1:] == [LAMP, DESK]


def by_column(rows: list[dict[str, Any]]) -> Any:
    return {name: {str(i): row[name] for i, row in enumerate(rows)} for name in rows[0]}


ORIENTS = {
    "records": lambda rows: rows,
    "lines": lambda rows: lines(*rows),
    "wrapped": lambda rows: {"meta": {"total": len(rows)}, "reviews": rows},
    "pages": lambda rows: [{"reviews": rows[:1]}, {"reviews": rows[1:]}],
    "keyed": lambda rows: {f"id{i}": row for i, row in enumerate(rows)},
    "index": lambda rows: {str(i): row for i, row in enumerate(rows)},
    "columns": by_column,
    "list": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
    "split": lambda rows: {"columns": list(rows[0]), "data": [[row[name] for name in rows[0]] for row in rows]},
    "table": lambda rows: {"schema": {"fields": [{"name": name} for name in rows[0]]}, "data": rows},
    "concatenated": lambda rows: "\n".join(json.dumps(row, indent=2) for row in rows),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "text": st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
                "stars": st.none() | st.integers(1, 5),
                "somebody's own column": st.none() | st.booleans() | st.text(max_size=3).filter(str.isascii),
            }
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(sorted(ORIENTS)),
)
def test_records_come_back_equal_from_every_orient(tmp_path: Path, rows: list[dict[str, Any]], orient: str) -> None:
    expected = [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
    assert read(tmp_path, ORIENTS[orient](rows)) == expected


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ([LAMP, DESK], None),
        ({"status": "OK", "result": {"count": 2, "reviews": [LAMP, DESK]}}, "result.reviews"),
        (lines({"items": [LAMP]}, {"items": [DESK]}), "items"),
    ],
)
def test_the_keys_of_the_list_are_its_part(tmp_path: Path, content: Any, part: str | None) -> None:
    read(tmp_path, content)
    layout, *records = read_items(str(tmp_path / "r.json"), ReadOptions())
    assert layout == Layout("utf-8", part=part)
    assert records == [LAMP, DESK, *([] if part else [Tally(2)])]


@pytest.mark.parametrize("lines", [False, True])
def test_an_object_with_two_values_for_a_name_is_broken(tmp_path: Path, lines: bool) -> None:
    """Two records of which the middle is gone look like that; the last value would hide the first."""
    items = [
        '{"text": "Cold soup", "x": 1, "text": "Warm soup"}',
        '{"text": "A", "text": "A", "in": {"a": [1, {"b": 1, "b": 2}], "a": 2}}',
    ]
    file = tmp_path / "r.json"
    file.write_text("\n".join(items) if lines else f"[{', '.join(items)}]")
    broken, whole = read_records(str(file), ReadOptions())
    assert broken == Broken(items[0], "one object has two values for 'text'")
    assert isinstance(whole, dict) and whole["text"] == "A" and "1, " in str(whole["in"])
    file.write_text('{"reviews": [], "reviews": [{"text": "A"}]}')
    with pytest.raises(InputError, match="is no list of reviews: one object has two values for 'reviews'"):
        list(read_records(str(file), ReadOptions()))


def test_many_lines_are_read_as_few_are_and_never_held_whole(tmp_path: Path) -> None:
    many = [LAMP | {"stars": str(number)} for number in range(60_000)]
    content = lines(*many[:2000]) + '\n{"review": "broken\n\n' + lines(*many[2000:])
    file = tmp_path / "r.jsonl"
    file.write_text(content)
    items = read_items(str(file), ReadOptions())
    assert next(items) == Layout("utf-8")
    tracemalloc.start()
    try:
        for number, record in enumerate(itertools.islice(items, 2000)):
            assert record == many[number]
        assert next(items) == Broken('{"review": "broken', "not valid JSON: Unterminated string starting at")
        assert sum(map(is_record, items)) == 58_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(content) / 4


def test_many_lines_of_pages_are_pages(tmp_path: Path) -> None:
    assert read(tmp_path, lines(*({"reviews": [LAMP, DESK]} for _ in range(1200)))) == [LAMP, DESK] * 1200
