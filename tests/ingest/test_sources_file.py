"""sources.toml, and how a run chooses its sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.core.errors import InputError
from pipeline.core.warehouse import open_read_only
from pipeline.ingest.sources_file import Source, load_sources


def written(folder: Path, text: str) -> Path:
    file = folder / "sources.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_sources_with_their_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    file = written(
        tmp_path,
        """
        [[source]]
        reviews = "exports/*.csv"
        map = { text = "comment", product = "" }
        business = "Café Blue"
        dates = "dmy"
        encoding = "cp1252"
        delimiter = "tab"
        scale = "0-10"
        append = true
        limit = 5
        header = false

        [[source]]
        reviews = "https://host/reviews.csv?token=${TOKEN}"

        [[source]]
        reviews = "sqlite:///shop.db?table=reviews"

        [[source]]
        reviews = "hf:Yelp/yelp_review_full:train"

        [[source]]
        reviews = "/absolute.csv"
        """,
    )
    options = {
        "mapping": {"text": "comment", "product": ""},
        "business": "Café Blue",
        "dates": "dmy",
        "encoding": "cp1252",
        "delimiter": "\t",
        "scale": "0-10",
        "append": True,
        "limit": 5,
        "header": False,
    }
    assert load_sources(file) == [
        Source(str(tmp_path / "exports/*.csv"), options),
        Source("https://host/reviews.csv?token=hunter2", {}),
        Source(f"sqlite:///{tmp_path}/shop.db?table=reviews", {}),
        Source("hf:Yelp/yelp_review_full:train", {}),
        Source("/absolute.csv", {}),
    ]


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        [[source]]
        reviews = "${UNSET_A}/${UNSET_B}.csv"
        maps = { text = "comment" }
        [[source]]
        dates = "hunter2"
        scale = "ten"
        delimiter = ";;"
        limit = 0
        map = { text = 1 }
        [defaults]
        """,
    )
    with pytest.raises(InputError) as error:
        load_sources(file)
    message = str(error.value)
    for part in (
        "source 1, reviews: not set in the environment: UNSET_A, UNSET_B",
        "source 1, maps: unknown key",
        "source 2, reviews: field required",
        "source 2, dates: input should be 'dmy' or 'mdy'",
        "source 2, scale: string should match",
        "source 2, delimiter: string should match",
        "source 2, limit: input should be greater",
        "source 2, map.text: input should be a valid string",
        "defaults: unknown key",
        "Keys: reviews, map, limit",
    ):
        assert part in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "source: field required"), ("source = []", "source: list should have at least 1"), ("[", "not valid TOML")],
)
def test_a_file_without_sources(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_sources(written(tmp_path, text))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml cannot be read: No such file.*--sources"):
        load_sources(tmp_path / "none.toml")


# --- Through the command line ---


@pytest.fixture
def folder(tmp_path: Path, fake_profile: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of reviews with columns that only their sources.toml knows, and the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("x,y\nThe soup was cold.,1\n")
    (tmp_path / "b.csv").write_text("y;x\nA lovely place. With, commas.;5\n")
    written(
        tmp_path,
        """
        [[source]]
        reviews = "a.csv"
        map = { text = "x", stars = "y" }
        [[source]]
        reviews = "b.csv"
        map = { text = "y", stars = "x" }
        delimiter = ";"
        """,
    )
    return tmp_path


def run(*arguments: str) -> int:
    options = ["--warehouse", "w.duckdb", "--profile", "fake.toml", "--until", "ingest", "--no-report", "--json"]
    return cli.main(["run", *options, *arguments])


def stars() -> dict[str, float]:
    warehouse = open_read_only(Path("w.duckdb"))
    rows = warehouse.query("SELECT text, stars FROM reviews")
    warehouse.close()
    return {row["text"]: row["stars"] for row in rows}


@pytest.mark.parametrize("arguments", [(), ("--sources", "sources.toml")])
def test_each_source_is_read_its_own_way(
    folder: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 0
    assert stars() == {"The soup was cold.": 1, "A lovely place. With, commas.": 5}
    assert json.loads(capsys.readouterr().out)


def test_reviews_on_the_command_line_come_first(folder: Path) -> None:
    assert run("--reviews", "a.csv", "--map", "text=x") == 0
    assert list(stars()) == ["The soup was cold."]


def test_no_two_ways_to_name_sources_or_to_read_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--reviews", "a.csv", "--sources", "sources.toml") == 2
    assert "not both" in capsys.readouterr().err
    with (folder / "sources.toml").open("a") as file:
        file.write('[[source]]\nreviews = "*.csv"\n')
    assert run() == 2
    assert "More than one [[source]] names a.csv, b.csv" in capsys.readouterr().err
    assert not Path("w.duckdb").exists()
