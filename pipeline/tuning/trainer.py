"""Fine-tunes a classifier with transformers' Trainer; resumable after `kill -9`.

    review-insights finetune --task sentiment --model minilm --method lora --data reviews.csv --text text --label stars --labels stars
    accelerate launch --num_processes 2 --cpu -m pipeline finetune ...        (the same command on several processes)

A training has a folder named by a hash of everything that decides its result; the same command finds its checkpoints
there and resumes. The model appears under its final name only when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.backends import registry
from pipeline.backends.transformers import from_pretrained, resolve, window
from pipeline.core.assets import RECIPES
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile, model_identity
from pipeline.reader import checkpoint, minilm
from pipeline.student.recipe import read_recipe
from pipeline.tuning import networks
from pipeline.tuning.augment import VERSION as VARIANTS
from pipeline.tuning.augment import augment
from pipeline.tuning.labelled.rows import Example, Labelled, Task
from pipeline.tuning.labelled.split import class_weights, undersample
from pipeline.tuning.memory import Peak

VERSION = 1  # to be raised when the same settings would give another model
METHODS = ("full", "lora", "qlora")
_KEYS = ("quantize", "lora", "max_tokens", "batch_size", "patience", "train")
_DEFAULTS = {  # of TrainingArguments; a recipe's `train` overrides them
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "save_total_limit": 2,
    "logging_strategy": "epoch",
    "disable_tqdm": True,
    "restore_callback_states_from_checkpoint": True,
    "ddp_timeout": 7200,
    "ddp_find_unused_parameters": False,
}
_FIXED = {  # the same in every training; a recipe cannot change them
    "metric_for_best_model": "macro_f1",
    "greater_is_better": True,
    "load_best_model_at_end": True,
    "label_names": ["labels"],
}
_COMPUTED = {
    "output_dir",
    "seed",
    "data_seed",
    "report_to",
    "use_cpu",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
}


@dataclass(frozen=True)
class Settings:
    """Everything besides the data that decides the result, and where progress is logged (`report_to`). `augment`: train on
    variants of the rows too (`pipeline.tuning.augment`), `translator`: whose teacher translates some there and back.
    """

    task: Task
    model: str
    revision: str = "main"
    method: str = "full"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    fraction: float = 1.0
    validation: float = 0.1
    test: float = 0.1
    balance: Literal["none", "weights", "undersample"] = "none"
    seed: int = 0
    report_to: tuple[str, ...] = ()
    augment: bool = False
    translator: Profile | None = None

    def key(self, data: Labelled) -> str:
        """Sixteen hex digits of a hash of all that decides the result."""
        decisive = {
            name: value for name, value in vars(self).items() if name not in ("report_to", "augment", "translator")
        }
        if self.augment:
            decisive["augment"] = [VARIANTS, asdict(self.translator.feedback) if self.translator else None]
        decisive["model"] = model_identity(resolve(self.model), self.revision)
        content = json.dumps([VERSION, decisive, data.classes, data.content], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def load_recipe(name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A recipe of pipeline/recipes/classify by name, or a .yaml file; `changes` override single values.

    Keys of `changes`: those of the recipe itself or of its `train`. Raises InputError for an unusable recipe.
    """
    changes = changes or {}
    overrides = {key: value for key, value in changes.items() if key in _KEYS}
    recipe = read_recipe(name, RECIPES / "classify", _KEYS, overrides)
    if not isinstance(recipe["train"], dict):
        raise InputError(f"Recipe {name}: train must hold TrainingArguments. See pipeline/recipes/classify.")
    recipe["train"] |= {key: value for key, value in changes.items() if key not in _KEYS}
    if recipe["quantize"] != "none" and not recipe["lora"]:
        raise InputError(f"Recipe {name}: a quantised base cannot be trained in full. Give it a lora section.")
    if taken := {*_FIXED, *_COMPUTED} & set(recipe["train"]):
        raise InputError(f"Recipe {name}: {', '.join(sorted(taken))} is set by finetune itself. Leave it out of train.")
    for key in ("max_tokens", "batch_size", "patience"):
        if not isinstance(recipe[key], int) or recipe[key] < 1:
            raise InputError(f"Recipe {name}: {key} must be a whole number above 0, not {recipe[key]!r}.")
    return recipe


def recipe_name(model: str, method: str) -> str:
    """The shipped recipe for a method; encoders as small as MiniLM have their own. Raises InputError for an unknown method."""
    if method not in METHODS:
        raise InputError(f"--method {method}: choose one of {', '.join(METHODS)}.")
    special = f"minilm_{method}"
    has_special = (
        model in ("minilm", minilm.HUB_ID, checkpoint.NAME) and (RECIPES / "classify" / f"{special}.yaml").is_file()
    )
    return special if has_special else method


