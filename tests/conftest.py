"""Fixtures that many tests share: an in-memory warehouse, the fake profile, tiny checkpoints, and the shared data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.core import profile
from pipeline.core.warehouse import Warehouse, open_memory
from tests import checkpoints

# The same examples on every run and machine, and no clock: a slow machine is no defect.
settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout. It is not part of the project: tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real data, which is not part of the project")
    return folder


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    opened = open_memory()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> checkpoints.Checkpoints:
    """Random checkpoints of the real architectures, built when a test first asks for one."""
    return checkpoints.Checkpoints(tmp_path_factory.mktemp("checkpoints"))


@pytest.fixture
def fake_profile(tmp_path: Path) -> profile.Profile:
    """Instant classifiers and teacher."""
    file = tmp_path / "fake.toml"
    file.write_text(
        'extends = "embedded"\n[reader]\nbackend = "fake"\n[sentiment]\nbackend = "fake"\nlanguages = ["en"]\n[emotions]\nbackend = "fake"\n[feedback]\nbackend = "fake"\n'
    )
    return profile.load(str(file))
