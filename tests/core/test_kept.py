"""What a run keeps as tables is what the views would put together, whatever has happened to the reviews."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import random
from pathlib import Path

import pytest

from pipeline.core import queries
from pipeline.core.profile import Profile
from pipeline.core.warehouse import Warehouse, open_read_only, open_work, work_path
from pipeline.ingest.understanding import IngestOptions
from pipeline.run import run
from pipeline.tools import forget

TEXTS = (
    "The soup was cold and nobody came.",
    "We waited an hour for the bill, and then it was wrong!",
    "Lovely staff, quick service, great food.",
    "The room was dirty and loud. The view was nice.",
    "Muy buena comida.",
    "",
)


def write(path: Path, seed: int, rows: int) -> Path:
    """Random reviews with ids of their own, some without words, business or date."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "stars", "date", "business", "country"])
        for number in range(rows):
            text = chance.choice(TEXTS)
            writer.writerow(
                [
                    f"{text} {number}" if text else "",
                    chance.randint(1, 5),
                    f"2026-{chance.randint(7, 10):02}-{chance.randint(1, 28):02}" if number % 7 else "",
                    chance.choice(["Inn", "Bar", ""]),
                    chance.choice(["de", "DE", "fr"]),
                ]
            )
    return path


@pytest.fixture
def untaught(fake_profile: Profile) -> Profile:
    """Whose student is never trained."""
    return dataclasses.replace(fake_profile, distill=dataclasses.replace(fake_profile.distill, min_examples=10**6))


def answers(warehouse: Warehouse) -> dict[str, list[dict[str, object]]]:
    found = {}
    for query in map(queries.load, queries.names()):
        given = {"words": "soup bill", "id": "0", "limit": 500}
        values = query.bind({name: given.get(name) for name in query.parameters})
        found[query.name] = warehouse.query(query.sql, values or None)
    return found


def rows(warehouse: Warehouse, view: str) -> list[str]:
    return sorted(map(str, warehouse.query(f"SELECT * FROM {view}")))


def check(path: Path, counted: bool = True) -> None:
    """Every named query answers alike on what is kept and on what the views put together. `counted`: shares of themes too."""
    with contextlib.closing(open_read_only(path)) as published:
        kept_rows = {view: rows(published, view) for view in ("findings", "mentions")}
        assert kept_rows == {view: rows(published, f"{view}_of('reviews')") for view in kept_rows}
        assert len(kept_rows["findings"]) == published.value("SELECT count(*) FROM reviews")
        shares = "SELECT source, business, theme, total, reviews FROM store.theme_share ORDER BY ALL"
        incremental = published.query(shares)
        quick = answers(published)
    work = open_work(path)
    try:  # migrating has put the views back
        assert work.value(
            "SELECT count(*) FROM duckdb_views() WHERE view_name = 'findings' AND sql LIKE '%findings_of%'"
        )
        for name, slow in answers(work).items():
            assert [approx(row) for row in slow] == [approx(row) for row in quick[name]], name
        if counted:
            recount(work)
            assert work.query(shares) == incremental
    finally:
        work.close()
        work_path(path).unlink()


def approx(row: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()}


def recount(warehouse: Warehouse) -> None:
    from pipeline.core.stage import Context
    from pipeline.stages.read import finish

    fingerprint = warehouse.value("SELECT fingerprint FROM store.current WHERE stage = 'read'")
    warehouse.execute("DELETE FROM store.settled")
    finish(Context(None, warehouse, "again", fingerprint, Path()))  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_is_kept_is_what_the_views_put_together(tmp_path: Path, untaught: Profile) -> None:
    path, first, second = tmp_path / "w.duckdb", tmp_path / "a.csv", tmp_path / "b.csv"
    options, seed = IngestOptions(), 1

    def night(*files: Path, keep_days: int = 0, until: str | None = None) -> int:
        written = run([str(file) for file in files], path, untaught, options, keep_days=keep_days, until=until)
        if until is None and written.rows_written:
            check(path)
        return written.rows_written

    write(first, seed, 40)
    night(first)
    assert night(first) == 0
    write(second, seed + 10, 12)
    with second.open("a", encoding="utf-8") as file:  # some reviews are in both
        file.writelines(first.read_text(encoding="utf-8").splitlines(keepends=True)[-9:])
    night(first, second, until="sentiment")  # the later stages have not seen them
    assert night(first, second) > 0
    write(first, seed, 30)  # withdrawn ones, of which the other source may have a few
    night(first, second)
    with contextlib.closing(open_read_only(path)) as published:
        gone = published.value("SELECT review_id FROM reviews WHERE text <> '' ORDER BY review_id LIMIT 1")
    with forget.opened(path) as opened:
        places = forget.Places(tmp_path / "exports")
        forget.forget(opened, forget.find(opened, forget.Request(reviews=[gone]), places), places)
    check(path, counted=False)  # the next run counts them anew
    night(first, second, keep_days=20)
    check(path)


def test_other_fingerprints_put_all_together_anew(tmp_path: Path, untaught: Profile) -> None:
    path = tmp_path / "w.duckdb"
    run([str(write(tmp_path / "a.csv", 3, 30))], path, untaught, IngestOptions())
    stricter = dataclasses.replace(untaught, emotions=dataclasses.replace(untaught.emotions, threshold=0.9))
    run([str(tmp_path / "a.csv")], path, stricter, IngestOptions())
    check(path)


def test_a_killed_run_leaves_its_changes_to_the_next(
    tmp_path: Path, untaught: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = tmp_path / "w.duckdb", tmp_path / "a.csv"
    run([str(write(file, 4, 30))], path, untaught, IngestOptions())
    write(file, 4, 45)
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.run.audit", lambda warehouse: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run([str(file)], path, untaught, IngestOptions())
    assert work_path(path).exists()
    run([str(file)], path, untaught, IngestOptions())
    check(path)
