from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.bench import measure


def a_little(path: Path) -> None:
    path.write_bytes(bytes(1000))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system tells it rightly")
def test_the_memory_of_work_is_its_own_and_not_that_of_who_asked_for_it(tmp_path: Path) -> None:
    held = bytearray(600_000_000)
    held[::4096] = b"x" * len(held[::4096])
    _, megabytes = measure.alone(a_little, tmp_path / "file")
    assert 5 < megabytes < 500