def processes() -> tuple[int, int]:
    """(rank of this process, number of processes) under `accelerate launch` or torchrun; else (0, 1)."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def arguments(settings: Settings, folder: Path) -> Any:
    """TrainingArguments for a training in `folder`. Raises InputError for values they do not accept."""
    import torch
    from transformers import TrainingArguments

    cuda = torch.cuda.is_available()
    world, recipe = processes()[1], settings.recipe
    if recipe["batch_size"] % world:
        raise InputError(f"A batch of {recipe['batch_size']} cannot be shared by {world} processes. Mend --batch-size.")
    fixed = _FIXED | {
        "output_dir": str(folder / "checkpoints"),
        "per_device_train_batch_size": recipe["batch_size"] // world,
        "per_device_eval_batch_size": max(recipe["batch_size"] // world, 8),
        "seed": settings.seed,
        "data_seed": settings.seed,
        "use_cpu": not cuda,
        "report_to": list(settings.report_to) or "none",
    }
    bf16 = cuda or (minilm.bf16_is_fast() and recipe["quantize"] == "none")
    try:
        return TrainingArguments(**{**_DEFAULTS, "bf16": bf16, **recipe["train"], **fixed})
    except (TypeError, ValueError, ImportError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"The recipe holds what transformers does not accept: {cause} Mend it and run again."
        ) from error


def train(
    parts: Mapping[str, Sequence[Example]],
    classes: Sequence[str],
    settings: Settings,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Trains on parts["train"], keeps the best epoch on parts["validation"], and writes `folder/model`.

    A finished training is left as it is, an interrupted one resumed. Returns the content of `folder/training.json`. With
    several processes, each must call this. Raises InputError for a model, recipe or logger that cannot be used.
    """
    from transformers import AutoConfig, DataCollatorWithPadding

    finished = folder / "training.json"
    if finished.is_file():
        return dict(json.loads(finished.read_text(encoding="utf-8")))
    args = arguments(settings, folder)
    config = from_pretrained(AutoConfig, resolve(settings.model), settings.revision)
    columns = networks.column_order(config, settings.task, classes)
    rows = list(parts["train"])
    if settings.balance == "undersample":
        rows = undersample(rows, settings.seed)
    if settings.augment:
        rows = _augmented(rows, [*parts["validation"], *parts["test"]], classes, settings, folder)
    with Peak() as peak:
        network, tokenizer = _load(settings, columns)
        column_of = [columns.index(name) for name in classes]
        limit = min(settings.recipe["max_tokens"], window(network.config))
        trainer = _trainer(
            settings,
            progress,
            model=network,
            args=args,
            train_dataset=_Encoded(rows, tokenizer, limit, settings.task, column_of),
            eval_dataset=_Encoded(parts["validation"], tokenizer, limit, settings.task, column_of),
            data_collator=DataCollatorWithPadding(tokenizer),
            processing_class=tokenizer,
            compute_loss_func=_loss(settings.task, _column_weights(rows, classes, columns, settings)),
        )
        started = time.monotonic()
        outcome = trainer.train(resume_from_checkpoint=last_checkpoint(folder))
    # Only of this process: what a resumed training took before is not counted.
    seconds = round(time.monotonic() - started, 1)
    facts = _facts(settings, classes, folder, parts, rows, network, trainer.state) | {
        "train_loss": outcome.training_loss,
        "seconds": seconds,
        "megabytes": peak.megabytes,
        "gpu_megabytes": peak.gpu_megabytes,
    }
    if settings.task == "emotions":
        facts["thresholds"] = _thresholds(trainer, classes, column_of)
    _save(trainer, network, settings, facts, folder)
    return facts


def _augmented(
    rows: Sequence[Example], apart: Sequence[Example], classes: Sequence[str], settings: Settings, folder: Path
) -> list[Example]:
    """The rows and their variants, which are kept in `folder`: a resumed training goes on with the same, also where a model
    has made some. Raises InputError if several processes would ask it.
    """
    kept = folder / "augmented.json"
    if kept.is_file():
        variants = json.loads(kept.read_text(encoding="utf-8"))
        return [*rows, *(Example(**{**row, "classes": tuple(row["classes"])}) for row in variants)]
    if settings.translator and processes()[1] > 1:
        raise InputError(
            "--translator: start finetune without accelerate; each process would have the rows translated."
        )
    translator = registry.teacher(settings.translator) if settings.translator else None
    found = augment(rows, classes, settings.seed, apart, translator)
    if processes()[0] == 0:
        folder.mkdir(parents=True, exist_ok=True)
        partial = kept.with_name(kept.name + ".partial")
        partial.write_text(json.dumps([asdict(row) for row in found[len(rows) :]], indent=1), encoding="utf-8")
        os.replace(partial, kept)
    return found


