from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pipeline.backends.base import Request
from pipeline.backends.transformers import TransformersGenerator, load_causal_lm
from pipeline.core.errors import InputError
from pipeline.student.recipe import load_recipe
from pipeline.student.sft import _dataset, train
from tests.checkpoints import Checkpoints

ANSWER = "1. Apologize. 2. Train the staff."


def recipe(**changes: Any) -> dict[str, Any]:
    base = load_recipe("embedded")
    return base | {"sft": base["sft"] | {"num_train_epochs": 1, "gradient_accumulation_steps": 2} | changes}


def examples(count: int = 8, validation: int = 2) -> dict[str, list[dict[str, str]]]:
    rows = [{"prompt": f"Review {n}: cold soup. Feedback:", "completion": ANSWER} for n in range(count + validation)]
    return {"train": rows[:count], "validation": rows[count:], "test": []}


@pytest.mark.slow
def test_it_learns_the_answer_and_to_stop(
    tiny: Checkpoints, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    longer = recipe(num_train_epochs=15, learning_rate=1e-2)
    result = train(examples(32, 4), model=tiny.phi, revision="main", out=tmp_path / "adapter", recipe=longer)
    assert capsys.readouterr().out == "", "stdout is for results"
    assert result["validation_loss"] < 0.5 and result["best_step"] > 1
    options: dict[str, Any] = {"quantize": "none", "max_new_tokens": 60}
    tuned = TransformersGenerator(tiny.phi, "main", adapter=tmp_path / "adapter", **options)
    (written,) = tuned.write([Request("Review 77: cold soup. Feedback:", {})])
    assert written.text == ANSWER
    assert not written.truncated, "the stop token was learned"


def test_only_the_adapter_is_written_and_its_folder_is_whole(tiny: Checkpoints, tmp_path: Path) -> None:
    train(examples(), model=tiny.phi, revision="main", recipe=recipe(), out=tmp_path / "adapter")
    assert sorted(file.name for file in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["adapter"], "no scratch is left"
    assert all("lora" in name for name in load_file(tmp_path / "adapter" / "adapter_model.safetensors"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_adapter_and_another_seed_another(tiny: Checkpoints, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> torch.Tensor:
        train(examples(), model=tiny.phi, revision="main", recipe=recipe(seed=seed), out=tmp_path / name)
        state = load_file(tmp_path / name / "adapter_model.safetensors")
        return torch.cat([state[key].flatten() for key in sorted(state)])

    one, same, other = weights("a", 0), weights("b", 0), weights("c", 1)
    assert torch.dist(one, same) < 1e-3 * torch.dist(one, other)  # bits may differ: threads add up in any order


@pytest.mark.slow
def test_a_further_round_starts_from_the_adapter_before(tiny: Checkpoints, tmp_path: Path) -> None:
    first = train(
        examples(32),
        model=tiny.phi,
        revision="main",
        recipe=recipe(num_train_epochs=10, learning_rate=1e-2),
        out=tmp_path / "1",
    )
    second = train(
        examples(32), model=tiny.phi, revision="main", recipe=recipe(), out=tmp_path / "2", continue_from=tmp_path / "1"
    )
    assert second["train_loss"] < first["train_loss"]
    assert second["validation_loss"] <= first["validation_loss"] * 1.1


def test_no_validation_rows_is_possible(tiny: Checkpoints, tmp_path: Path) -> None:
    result = train(examples(8, 0), model=tiny.phi, revision="main", recipe=recipe(), out=tmp_path / "adapter")
    assert result["validation_loss"] is None and result["train_loss"] > 0


def test_qlora_on_nf4_weights(tiny: Checkpoints, tmp_path: Path) -> None:
    result = train(
        examples(), model=tiny.phi, revision="main", recipe=recipe() | {"quantize": "nf4"}, out=tmp_path / "a"
    )
    assert result["train_loss"] > 0
    TransformersGenerator(tiny.phi, "main", quantize="nf4", adapter=tmp_path / "a", max_new_tokens=2)


@pytest.mark.parametrize("broken", [{"sft": {"no_such_option": 1}}, {"lora": {"no_such_option": 1}}])
def test_an_option_that_trl_or_peft_does_not_know(tiny: Checkpoints, tmp_path: Path, broken: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no_such_option"):
        train(examples(), model=tiny.phi, revision="main", recipe=recipe() | broken, out=tmp_path / "adapter")
    assert not list(tmp_path.iterdir())


def mixed(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"Review {n}: {'soup ' * (n % 7)}", "completion": ANSWER * (1 + n % 3)} for n in range(count)]


def test_without_padding_the_losses_are_the_same(tiny: Checkpoints, tmp_path: Path) -> None:
    """No text sees another one of its row, and each step has the same texts."""
    rows = {"train": mixed(16), "validation": mixed(5), "test": []}
    padded = {"padding_free": False, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 1}
    losses = []
    for name, changes in (("free", {"gradient_accumulation_steps": 2}), ("padded", padded)):
        out = train(rows, model=tiny.phi, revision="main", recipe=recipe(**changes), out=tmp_path / name)
        losses.append((out["train_loss"], out["validation_loss"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_long_texts_are_cut_and_prompts_without_room_left_out(tiny: Checkpoints) -> None:
    tokenizer = load_causal_lm(tiny.phi, "main", "none")[1]
    rows = [*examples(1, 0)["train"], {"prompt": "soup " * 50, "completion": ANSWER}]
    prompt = tokenizer(rows[0]["prompt"])["input_ids"]
    (whole, other), (cut,) = _dataset(rows, tokenizer, 400), _dataset(rows, tokenizer, len(prompt) + 3)
    assert whole["labels"][: len(prompt)] == [-100] * len(prompt) and whole["input_ids"][-1] == tokenizer.eos_token_id
    assert tokenizer.decode(whole["labels"][len(prompt) : -1]) == f" {ANSWER}"
    assert cut["input_ids"] == whole["input_ids"][: len(prompt) + 3] and other["labels"][0] == -100
