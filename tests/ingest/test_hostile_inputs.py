"""A hundred hostile files: none of their records is lost. `make chaos` tries ten thousand."""

from __future__ import annotations

import pytest

from tests.ingest.hostile_inputs import hostile, survey


@pytest.mark.slow
def test_no_record_of_a_hostile_file_is_lost() -> None:
    assert survey(60) == (60, 60, 0)


def test_a_seed_makes_the_same_file_again() -> None:
    assert [hostile(seed) for seed in range(20)] == [hostile(seed) for seed in range(20)]
