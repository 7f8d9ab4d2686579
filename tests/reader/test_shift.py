"""The shift per language: recorded as the profile says, taken off only where languages are compared, in SQL as in Python."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core import queries
from pipeline.core.errors import InputError
from pipeline.core.labels import SENTIMENTS
from pipeline.core.profile import Profile, load
from pipeline.core.warehouse import Warehouse
from pipeline.reader import calibration, shift
from tests.factory import review

GERMAN = {"n": 500, "temperature": 1.0, "bias": [-0.4, 0.1, 0.3], "shift": -0.08, "low": -0.1, "high": -0.06}
ENGLISH = {"n": 500, "temperature": 1.0, "bias": [0.0, 0.0, 0.0], "shift": 0.001, "low": -0.01, "high": 0.01}
EVEN = {"n": 0, "temperature": 1.0, "bias": [0.0, 0.0, 0.0]}
FITTED: dict[str, Any] = {"classes": list(SENTIMENTS), "languages": {"*": EVEN, "de": GERMAN, "en": ENGLISH}}


def named(folder: Path, **section: Any) -> Profile:
    """A profile whose `language_shift` is FITTED; `section`: what else [sentiment] says."""
    file = folder / "shift.json"
    calibration.save(FITTED, file)
    profile = load("embedded")
    changed = dataclasses.replace(profile.sentiment, **({"language_shift": str(file)} | section))
    return dataclasses.replace(profile, sentiment=changed)


def judged(warehouse: Warehouse, languages: tuple[str | None, ...] = ("de", "en", "sw", None)) -> np.ndarray:
    """120 judged reviews, in turns of these languages, from two countries; their probabilities as they are stored."""
    values = np.random.default_rng(4).dirichlet([0.6, 0.4, 0.6], 120).astype(np.float32).round(4)
    values[:6] = [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 0.5], [0.4, 0.4, 0.2], [0.2, 0.4, 0.4]
    rows = [
        review(f"Text {n}.", language=languages[n % len(languages)], attributes=[("country", "DE" if n % 2 else "EN")])
        for n in range(120)
    ]
    warehouse.append("store.reviews", rows)
    warehouse.append("store.current", [{"stage": "sentiment", "fingerprint": "f"}])
    key = {"fingerprint": "f", "run_id": "r", "model": "m"}
    warehouse.append(
        "store.sentiment",
        [
            {"review_id": row["review_id"], "label": SENTIMENTS[int(value.argmax())], **key}
            | {name: float(chance) for name, chance in zip(SENTIMENTS, value, strict=True)}
            for row, value in zip(rows, values, strict=True)
        ],
    )
    return values


def run(warehouse: Warehouse, name: str, **given: Any) -> list[dict[str, Any]]:
    query = queries.load(name)
    return warehouse.query(query.sql, query.bind(given))


def test_a_run_records_what_the_profile_names(warehouse: Warehouse, tmp_path: Path) -> None:
    for _ in range(2):  # a second run changes nothing
        shift.record(warehouse, named(tmp_path))
        german, english = warehouse.query("SELECT * FROM language_shift ORDER BY language")
        assert (german["language"], german["negative"], german["shift"]) == ("de", -0.4, -0.08)
        assert english["positive"] == 0
    shift.record(warehouse, named(tmp_path, language_shift="none"))
    assert warehouse.query("FROM language_shift") == []


def test_the_readers_own_is_for_the_reader_alone(tmp_path: Path) -> None:
    profile = named(tmp_path, language_shift="auto")
    with_own = dataclasses.replace(profile, reader=dataclasses.replace(profile.reader, model=str(tmp_path)))
    assert shift.of(with_own) == [], "a reader that brings none"
    calibration.save(FITTED, tmp_path / shift.FILE)
    assert len(shift.of(with_own)) == 2
    for change in ({"head": "h.json"}, {"calibration": "c.json"}, {"backend": "transformers"}):
        section = dataclasses.replace(with_own.sentiment, **change)  # type: ignore[arg-type]
        assert shift.of(dataclasses.replace(with_own, sentiment=section)) == [], change


def test_an_unusable_file_is_one_clear_line(tmp_path: Path) -> None:
    profile = named(tmp_path)
    of_labels = {"classes": list(SENTIMENTS), "languages": {"*": EVEN, "de": EVEN}}
    (tmp_path / "shift.json").write_text(json.dumps(of_labels))
    with pytest.raises(InputError, match="calibrate --parallel"):
        shift.of(profile)
    with pytest.raises(InputError, match="no calibration at"):
        shift.of(named(tmp_path, language_shift=str(tmp_path / "none.json")))


def test_sql_takes_it_off_as_python_does(warehouse: Warehouse, tmp_path: Path) -> None:
    values = judged(warehouse)
    shift.record(warehouse, named(tmp_path))
    sql = "SELECT review_id, language, c.label, compared FROM compared_sentiment c JOIN reviews USING (review_id)"
    rows = {row["review_id"]: row for row in warehouse.query(sql)}
    ids = [review(f"Text {n}.")["review_id"] for n in range(120)]
    expected = calibration.apply(FITTED, values, [rows[key]["language"] for key in ids]).argmax(1)
    assert [rows[key]["compared"] for key in ids] == [SENTIMENTS[index] for index in expected]
    changed = {row["language"] for row in rows.values() if row["label"] != row["compared"]}
    assert changed == {"de"}, "nothing else was measured to be off"


def test_only_comparisons_take_it_off(warehouse: Warehouse, tmp_path: Path) -> None:
    judged(warehouse)
    plain = {row["name"]: row for row in run(warehouse, "languages")}
    assert all(row["negative_share"] == row["plain_share"] and row["shift"] is None for row in plain.values())
    shift.record(warehouse, named(tmp_path))
    found = {row["name"]: row for row in run(warehouse, "languages")}
    assert found["de"]["negative_share"] < found["de"]["plain_share"] == plain["de"]["negative_share"]
    assert found["de"]["shift"] == -0.08 and found["sw"]["shift"] is None
    assert found["en"]["negative_share"] == found["en"]["plain_share"]
    by_country = run(warehouse, "segments")
    assert {row["value"]: row["negative_share"] < row["plain_share"] for row in by_country} == {"DE": False, "EN": True}
    total = run(warehouse, "sentiments")
    assert {row["name"]: row["n"] for row in total}["negative"] == sum(
        row["plain_share"] * row["judged"] for row in found.values()
    )
    (alone,) = run(warehouse, "languages", language="de")
    assert alone["negative_share"] == alone["plain_share"], "one language has nothing to be compared with"


def test_what_ships_is_small_and_only_where_it_is_clear() -> None:
    rows = shift.of(load("embedded"))
    assert len(rows) == 21
    for row in rows:
        biases = [row[name] for name in SENTIMENTS]
        assert max(map(abs, biases)) < 0.2, row
        if row["low"] and row["high"]:  # a bound that is rounded to 0 lay on either side of it
            assert any(biases) == (row["low"] * row["high"] > 0), row
