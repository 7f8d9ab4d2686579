from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from pipeline.tuning import memory


def take(megabytes: int) -> None:
    """From the system, and gives them back: what Python gives back may stay with the process, and be taken from there again."""
    with mmap.mmap(-1, megabytes << 20) as held:
        for page in range(0, len(held), mmap.PAGESIZE):
            held[page] = 1


@pytest.mark.skipif(not memory._CLEAR.exists(), reason="peaks are reset on Linux only")
def test_the_peak_is_of_what_was_taken_within_even_if_it_was_given_back() -> None:
    take(64)  # MB, gone before the peak is asked for
    with memory.Peak() as peak:
        take(32)
    assert peak.megabytes is not None and 24 < peak.megabytes < 48


def test_where_it_cannot_be_known_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "no folder" / "clear_refs")
    with memory.Peak() as peak:
        pass
    assert peak.megabytes is None
