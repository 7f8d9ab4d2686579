from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.tuning import memory


@pytest.mark.skipif(not memory._CLEAR.exists(), reason="peaks are reset on Linux only")
def test_the_peak_is_of_what_was_taken_within_even_if_it_was_given_back() -> None:
    taken = np.ones(8 << 20)  # 64 MB, gone before the peak is asked for
    del taken
    with memory.Peak() as peak:
        held = np.ones(4 << 20)
        del held
    assert peak.megabytes is not None and 24 < peak.megabytes < 48


def test_where_it_cannot_be_known_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "no folder" / "clear_refs")
    with memory.Peak() as peak:
        pass
    assert peak.megabytes is None
