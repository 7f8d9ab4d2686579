"""Supervised fine-tuning of the student with TRL: LoRA, or QLoRA when the recipe quantises.

The loss is on the completion only. The stop token is learned, because the pad token is never the stop token
(`load_causal_lm`). With `padding_free` in a recipe, the texts of a batch are trained on in one row, each seeing itself alone: no
padding is computed, and the loss is the same. The best checkpoint by validation loss is kept. A folder appears under its final name only when
it is complete, so that a killed training never leaves half an adapter.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.backends.adapters import without_bitsandbytes
from pipeline.backends.transformers import load_causal_lm
from pipeline.core.errors import InputError

_MAX_LENGTH = 1024  # tokens, where a recipe names none; TRL's default
_IGNORED = -100  # label of a token that is not learned


def train(
    examples: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    model: str,
    revision: str,
    recipe: Mapping[str, Any],
    out: Path,
    continue_from: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Trains an adapter on examples["train"] (rows with `prompt` and `completion`) and writes it to the folder `out`.

    `continue_from`: an adapter's folder to start from. `progress`: called after each step with steps done and in total.
    Returns train_loss, validation_loss (None without examples["validation"]), best_step and seconds.
    Raises InputError for a recipe that TRL or PEFT does not accept.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="training-", dir=out.parent, ignore_cleanup_errors=True) as folder:
        scratch, validated = Path(folder), bool(examples["validation"])
        arguments = _arguments(recipe, scratch / "checkpoints", validated)
        lora = _lora(recipe)
        started = time.monotonic()
        network, tokenizer = _network(model, revision, recipe["quantize"], lora, arguments, continue_from)
        limit = recipe["sft"].get("max_length", _MAX_LENGTH)
        datasets = {split: _dataset(examples[split], tokenizer, limit) for split in ("train", "validation")}
        trainer = _trainer(network, tokenizer, arguments, datasets, progress)
        outcome = trainer.train()
        result = {
            "train_loss": outcome.training_loss,
            "validation_loss": trainer.state.best_metric if validated else None,
            "best_step": trainer.state.best_global_step if validated else trainer.state.global_step,
            "seconds": time.monotonic() - started,
        }
        trainer.model.save_pretrained(scratch / "adapter")
        _publish(scratch / "adapter", out)
    return result


def _publish(adapter: Path, out: Path) -> None:
    (adapter / "README.md").unlink(missing_ok=True)
    if out.exists():
        shutil.rmtree(out)  # left by a run that was killed before its row was committed
    os.replace(adapter, out)


def _configured(kind: Any, fixed: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    """A configuration object of TRL or PEFT. Raises InputError for an option that it does not know or that is fixed here."""
    try:
        return kind(**fixed, **options)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The recipe holds what TRL or PEFT does not accept: {error}. Mend it and run again."
        ) from error


def _arguments(recipe: Mapping[str, Any], checkpoints: Path, validated: bool) -> Any:
    """The SFTConfig of a recipe, which cannot change what is fixed here."""
    import torch

    with without_bitsandbytes():
        from trl import SFTConfig

    cuda = torch.cuda.is_available()
    fixed = {
        "output_dir": str(checkpoints),
        "use_cpu": not cuda,
        "bf16": cuda,
        "eval_strategy": "epoch" if validated else "no",
        "save_strategy": "epoch",
        "save_total_limit": 2,
        "load_best_model_at_end": validated,
        "metric_for_best_model": "loss" if validated else None,
        "completion_only_loss": True,
        "max_length": None,  # TRL cuts no text of a batch without padding: `_dataset` does
        "report_to": "none",
        "disable_tqdm": True,
        "logging_strategy": "no",
    }
    return _configured(SFTConfig, fixed, {key: value for key, value in recipe["sft"].items() if key != "max_length"})


def _lora(recipe: Mapping[str, Any]) -> Any:
    with without_bitsandbytes():
        from peft import LoraConfig

    return _configured(LoraConfig, {"task_type": "CAUSAL_LM"}, recipe["lora"])


def _network(
    model: str, revision: str, quantize: str, lora: Any, arguments: Any, continue_from: Path | None
) -> tuple[Any, Any]:
    """(base with an adapter to train, tokenizer); the adapter is new, or that of `continue_from`."""
    with without_bitsandbytes():
        from peft import PeftModel, get_peft_model, prepare_model_for_kbit_training
        from transformers import set_seed

    set_seed(arguments.seed)  # for the adapter's initial weights
    network, tokenizer = load_causal_lm(model, revision, quantize)
    if getattr(network, "is_loaded_in_4bit", False):
        network = prepare_model_for_kbit_training(network, arguments.activation_checkpointing)
    with without_bitsandbytes():
        if continue_from is not None:
            return PeftModel.from_pretrained(network, continue_from, is_trainable=True), tokenizer
        return get_peft_model(network, lora), tokenizer


def _trainer(
    network: Any,
    tokenizer: Any,
    arguments: Any,
    datasets: Mapping[str, Any],
    progress: Callable[[int, int], None],
) -> Any:
    with without_bitsandbytes():
        from transformers import PrinterCallback
        from trl import SFTTrainer

    trainer = SFTTrainer(
        model=network,
        args=arguments,
        train_dataset=datasets["train"],
        eval_dataset=datasets["validation"] if len(datasets["validation"]) else None,
        processing_class=tokenizer,
        callbacks=[_reporter(progress)],
    )
    trainer.remove_callback(PrinterCallback)  # stdout is for results
    return trainer


def _dataset(rows: Sequence[Mapping[str, Any]], tokenizer: Any, limit: int) -> Any:
    """Token ids and labels of at most `limit` tokens a row, without the rows of which a prompt leaves nothing to learn. A
    completion begins with a space, as the student's answer will, and ends with the stop token.
    """
    from datasets import Dataset

    encoded = []
    for row in rows:
        prompt = tokenizer(row["prompt"])["input_ids"]
        ids = [*tokenizer(f"{row['prompt']} {row['completion']}")["input_ids"], tokenizer.eos_token_id][:limit]
        differing = (place for place, (one, other) in enumerate(zip(prompt, ids, strict=False)) if one != other)
        start = next(differing, len(prompt))  # tokens may merge where the prompt ends
        if start < len(ids):
            encoded.append({"input_ids": ids, "labels": [_IGNORED] * start + ids[start:]})
    return Dataset.from_list(encoded)


def _reporter(progress: Callable[[int, int], None]) -> Any:
    from transformers import TrainerCallback

    class Report(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            progress(state.global_step, state.max_steps)

    return Report()
