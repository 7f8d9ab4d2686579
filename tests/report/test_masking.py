"""A report that names nobody, and what names nobody even without being asked."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest

from pipeline import cli
from pipeline.core import lock
from pipeline.core.warehouse import open_read_only, open_work, publish
from pipeline.ingest.personal import holds_names
from pipeline.report import build
from pipeline.tools import traces
from tests.factory import source
from tests.report.test_report import DAY, write_warehouse

TEXTS = [
    "Dr. Sonnleitner was late and rude, and nobody answered eva.huber@example.com for a week.",
    "We waited an hour, then Sonnleitner left. My name is Eva Huber, +49 151 23456789.",
    "The soup was cold at 10:30 on 12/03/2024 and cost $1,234.",
]
PRIVATE = ("Sonnleitner was", "Huber", "eva.huber", "23456789", "Krautwurst", "kraut@example.com")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Three reviews by different doctors, of whom the second is named by a column only, and one business is a person."""
    path = write_warehouse(tmp_path / "w.duckdb", TEXTS)
    opened = open_work(path)
    opened.execute(
        "UPDATE store.reviews SET business = 'Praxis', attributes = MAP {'Doctor': 'Krautwurst', 'City': 'Ulm'}"
    )
    opened.execute("UPDATE store.reviews SET business = 'kraut@example.com' WHERE text LIKE 'The soup%'")
    opened.append("store.sources", [source(source="test.csv")])
    fields = json.loads(source()["fields"])
    fields[0]["samples"] = TEXTS[:2]
    opened.execute("UPDATE store.sources SET fields = ?", [json.dumps(fields)])
    with lock.writing(path):
        return publish(opened)


def everything(folder: Path) -> str:
    """All that a report's files say, and what they are called."""
    said = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        said.append(str(file.relative_to(folder)))
        if file.suffix == ".parquet":
            said.append(str(pq.read_table(file).to_pylist()))
        elif file.suffix == ".xlsx":
            book = openpyxl.load_workbook(file)
            said += [str(cell) for row in book.active.iter_rows(values_only=True) for cell in row]
        else:
            said.append(file.read_text())
    return "\n".join(said)


def write(path: Path, out: Path, mask: bool) -> Path:
    with contextlib.closing(open_read_only(path)) as warehouse:
        return build.write(warehouse, out, DAY, mask=mask, per_business=True).folder


def test_a_masked_report_names_nobody(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MIN_REVIEWS", 1)
    plain, masked = (everything(write(filled, tmp_path / name, name == "masked")) for name in ("plain", "masked"))
    assert [value for value in PRIVATE if value in plain] == list(PRIVATE)
    assert not [line for line in masked.splitlines() if any(value in line for value in PRIVATE)]
    assert "Dr. [name] was late and rude, and nobody answered [e-mail]" in masked
    assert (
        "The soup was cold at 10:30 on 12/03/2024 and cost $1,234" in masked and "Ulm" in masked and "Praxis" in masked
    )
    assert "What identifies a person is masked: name " in masked and "is masked" not in plain


def test_the_same_person_keeps_the_placeholder_where_reviews_are_grouped(filled: Path, tmp_path: Path) -> None:
    rows = json.loads((write(filled, tmp_path / "out", True) / "insights.json").read_text())
    assert {row["attributes"]["Doctor"] for row in rows} == {"[name]"}
    assert {row["business"] for row in rows} == {"Praxis", "[e-mail]"}


def test_no_folder_is_called_after_anybody(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MIN_REVIEWS", 1)
    folder = write(filled, tmp_path / "out", False)
    names = [path.name for path in folder.rglob("*")]
    assert not [name for name in names if "kraut" in name or "praxis" in name.lower()]


def test_a_reply_draft_repeats_no_number_and_no_name_even_unasked(filled: Path, tmp_path: Path) -> None:
    rows = json.loads((write(filled, tmp_path / "out", False) / "insights.json").read_text())
    drafts = [row["reply"] for row in rows]
    assert all(drafts) and not [value for value in PRIVATE[:4] for draft in drafts if value in draft]
    assert any("[name] was late and rude" in draft for draft in drafts)


def test_the_command_line_and_a_profile_can_ask_for_it(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["report", "--warehouse", str(filled), "--out", str(out), "--date", str(DAY), "--mask"]) == 0
    assert "Huber" not in everything(out)
    assert traces.is_masked(out / str(DAY))


@pytest.mark.parametrize("name", ["guest", "Nombre", "doctor", "Employee name", "Kellner", "served by", "médecin", "スタッフ", "Mitarbeiterin", "customer_name"])  # fmt: skip
def test_columns_of_people(name: str) -> None:
    assert holds_names(name)


@pytest.mark.parametrize("name", ["country", "city", "product name", "staff rating", "app version", "Seat", "device", "host os", "traveller type", "doctor visits"])  # fmt: skip
def test_columns_of_things(name: str) -> None:
    assert not holds_names(name)
