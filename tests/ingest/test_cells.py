"""Cells that hold an object."""

from __future__ import annotations

import pytest

from pipeline.ingest.formats.cells import with_objects
from pipeline.ingest.formats.record import Broken, Layout


def test_an_object_is_columns_of_its_own() -> None:
    record = {
        "review": "It sheds.",
        "reply": "{'body': \"We're sorry\", 'id': 4}",
        "seller": '{"name": "Rug Barn", "text": "x"}',
    }
    assert with_objects(dict(record)) == {
        "review": "It sheds.",
        "reply.body": "We're sorry",
        "reply.id": "4",
        "seller": "x",  # the one value that an object wraps keeps the column's name
        "seller.name": "Rug Barn",
        "seller.text": "x",
    }


@pytest.mark.parametrize(
    "text",
    [
        *("{sigh} it broke {sigh}", "{1, 2}", "{'a': {1}}", "{", "{'a': open('x')}", "{'a': 1, **{}}", "{}x"),
        "{'a':" * 9_000 + "1" + "}" * 9_000,
        '{"a": ' + "[" * 4_000 + "]" * 4_000 + "}",
        '{"a": ' + "1" * 5_000 + "}",
        '{"a": "' + "x" * 30_000 + '"}',
    ],
)
def test_a_text_in_braces_stays_as_it_is(text: str) -> None:
    assert with_objects({"review": text}) == {"review": text}


def test_what_is_no_record_is_given_back() -> None:
    for item in (Layout(), Broken("x", "damaged"), {"review": "It sheds.", "stars": None, "date": ""}):
        assert with_objects(item) is item
