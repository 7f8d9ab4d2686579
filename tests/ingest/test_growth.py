"""What a hostile value costs grows with its length, in every parser: no pattern may be quadratic on a blank or a digit.

Counted as a ratio of the best times of 20,000 and 40,000 characters, with room for a busy machine: a quadratic parser has 4.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.advice import answer
from pipeline.backends.cleaning import clean
from pipeline.core.warehouse import open_memory
from pipeline.ingest import columns, dates, identity, names, values
from pipeline.ingest.attributes import attributes
from pipeline.ingest.formats.cells import with_objects
from pipeline.ingest.formats.encoding import detect_encoding
from pipeline.ingest.formats.header import find_header
from pipeline.ingest.formats.quotes import count_records
from pipeline.ingest.formats.record import ReadOptions, unique_names
from pipeline.ingest.personal import is_identifier, is_personal
from pipeline.text import cleaning, duplicates, language, sentences, words
from pipeline.text.repair import repair
from tests.ingest.cases.reading import read, write

_LENGTH = 20_000
_AT_MOST, _TRIES, _REPEATS = 3.5, 3, 2
_NOISE = 0.002  # seconds: what costs less says nothing about growth

KINDS = {
    "digits": "1",
    "letters": "a",
    "blanks": " ",
    "lines": " \n",
    "quotes": '"',
    "dots": ".",
    "slashes": "/",
    "brackets": "[(",
    "braces": "{",
    "angles": "<",
    "ampersands": "&",
    "full-width digits": "９",
    "zero-width": "\u200b",
    "accents": "e\u0301",
    "addresses": "a@a",
    "Chinese": "好",
    "backslashes": "\\n",
    "mixed": '1a "./[９\u200b',
}


def _name(value: str) -> str:
    """The value as the name of a column, as readers give it."""
    return unique_names([value])[0]


def _chosen(value: str) -> Any:
    sampled = {name: value[:1000] for name in ("name", "author", "title", "stars", "id", "label", _name(value))}
    return columns.choose([*sampled, "text"], {}, [{"text": "Cold soup", **sampled}] * 3, "r.csv")


PARSERS: dict[str, Callable[[str], Any]] = {
    "stars": values.parse_stars,
    "scale": lambda value: values.star_scale([None], _name(value)),
    "labels": lambda value: values.label_names([value] * 3, True, _name(value)),
    "date": dates.parse_date,
    "dates": lambda value: dates.date_style([value] * 3),
    "language code": language.language_code,
    "native id": identity.native_id,
    "review id": lambda value: identity.review_id("text", value, value, value, value),
    "name": lambda value: names.plain(_name(value)),
    "personal": lambda value: (is_personal(_name(value), [value]), is_identifier(_name(value))),
    "attributes": lambda value: attributes(["a", _name(value)], {}, None, {"a": [value], _name(value): ["b"]}),
    "columns": _chosen,
    "header": lambda value: find_header([["text", value], [value, "1"], ["b", value]] * 3, ReadOptions()),
    "objects in cells": lambda value: with_objects({"a": "{" + value + "}"}),
    "quotes": lambda value: count_records([value + "\n"] * 3, ","),
    "encoding": lambda value: detect_encoding([value.encode()[1:] + b"\xe9\n"]),
    "filler": cleaning.is_filler,
    "own words": cleaning.own_words,
    "tags": cleaning.strip_html,
    "repair": repair,
    "bounded": cleaning.bounded,
    "sentences": lambda value: (sentences.sentence_spans(value), sentences.sentence_spans(value, clauses=False)),
    "language": lambda value: language.detect_languages([value]),
    "duplicates": lambda value: duplicates.sketches([value]),
    "words": lambda value: (words.words(value), words.fold(value)),
    "model's markers": clean,
    "suggestions": lambda value: (answer.read_answer(value), answer.presentable(value)),
}


def _cost(parse: Callable[[str], Any], value: str) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        names.plain.cache_clear()
        start = time.process_time()
        parse(value)
        best = min(best, time.process_time() - start)
    return best


def _filled(scrap: str, length: int) -> str:
    return (scrap * (length // len(scrap) + 1))[:length]


@pytest.mark.parametrize("name", PARSERS)
def test_twice_the_value_costs_twice_the_work(name: str) -> None:
    parse = PARSERS[name]
    parse("warm 1")
    for kind, scrap in KINDS.items():
        for attempt in range(_TRIES):
            short, long = (_cost(parse, f"4 {_filled(scrap, times * _LENGTH)}/") for times in (1, 2))
            if long < _AT_MOST * max(short, _NOISE):
                break
            assert attempt < _TRIES - 1, f"{name} of {kind}: {long / max(short, _NOISE):.1f} times the work"


def _every_line_opens_a_quote(count: int) -> str:
    return "text,stars\n" + '"a"b,\n' * count


def _columns_without_a_name(count: int) -> str:
    return "text" + "," * count + "\nCold soup" + "," * count + "\n"


@pytest.mark.parametrize(("content", "count"), [(_every_line_opens_a_quote, 1_500), (_columns_without_a_name, 2_000)])
def test_twice_the_file_costs_twice_the_work(tmp_path: Path, content: Callable[[int], str], count: int) -> None:
    def ingested(text: str) -> None:
        read(open_memory(), write(tmp_path / "r.csv", text))

    ingested(content(10))
    for _attempt in range(_TRIES):
        short, long = (_cost(ingested, content(times * count)) for times in (1, 2))
        if long < _AT_MOST * short:
            return
    pytest.fail(f"{long / short:.1f} times the work")
