from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError
from pipeline.core.warehouse import Warehouse, open_read_only, open_work, publish, work_path
from pipeline.ingest.sample import is_sample, refuse_mixture, set_aside

FORMER = "/opt/old/lib/python3.11/site-packages/pipeline/samples/reviews.csv"


def hold(warehouse: Warehouse, *sources: str) -> None:
    for source in sources:
        rejected = {"reject_id": source, "source": source, "reason": "empty text", "run_id": ""}
        warehouse.append("rejects", [rejected])


def published(path: Path, *sources: str) -> Path:
    warehouse = open_work(path)
    hold(warehouse, *sources)
    return publish(warehouse)


def held(path: Path) -> list[str]:
    warehouse = open_read_only(path)
    sources = [row["source"] for row in warehouse.query("SELECT source FROM rejects ORDER BY source")]
    warehouse.close()
    return sources


@pytest.mark.parametrize(
    "source", [str(SAMPLE), FORMER, "pipeline/samples/reviews.csv", "../pipeline/samples/reviews.csv"]
)
def test_the_sample_is_known_however_its_path_is_spelled(source: str) -> None:
    assert is_sample(source)


@pytest.mark.parametrize("source", ["reviews.csv", "samples/reviews.csv", "inbox/reviews.csv", "hf:some/reviews.csv"])
def test_other_files_of_its_name_are_ones_own(source: str) -> None:
    assert not is_sample(source)


@pytest.mark.parametrize(
    ("before", "sources"),
    [([], [str(SAMPLE)]), ([FORMER], [str(SAMPLE)]), (["a.csv"], ["b.csv"]), ([], ["a.csv", "b.csv"]), ([], [])],
)
def test_what_does_not_mix_is_let_through(warehouse: Warehouse, before: list[str], sources: list[str]) -> None:
    hold(warehouse, *before)
    refuse_mixture(warehouse, sources)


@pytest.mark.parametrize(
    ("before", "sources"),
    [([FORMER], ["my shop.csv"]), ([FORMER, "my shop.csv"], ["my shop.csv"]), ([FORMER, "a.csv"], [str(SAMPLE)])],
)
def test_a_warehouse_that_holds_the_sample_is_cleaned_by_the_command_in_the_error(
    warehouse: Warehouse, before: list[str], sources: list[str]
) -> None:
    hold(warehouse, *before)
    warehouse.path = Path("my insights.duckdb")
    with pytest.raises(InputError) as error:
        refuse_mixture(warehouse, sources)
    assert f"review-insights forget --source {FORMER} --warehouse 'my insights.duckdb';" in str(error.value)


@pytest.mark.parametrize(("before", "sources"), [(["my.csv"], [str(SAMPLE)]), ([], [str(SAMPLE), "my.csv"])])
def test_the_sample_is_refused_beside_other_reviews(
    warehouse: Warehouse, before: list[str], sources: list[str]
) -> None:
    hold(warehouse, *before)
    with pytest.raises(InputError, match=r"beside reviews of your own \(my.csv\)") as error:
        refuse_mixture(warehouse, sources)
    assert "forget" not in str(error.value), "nothing of one's own is to be thrown away"


def test_a_warehouse_of_the_sample_alone_is_set_aside_with_what_belongs_to_it(tmp_path: Path) -> None:
    path = published(tmp_path / "insights.duckdb", FORMER)
    model = tmp_path / "insights.duckdb.models" / "adapter" / "model.bin"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    open_work(path).close()
    assert set_aside(path, "sample.duckdb") == tmp_path / "sample.duckdb"
    assert held(tmp_path / "sample.duckdb") == [FORMER] and work_path(tmp_path / "sample.duckdb").exists()
    assert not path.exists() and not work_path(path).exists()
    assert (tmp_path / "sample.duckdb.models" / "adapter" / "model.bin").read_bytes() == b"weights"
    assert model.exists(), "a profile may name it"


def test_no_other_warehouse_is_overwritten(tmp_path: Path) -> None:
    published(tmp_path / "sample.duckdb", str(SAMPLE))
    open_work(tmp_path / "sample-2.duckdb").close()  # a run that was killed
    path = published(tmp_path / "insights.duckdb", FORMER)
    assert set_aside(path, "sample.duckdb") == tmp_path / "sample-3.duckdb"
    assert held(tmp_path / "sample.duckdb") == [str(SAMPLE)] and held(tmp_path / "sample-3.duckdb") == [FORMER]


def test_an_unfinished_run_counts_as_what_the_warehouse_holds(tmp_path: Path) -> None:
    path = published(tmp_path / "insights.duckdb", FORMER)
    killed = open_work(path)
    hold(killed, "my.csv")
    killed.close()
    assert set_aside(path, "sample.duckdb") is None and path.exists()


@pytest.mark.parametrize("sources", [[], ["my.csv"], ["my.csv", FORMER]])
def test_a_warehouse_with_anything_else_stays(tmp_path: Path, sources: list[str]) -> None:
    path = published(tmp_path / "insights.duckdb", *sources)
    assert set_aside(path, "sample.duckdb") is None
    assert [file.name for file in tmp_path.iterdir()] == ["insights.duckdb"]


def test_without_a_warehouse_there_is_nothing_to_move(tmp_path: Path) -> None:
    assert set_aside(tmp_path / "insights.duckdb", "sample.duckdb") is None
