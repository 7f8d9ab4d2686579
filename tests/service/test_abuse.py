from __future__ import annotations

import pytest

from tests.service import abuse


@pytest.mark.slow
def test_load_and_abuse_lose_nothing() -> None:
    assert abuse.run(400, seed=1) == (405, 405, 0)  # 100,000 by hand: docs/service.md
