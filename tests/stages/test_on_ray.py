"""A stage on a small Ray cluster of this machine: the same rows as in this process, also when a worker is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pipeline.core.profile import Profile
from pipeline.core.stage import Row, run_stage
from pipeline.core.warehouse import Warehouse
from pipeline.stages.read import READ
from tests.factory import review

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray and what it imports
TEXTS = [f"The {dish} was {how}." for dish in ("soup", "fish", "bread", "tea") for how in ("cold", "fine", "salty")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    yield
    ray.shutdown()


def read_by(warehouse: Warehouse, profile: Profile, **options: object) -> list[Row]:
    warehouse.execute("DELETE FROM store.read")
    done = run_stage(replace(READ, batch_size=2), profile, warehouse, "r", Path("models"), **options)  # type: ignore[arg-type]
    assert (done.written, done.failed) == (len(TEXTS), 0)
    return warehouse.query("SELECT * FROM store.read ORDER BY review_id")


@pytest.mark.slow
def test_the_same_rows_even_when_a_worker_is_killed(warehouse: Warehouse, fake_profile: Profile, cluster: None) -> None:
    from pipeline.stages.on_ray import OnRay

    warehouse.append("store.reviews", [review(text) for text in TEXTS])
    alone = read_by(warehouse, fake_profile)

    class Killing(OnRay):
        def transformed(self, *args: object) -> Iterator[list[Row]]:  # type: ignore[override]
            for number, rows in enumerate(super().transformed(*args)):  # type: ignore[arg-type]
                if number == 0:
                    os.kill(workers()[0], signal.SIGKILL)
                yield list(rows)

    assert read_by(warehouse, fake_profile, engine=Killing(workers=2)) == alone


def workers() -> list[int]:
    found = psutil.process_iter(["cmdline"])
    return [process.pid for process in found if "MapWorker" in " ".join(process.info["cmdline"] or [])]
