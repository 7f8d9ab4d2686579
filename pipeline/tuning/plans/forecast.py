"""How long a training may take and how much memory it wants, from the model's configuration alone, before anything is loaded.

Arithmetic of Kaplan et al. 2020 (forward 2, backward 4 operations per parameter and token; an adapter needs no gradient of the
base's weights) at what this machine was just seen to multiply, and of Korthikanti et al. 2022 for what a layer keeps for
its gradient. Half or twice as much is to be expected.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.text.script import CHARACTERS, weight
from pipeline.tuning import networks

_REACHED = 0.35  # of a plain matrix product's speed, by a whole training step
_OVERHEAD = 0.002  # seconds a layer and step on a GPU, that start kernels and compute nothing
_PROCESS = 900  # MB of Python, torch and transformers
_FULL = 16  # bytes per trained parameter: weight, gradient and Adam's two means in float32
_BASE = {"full": 0.0, "lora": 4.0, "qlora": 0.56}  # bytes per parameter that is not trained
_SIDE = 2048  # of the matrices that are multiplied


@dataclass(frozen=True)
class Machine:
    """`rate`: operations a second of a plain matrix product in the type that trainings use here."""

    rate: float
    gpu: bool
    bf16: bool


@dataclass(frozen=True)
class Shape:
    """Of a network: its parameters, those of its input embeddings among them, and the sizes of its layers."""

    parameters: int
    embeddings: int
    layers: int
    width: int
    heads: int


@dataclass(frozen=True)
class Forecast:
    """Minutes of training with its validation, and megabytes at its peak: of the GPU if there is one."""

    minutes: float
    megabytes: float


def machine() -> Machine:
    """This one, timed for some tenths of a second."""
    import torch

    from pipeline.reader.minilm import bf16_is_fast

    gpu = torch.cuda.is_available()
    bf16 = gpu or bf16_is_fast()
    device, dtype = "cuda" if gpu else "cpu", torch.bfloat16 if bf16 else torch.float32
    one = torch.randn(_SIDE, _SIDE, dtype=torch.float32).to(device, dtype)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        (one @ one)[0, 0].item()  # waits for a GPU
        seconds.append(time.perf_counter() - start)
    return Machine(2 * _SIDE**3 / min(seconds), gpu, bf16)


def shape(config: Any) -> Shape:
    """Of the classifier that this configuration describes; no memory is taken for its weights."""
    network = networks.outline(config)
    return Shape(
        parameters=sum(one.numel() for one in network.parameters()),
        embeddings=network.get_input_embeddings().weight.numel(),
        layers=config.num_hidden_layers,
        width=config.hidden_size,
        heads=config.num_attention_heads,
    )


def forecast(
    network: Shape, texts: Sequence[str], recipe: dict[str, Any], method: str, machine: Machine, validation: float = 0.1
) -> Forecast:
    """Of a training by `recipe` on these texts, of which the share `validation` is read, not learned, after each epoch."""
    batch, epochs = recipe["batch_size"], recipe["train"]["num_train_epochs"]
    lengths = [min(recipe["max_tokens"], 2 + weight(text) // CHARACTERS) for text in texts]
    random.Random(0).shuffle(lengths)
    batches = [lengths[start : start + batch] for start in range(0, len(lengths), batch)]
    tokens = sum(max(one) * len(one) for one in batches)
    computed = network.parameters - network.embeddings
    each = 6 if method == "full" else 4
    operations = epochs * tokens * computed * (each + 2 * validation)
    seconds = operations / (machine.rate * _REACHED)
    if machine.gpu:
        seconds += epochs * len(batches) * network.layers * _OVERHEAD
    return Forecast(seconds / 60, _megabytes(network, recipe, method, machine, max(lengths)))


def _megabytes(network: Shape, recipe: dict[str, Any], method: str, machine: Machine, longest: int) -> float:
    rank = (recipe["lora"] or {}).get("r", 0)
    trained = network.parameters if method == "full" else 12 * network.layers * network.width * rank
    # Embeddings are not quantised.
    held = (
        _BASE[method] * (network.parameters - network.embeddings)
        + _BASE["lora" if rank else method] * network.embeddings
    )
    kept = network.layers * recipe["batch_size"] * longest * network.width
    kept *= (34 + 5 * network.heads * longest / network.width) * (1 if machine.bf16 else 2)
    return (_FULL * trained + held + kept) / 1e6 + (0 if machine.gpu else _PROCESS)
