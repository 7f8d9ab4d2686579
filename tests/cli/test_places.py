"""Where results go unless that is said, and that the bundled sample and one's own reviews never meet."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline import cli
from pipeline.core import assets

OWN, SAMPLE = "insights.duckdb", "sample.duckdb"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, fake_profile: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: two reviews in my.csv, and a small file in place of the bundled sample."""
    sample = tmp_path / "installed" / "pipeline" / "samples" / "reviews.csv"
    sample.parent.mkdir(parents=True)
    sample.write_text(
        'title,review,rating\nCold,"The soup was cold.",1\nFine,"The waiter was kind.",5\nSlow,"It took ages.",2\n'
    )
    monkeypatch.setattr(assets, "SAMPLE", sample)
    (tmp_path / "my.csv").write_text("text,stars\nThe parcel was late.,1\nWhat a lovely coat.,5\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> int:
    return cli.main(["run", "--profile", "fake.toml", "--until", "emotions", *arguments])


def sources(warehouse: str) -> dict[str, int]:
    """The files behind the reviews of a warehouse, and how many reviews are from each."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        rows = connection.execute("SELECT source, count(*) FROM reviews GROUP BY source").fetchall()
    return {Path(source).name: reviews for source, reviews in rows}


def reports() -> dict[str, int]:
    """The folders that hold a report, and how many reviews its table has."""
    files = Path("exports").rglob("insights.csv")
    return {str(file.parent.parent): len(duckdb.read_csv(str(file)).fetchall()) for file in files}


@pytest.mark.slow
@pytest.mark.parametrize("order", [(["--reviews", "my.csv"], []), ([], ["--reviews", "my.csv"])])
def test_sample_and_own_reviews_have_a_warehouse_and_a_report_each(order: tuple[list[str], list[str]]) -> None:
    assert [run(*arguments) for arguments in (*order, *order)] == [0, 0, 0, 0]
    assert sources(OWN) == {"my.csv": 2} and sources(SAMPLE) == {"sample": 3}
    assert reports() == {"exports": 2, "exports/sample": 3}


def test_a_place_that_is_named_wins(folder: Path) -> None:
    assert run("--warehouse", "w.duckdb", "--out", "reports") == 0
    assert sources("w.duckdb") == {"sample": 3} and list(folder.glob("reports/*/report.html"))
    assert not Path(OWN).exists() and not Path(SAMPLE).exists() and not Path("exports").exists()


def test_one_is_refused_in_a_warehouse_of_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--warehouse", "w.duckdb") == 0 and run("--warehouse", "o.duckdb", "--reviews", "my.csv") == 0
    before = Path("w.duckdb").read_bytes(), Path("o.duckdb").read_bytes()
    capsys.readouterr()
    assert run("--warehouse", "w.duckdb", "--reviews", "my.csv") == 2
    assert "review-insights forget --source" in capsys.readouterr().err
    assert run("--warehouse", "o.duckdb") == 2
    assert "does not go beside reviews of your own (my.csv)" in capsys.readouterr().err
    assert (Path("w.duckdb").read_bytes(), Path("o.duckdb").read_bytes()) == before
    assert not list(Path().glob("*.work"))


def test_own_reviews_start_clean_after_a_former_version_ran_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--warehouse", OWN) == 0, "as a former version did"
    assert run("--reviews", "missing.csv") == 2 and Path(OWN).exists(), "a misspelt name moves nothing"
    capsys.readouterr()
    assert run("--reviews", "my.csv") == 0
    assert f"{OWN} held nothing but the bundled sample and is now {SAMPLE}" in capsys.readouterr().err
    assert sources(OWN) == {"my.csv": 2} and sources(SAMPLE) == {"sample": 3}


def test_the_sample_of_a_former_version_is_not_computed_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--warehouse", OWN) == 0
    capsys.readouterr()
    assert run() == 0
    assert " 0 rows written" in capsys.readouterr().out
    assert sources(SAMPLE) == {"sample": 3} and not Path(OWN).exists()


def test_a_warehouse_that_mixes_them_already_is_left_alone_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--reviews", "my.csv") == 0
    with duckdb.connect(OWN) as connection:
        connection.execute("UPDATE store.reviews SET source = '/old/pipeline/samples/reviews.csv' WHERE source_row = 1")
    capsys.readouterr()
    before = Path(OWN).read_bytes()
    assert run("--reviews", "my.csv") == 2
    command = f"review-insights forget --source /old/pipeline/samples/reviews.csv --warehouse {OWN};"
    assert command in capsys.readouterr().err
    assert Path(OWN).read_bytes() == before


def test_what_reads_finds_own_reviews_else_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    query = ["sql", "--format", "csv", "SELECT count(*) AS n FROM reviews"]
    assert cli.main(query) == 2 and f"no warehouse at {OWN}" in capsys.readouterr().err
    assert run() == 0 and "this is the bundled sample" in capsys.readouterr().err
    assert cli.main(query) == 0
    captured = capsys.readouterr()
    assert captured.out.split() == ["n", "3"] and f"there is no {OWN} yet; this is {SAMPLE}" in captured.err
    assert cli.main(["report"]) == 0 and capsys.readouterr().out.startswith("exports/sample/")
    assert run("--reviews", "my.csv") == 0 and "bundled" not in capsys.readouterr().err
    assert cli.main(query) == 0
    captured = capsys.readouterr()
    assert captured.out.split() == ["n", "2"] and captured.err == ""
    assert cli.main(["report", "--warehouse", SAMPLE]) == 0
    assert capsys.readouterr().out.startswith("exports/sample/"), "nor do reports share a folder"


def test_a_night_without_reviews_is_on_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nightly", "--profile", "fake.toml"]) == 0
    assert "this is the bundled sample" in capsys.readouterr().err
    assert sources(SAMPLE) == {"sample": 3} and reports() == {"exports/sample": 3}
