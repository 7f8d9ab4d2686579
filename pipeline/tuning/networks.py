"""A base model with a classification head, ready to be trained: in full, with LoRA, or with QLoRA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.backends.transformers import from_pretrained, placement, prepare, quantization, resolve
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS, sentiment_projection
from pipeline.reader import minilm
from pipeline.tuning.labelled.rows import Task


def head_classes(config: Any, task: Task) -> list[str] | None:
    """The class of ours that each column of a checkpoint's trained head stands for; None if it has no head for the task.

    Several columns may stand for one class (five stars, three classes).
    """
    if not any("ForSequenceClassification" in name for name in config.architectures or ()):
        return None
    names = [str(config.id2label[index]) for index in range(len(config.id2label))]
    if task == "emotions":
        lowered = [name.strip().lower() for name in names]
        return lowered if set(lowered) == set(EMOTIONS) else None
    try:
        matrix = sentiment_projection(names, {}, "")
    except InputError:
        return None
    return [SENTIMENTS[int(row.argmax())] for row in matrix]


def column_order(config: Any, task: Task, classes: Sequence[str]) -> tuple[str, ...]:
    """The class that each column of the head is to stand for: in the order of the checkpoint's head if that has exactly
    these classes, so that its training is not lost, else in ours.
    """
    trained = head_classes(config, task)
    return tuple(trained) if trained is not None and sorted(trained) == sorted(classes) else tuple(classes)


def outline(config: Any) -> Any:
    """The classifier that a configuration describes: shapes only, no memory."""
    import torch
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(config)


def head_names(config: Any) -> list[str]:
    """Names of the modules beside the encoder: those that are trained in full and never quantised."""
    network = outline(config)
    return [
        name
        for name, child in network.named_children()
        if name != network.base_model_prefix and any(True for _ in child.parameters())
    ]


def load(
    model: str,
    revision: str,
    *,
    task: Task,
    columns: Sequence[str],
    quantize: str,
    lora: Mapping[str, Any] | None,
    seed: int,
) -> tuple[Any, Any]:
    """(network, tokenizer): the base with a head of these `columns`, new weights drawn from `seed`, and a LoRA adapter if
    the recipe has one (`lora`: PEFT's LoraConfig).

    Raises InputError for a model that cannot be loaded, or a LoRA setting that PEFT does not accept.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, set_seed

    path = resolve(model)
    config = from_pretrained(AutoConfig, path, revision)
    pretrained = head_classes(config, task) or []
    same_size = len(config.id2label) == len(columns)
    config.num_labels = len(columns)
    config.id2label = dict(enumerate(columns))
    config.label2id = {name: index for index, name in enumerate(columns)}
    config.problem_type = "multi_label_classification" if task == "emotions" else "single_label_classification"
    config.review_insights = None
    heads = head_names(config)
    options = quantization(quantize, keep=heads)
    if "quantization_config" in options:
        options |= placement()
    set_seed(seed)
    tokenizer = from_pretrained(AutoTokenizer, path, revision)
    options |= {"config": config, "use_safetensors": True, "ignore_mismatched_sizes": True}
    network = from_pretrained(AutoModelForSequenceClassification, path, revision, **options)
    prepare(network, tokenizer)
    if same_size and pretrained != list(columns):
        _reset_heads(network, heads)  # a pretrained head was loaded because its size fits, but means something else
    if lora is None:
        return network, tokenizer
    return _with_lora(network, lora, heads, public_name(model), revision), tokenizer


def public_name(model: str) -> str:
    """The name under which a model can be loaded elsewhere: its hub id for the encoder that ships with the package."""
    return minilm.HUB_ID if model == "minilm" else model  # `reader` is found wherever this package is


def _reset_heads(network: Any, heads: Sequence[str]) -> None:
    """Draws the weights of these modules anew."""
    for name in heads:
        for module in getattr(network, name).modules():
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()


def _with_lora(network: Any, lora: Mapping[str, Any], heads: list[str], name: str, revision: str) -> Any:
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers.pytorch_utils import Conv1D

    conv = any(isinstance(module, Conv1D) for module in network.modules())  # GPT-2 stores its weights transposed
    try:
        adapter = LoraConfig(task_type="SEQ_CLS", modules_to_save=heads, fan_in_fan_out=conv, **lora)
        if getattr(network, "is_loaded_in_4bit", False):
            network = prepare_model_for_kbit_training(network, use_gradient_checkpointing=False)
        tuned = get_peft_model(network, adapter)
    except (TypeError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"The recipe's lora section is not what PEFT accepts: {cause} Mend it and run again."
        ) from error
    for config in tuned.peft_config.values():
        config.base_model_name_or_path = name  # not a local folder
        config.revision = revision
    return tuned


def count(network: Any) -> tuple[int, int]:
    """(parameters, trained parameters). A byte of a 4-bit weight counts as the two parameters it holds."""
    sizes = [
        (weight.numel() * (2 if weight.dtype.itemsize == 1 and not weight.requires_grad else 1), weight.requires_grad)
        for weight in network.parameters()
    ]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)
