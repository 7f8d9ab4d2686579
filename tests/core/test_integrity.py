"""The shipped models are as they were released."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core import integrity
from pipeline.core.assets import BLEURT, MODELS, READER, STUDENT
from pipeline.core.errors import InputError


def test_the_hashes_are_those_of_the_shipped_files() -> None:
    """Renew with: python -m pipeline.core.integrity"""
    listed = {line.split("  ")[1] for line in (MODELS / integrity.SUMS).read_text().splitlines()}
    assert {"reader/encoder.safetensors", "reader/heads.safetensors", "student/model.safetensors"} <= listed
    for folder in (READER, STUDENT, BLEURT):
        integrity.require_intact(folder)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models" / "a").mkdir(parents=True)
    for name in ("head.safetensors", "config.json", "figures.json"):
        (tmp_path / "models" / "a" / name).write_bytes(b"12345678")
    integrity.renew(tmp_path / "models")
    return tmp_path / "models"


def test_a_changed_missing_or_added_file_is_refused(models: Path) -> None:
    head = models / "a" / "head.safetensors"
    integrity.require_intact(models / "a", models)
    for change in (lambda: head.write_bytes(b"12345679"), head.unlink, lambda: head.write_bytes(b"")):
        change()
        integrity.require_intact.cache_clear()
        with pytest.raises(InputError, match=r"head\.safetensors is missing or damaged"):
            integrity.require_intact(models / "a", models)
    integrity.renew(models)
    (models / "a" / "more.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match=r"more\.safetensors was not released"):
        integrity.require_intact(models / "a", models)


def test_figures_and_folders_of_ones_own_are_free(models: Path, tmp_path: Path) -> None:
    (models / "a" / "figures.json").write_bytes(b"{}")
    integrity.require_intact(models / "a", models)
    integrity.require_intact(tmp_path / "mine", models)
    (models / integrity.SUMS).unlink()
    integrity.require_intact.cache_clear()
    integrity.renew_if_shipped(tmp_path / "mine", models)
    with pytest.raises(InputError, match="SHA256SUMS cannot be read"):
        integrity.require_intact(models / "a", models)
    integrity.renew_if_shipped(models / "a", models)
    integrity.require_intact(models / "a", models)
