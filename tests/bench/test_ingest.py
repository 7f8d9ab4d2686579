"""The benchmark of ingest measures what it says; how fast a machine is, is no test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bench import ingest
from pipeline.core.errors import InputError


@pytest.mark.slow
def test_both_run_on_the_same_rows() -> None:
    result = ingest.ingest(20)
    assert result["rows"] == 20 and result["ratio"] > 0
    assert result["seconds"].keys() == result["memory"].keys() == {"ingest", "read_csv and detection"}
    with pytest.raises(InputError, match="--rows"):
        ingest.ingest(0)


def test_the_file_is_the_same_every_time(tmp_path: Path) -> None:
    ingest.write_reviews(tmp_path / "a.csv", 30)
    ingest.write_reviews(tmp_path / "b.csv", 30)
    content = (tmp_path / "a.csv").read_bytes()
    assert content == (tmp_path / "b.csv").read_bytes() and len(content.splitlines()) == 31
