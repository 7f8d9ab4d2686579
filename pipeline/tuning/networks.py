"""A base model with a classification head, ready to be trained: in full, with LoRA, or with QLoRA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.backends.transformers import from_pretrained, placement, prepare, quantization, resolve
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS, sentiment_projection
from pipeline.reader import minilm
from pipeline.tuning.labelled.rows import Task


def own_classes(config: Any, task: Task) -> list[str] | None:
    """What each column of a checkpoint's own trained head means in our classes; None when it has no such head.

    Several columns may mean one class (five stars, three classes).
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
    """Which class each column of the head shall stand for: as in the checkpoint's own head where it has just these
    classes, so that what it knows is kept, else in our order.
    """
    own = own_classes(config, task)
    return tuple(own) if own is not None and sorted(own) == sorted(classes) else tuple(classes)


def head_names(config: Any) -> list[str]:
    """The modules beside the encoder: what is new in a classifier, trained in full and never quantised."""
    import torch
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):  # shapes only, no memory
        network = AutoModelForSequenceClassification.from_config(config)
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
    """(network, tokenizer): the base with a head of these columns, its new weights drawn from `seed`.

    Raises InputError for a model that cannot be loaded, or a LoRA setting that PEFT does not know.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, set_seed

    place = resolve(model)
    config = from_pretrained(AutoConfig, place, revision)
    meant = own_classes(config, task) or []
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
    tokenizer = from_pretrained(AutoTokenizer, place, revision)
    options |= {"config": config, "use_safetensors": True, "ignore_mismatched_sizes": True}
    network = from_pretrained(AutoModelForSequenceClassification, place, revision, **options)
    prepare(network, tokenizer)
    if same_size and meant != list(columns):
        _reset_heads(network, heads)  # a head that was loaded because it fits in size means something else
    if lora is None:
        return network, tokenizer
    return _with_lora(network, lora, heads, public_name(model), revision), tokenizer


def public_name(model: str) -> str:
    """What a reader elsewhere can load: for the encoder that travels with the package its hub id."""
    return minilm.HUB_ID if model == "minilm" else model


def _reset_heads(network: Any, heads: Sequence[str]) -> None:
    """Draws their weights anew."""
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
        config.base_model_name_or_path = name  # not the folder of this machine
        config.revision = revision
    return tuned


def count(network: Any) -> tuple[int, int]:
    """(parameters, those that are trained). A 4-bit weight counts as the two values that each of its bytes holds."""
    sizes = [
        (weight.numel() * (2 if weight.dtype.itemsize == 1 and not weight.requires_grad else 1), weight.requires_grad)
        for weight in network.parameters()
    ]
    return sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained)