def _load(settings: Settings, columns: Sequence[str]) -> tuple[Any, Any]:
    return networks.load(
        settings.model,
        settings.revision,
        task=settings.task,
        columns=columns,
        quantize=settings.recipe["quantize"],
        lora=settings.recipe["lora"],
        seed=settings.seed,
    )


# --- The Trainer, and what it is given ---


def _trainer(settings: Settings, progress: Callable[[int, int], None], **options: Any) -> Any:
    """A Trainer with our metrics and callbacks. `options`: its further parameters."""
    from transformers import EarlyStoppingCallback, PrinterCallback, Trainer

    callbacks = [EarlyStoppingCallback(settings.recipe["patience"]), _reporter(progress)]
    try:
        trainer = Trainer(compute_metrics=_validation_figures(settings.task), callbacks=callbacks, **options)
    except (RuntimeError, ImportError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"The training could not be set up: {cause} Install what is named, or mend --report-to."
        ) from error
    trainer.remove_callback(PrinterCallback)  # stdout is for results
    return trainer


def _column_weights(
    rows: Sequence[Example], classes: Sequence[str], columns: Sequence[str], settings: Settings
) -> list[float] | None:
    """The loss weight of each column; None unless the training is balanced by weights."""
    if settings.balance != "weights":
        return None
    by_class = dict(zip(classes, class_weights(rows, len(classes), settings.task), strict=True))
    return [by_class[name] for name in columns]


class _Encoded:
    """A map-style dataset of token ids and labels, in the order of the rows."""

    def __init__(
        self, rows: Sequence[Example], tokenizer: Any, limit: int, task: Task, column_of: Sequence[int]
    ) -> None:
        texts = [row.text for row in rows]
        self.ids = tokenizer(texts, truncation=True, max_length=limit, verbose=False)["input_ids"]
        self.labels: list[Any] = []
        for row in rows:
            if task == "sentiment":
                self.labels.append(column_of[row.classes[0]])
            else:
                chosen = {column_of[index] for index in row.classes}
                self.labels.append([float(index in chosen) for index in range(len(column_of))])

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> dict[str, Any]:
        ids = self.ids[index]
        return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": self.labels[index]}


def _loss(task: Task, weights: Sequence[float] | None) -> Callable[..., Any]:
    """Cross-entropy, or binary cross-entropy per emotion: summed over the rows of the whole step and divided by their
    number, so that accumulation and several processes change nothing.
    """
    import torch
    from torch.nn import functional

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        logits = outputs["logits"].float()
        weight = None if weights is None else torch.tensor(weights, device=logits.device)
        if task == "emotions":
            total = functional.binary_cross_entropy_with_logits(
                logits, labels.float(), pos_weight=weight, reduction="sum"
            )
        else:
            each = functional.cross_entropy(logits, labels, reduction="none")
            total = (each if weight is None else each * weight[labels]).sum()
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    return loss


def _validation_figures(task: Task) -> Callable[[Any], dict[str, float]]:
    """macro_f1 and accuracy on validation; macro_f1 decides the best epoch."""

    def figures(prediction: Any) -> dict[str, float]:
        logits, truth = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
        if task == "emotions":
            chosen, right = logits > 0, truth > 0.5
        else:
            classes = np.arange(logits.shape[1])
            chosen, right = logits.argmax(1)[:, None] == classes, truth[:, None] == classes
        hits = (chosen & right).sum(0)
        f1 = 2 * hits / np.maximum(chosen.sum(0) + right.sum(0), 1)
        return {"macro_f1": float(f1.mean()), "accuracy": float((chosen == right).all(1).mean())}

    return figures


