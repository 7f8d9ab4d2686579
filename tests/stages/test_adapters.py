"""A warehouse is one file: without the folder of adapters beside it, the student is trained anew where it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.core.profile import Profile
from pipeline.core.stage import Context
from pipeline.core.warehouse import Warehouse
from pipeline.stages import distill, generate
from pipeline.student import sft
from tests.stages.test_distill import SUBJECTS, text_about
from tests.stages.test_distill import prepare as unhappy

PENDING: list[Any] = [{"review_id": "a", "role": "control_constant"}, {"review_id": "a", "role": "student"}]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were trained, each a training that takes no time and always gives the same."""
    folders: list[Path] = []

    def train(examples: Any, *, out: Path, continue_from: Path | None, **unused: Any) -> dict[str, Any]:
        assert continue_from is None or continue_from.is_dir()
        out.mkdir(parents=True, exist_ok=True)
        (out / "adapter_model.safetensors").write_bytes(repr(sorted(map(str, examples["train"]))).encode())
        folders.append(out)
        return {"train_loss": 1.0, "validation_loss": None, "best_step": 1, "seconds": 0.0}

    monkeypatch.setattr(sft, "train", train)
    return folders


@pytest.fixture
def context(warehouse: Warehouse, fake_profile: Profile, tmp_path: Path, trained: list[Path]) -> Context:
    """Two rounds have been trained."""
    unhappy(warehouse, [text_about(subject) for subject in SUBJECTS])
    made = Context(fake_profile, warehouse, "r", "f", tmp_path / "w.duckdb.models")
    for number in (1, 2):
        if number == 2:  # a later round has rows of its own
            key = {"fingerprint": "f", "run_id": "r", "prompt": "", "completion": "c", "target": "t", "round": 2}
            warehouse.append("store.training_set", [{**key, "review_id": "other", "split": "train"}])
        (row,) = distill.transform([{"round": number}], made)
        warehouse.append("store.distill", [{**row, "fingerprint": "f", "run_id": "r"}])
    trained.clear()
    return made


def test_what_is_whole_is_not_trained_again(context: Context, trained: list[Path]) -> None:
    assert generate.prepare(PENDING, context) == (PENDING, [])
    assert trained == []


def test_a_damaged_adapter_is_trained_anew(context: Context, trained: list[Path]) -> None:
    weights = context.models / "student-f-2" / "adapter_model.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    rows, (note,) = generate.prepare(PENDING, context)
    assert rows == PENDING and "student-f-2 is not as it was trained: it was trained anew" in note
    assert [folder.name for folder in trained] == ["student-f-2"] and weights.read_bytes() == before
    assert generate.prepare(PENDING, context) == (PENDING, [])


def test_without_the_folder_every_round_is_trained_anew_when_the_student_is_asked(
    context: Context, trained: list[Path]
) -> None:
    context.models.rename(context.models.with_name("elsewhere"))
    assert generate.prepare(PENDING[:1], context) == (PENDING[:1], []), "controls need no adapter"
    _, notes = generate.prepare(PENDING, context)
    assert [folder.name for folder in trained] == ["student-f-1", "student-f-2"]
    assert len(notes) == 2 and all("is missing: it was trained anew" in note for note in notes)


def test_a_further_round_has_the_one_before_it(context: Context, trained: list[Path]) -> None:
    (context.models / "student-f-2").rename(context.models / "lost")
    rows: list[Any] = [{"round": 3}]
    assert distill.prepare(rows, context)[1] and [folder.name for folder in trained] == ["student-f-2"]


def test_where_it_cannot_be_trained_its_texts_stay_and_others_wait(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*unused: Any, **more: Any) -> None:
        raise InputError("The base cannot be loaded.")

    (context.models / "student-f-2").rename(context.models / "lost")
    monkeypatch.setattr(sft, "train", refuse)
    rows, (note,) = generate.prepare(PENDING, context)
    assert rows == PENDING[:1] and "The base cannot be loaded." in note and "1 reviews wait for it" in note


def test_an_adapter_of_an_older_version_is_taken_as_it_is(context: Context, trained: list[Path]) -> None:
    context.warehouse.execute("UPDATE store.distill SET adapter_sha256 = NULL")
    assert generate.prepare(PENDING, context) == (PENDING, []) and trained == []