def _reporter(progress: Callable[[int, int], None]) -> Any:
    from transformers import TrainerCallback

    class Report(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            progress(state.global_step, state.max_steps)

    return Report()


def last_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint, or None. The Trainer writes its state last: a folder without it is removed."""
    checkpoints = folder / "checkpoints"
    by_step = sorted(checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
    for path in reversed(by_step):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
            return str(path)
        except (OSError, json.JSONDecodeError):
            if processes()[0] == 0:
                shutil.rmtree(path, ignore_errors=True)
    return None


# --- What is kept ---


def _facts(
    settings: Settings,
    classes: Sequence[str],
    folder: Path,
    parts: Mapping[str, Sequence[Example]],
    rows: Sequence[Example],
    network: Any,
    state: Any,
) -> dict[str, Any]:
    """What was trained, on what, and how it went. `rows`: those of parts["train"] that balancing kept."""
    parameters, trained = networks.count(network)
    return {
        "key": folder.name,
        "task": settings.task,
        "classes": list(classes),
        "base": networks.public_name(settings.model),
        "revision": settings.revision,
        "method": settings.method,
        "recipe": dict(settings.recipe),
        "balance": settings.balance,
        "fraction": settings.fraction,
        "seed": settings.seed,
        "processes": processes()[1],
        "rows": {name: len(part) for name, part in parts.items()} | {"train": len(rows)},
        "languages": _languages(rows),
        "parameters": parameters,
        "trained_parameters": trained,
        "validation_macro_f1": state.best_metric,
        "best_step": state.best_global_step,
        "steps": state.global_step,
        "history": _history(state.log_history),
    }


def _languages(rows: Sequence[Example], min_rows: int = 20) -> list[str]:
    """Languages with enough rows to have been learned."""
    counts = Counter(row.language for row in rows)
    return sorted(name for name, count in counts.items() if count >= min_rows and name != "unknown")


def _history(log: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """Per logged point: epoch with train_loss, or with validation_loss and validation_macro_f1."""
    names = {"loss": "train_loss", "eval_loss": "validation_loss", "eval_macro_f1": "validation_macro_f1"}
    return [
        {"epoch": entry["epoch"], **{names[key]: value for key, value in entry.items() if key in names}}
        for entry in log
        if any(key in entry for key in names)
    ]


def _thresholds(trainer: Any, classes: Sequence[str], column_of: Sequence[int]) -> dict[str, float]:
    """Per emotion, the threshold with the best F1 on validation; 0.5 if validation has no example of it."""
    prediction = trainer.predict(trainer.eval_dataset)
    probabilities = 1 / (1 + np.exp(-np.asarray(prediction.predictions, dtype=np.float64)))
    truth = np.asarray(prediction.label_ids) > 0.5
    return {
        name: _best_threshold(probabilities[:, column], truth[:, column]) if truth[:, column].any() else 0.5
        for name, column in zip(classes, column_of, strict=True)
    }


def _best_threshold(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """The threshold with the best F1, in steps of 0.05."""
    grid = np.arange(0.05, 0.951, 0.05)
    chosen = probabilities >= grid[:, None]
    f1 = 2 * (truth & chosen).sum(1) / np.maximum(chosen.sum(1) + truth.sum(), 1)
    return round(float(grid[int(np.argmax(f1))]), 2)


def _save(trainer: Any, network: Any, settings: Settings, facts: dict[str, Any], folder: Path) -> None:
    """Writes `folder/model` atomically, then `training.json`, which marks completion; removes the checkpoints."""
    partial = folder / "model.partial"
    trainer.save_model(str(partial))  # every process: sharded weights are gathered here
    if processes()[0] != 0:
        return
    (partial / "config.json").write_text(_config_json(network, settings, facts), encoding="utf-8")
    for name in ("training_args.bin", "README.md"):  # a pickle, and PEFT's empty template
        (partial / name).unlink(missing_ok=True)
    if (folder / "model").exists():
        shutil.rmtree(folder / "model")  # left by a process that was killed before writing training.json
    os.replace(partial, folder / "model")
    marker = folder / "training.json.partial"
    marker.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    os.replace(marker, folder / "training.json")
    if (folder / "checkpoints" / "runs").is_dir():  # where TensorBoard's events are written
        shutil.rmtree(folder / "runs", ignore_errors=True)
        os.replace(folder / "checkpoints" / "runs", folder / "runs")
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _config_json(network: Any, settings: Settings, facts: Mapping[str, Any]) -> str:
    """The network's configuration, with what the pipeline needs to know under `review_insights`."""
    ours: dict[str, Any] = {"task": settings.task, "max_tokens": settings.recipe["max_tokens"]}
    if getattr(network, "is_loaded_in_4bit", False):
        ours["quantize"] = "nf4"
    if "thresholds" in facts:
        ours["thresholds"] = facts["thresholds"]
    inner = network.get_base_model() if hasattr(network, "get_base_model") else network
    content = network.config.to_dict() | {"review_insights": ours, "architectures": [type(inner).__name__]}
    for name in ("quantization_config", "_name_or_path", "dtype"):
        content.pop(name, None)  # of the base as it was loaded here
    return json.dumps(content, indent=2, sort_keys=True, default=str) + "\n"
