"""Small shipped heads on MiniLM: a LoRA adapter and one linear layer. `pipeline.metrics.bleurt_standin` is one.

Metrics must not be judged by the encoder that reads, so they have one of their own.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.reader import minilm

if TYPE_CHECKING:
    import torch
    from torch import nn


def save(encoder: Any, head: nn.Linear, config: dict[str, Any], out: Path) -> None:
    """Writes a trained adapter and head, in bfloat16 (half the size, no measurable loss), and `config.json` to `out`."""
    import torch
    from safetensors.torch import load_file, save_file

    encoder.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)  # peft's empty template, not the model card
    adapter = out / "adapter_model.safetensors"
    settings = json.loads((out / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = minilm.HUB_ID  # not the path on the machine that trained it
    (out / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    save_file({name: value.to(torch.bfloat16) for name, value in load_file(adapter).items()}, adapter)
    state = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in head.state_dict().items()}
    save_file(state, out / "head.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


@dataclass(frozen=True)
class HeadModel:
    """MiniLM with an adapter merged in, and its head, in float32."""

    encoder: Any
    tokenizer: Any
    weight: torch.Tensor
    bias: torch.Tensor
    config: dict[str, Any]

    def logits(self, token_ids: Sequence[Sequence[int]]) -> np.ndarray:
        """float32, shape (texts, outputs), in the order of `token_ids`."""
        import torch

        values = np.zeros((len(token_ids), len(self.bias)), dtype=np.float32)
        with torch.inference_mode():
            for batch in minilm.by_tokens(token_ids):
                ids, mask = minilm.pad([token_ids[index] for index in batch], self.tokenizer.pad_token_id)
                hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                pooled = minilm.mean_pool(hidden, mask)
                values[batch] = torch.nn.functional.linear(pooled, self.weight, self.bias).numpy()
        return values


def merge_lora(network: nn.Module, folder: Path) -> None:
    """Adds the adapter in `folder` to the weights of the network it was trained on: W += (alpha / r) B A, with A of shape
    (r, in) and B of shape (out, r) (Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1).
    Equal to peft's `merge_and_unload` to the last bit, without importing peft, which imports bitsandbytes.
    """
    import torch
    from safetensors.torch import load_file

    settings = json.loads((folder / "adapter_config.json").read_text())
    adapter = load_file(folder / "adapter_model.safetensors")
    with torch.no_grad():
        for name, a in adapter.items():
            if name.endswith(".lora_A.weight"):
                b = adapter[name.replace(".lora_A.", ".lora_B.")]
                weight = network.get_parameter(name.removeprefix("base_model.model.").replace(".lora_A.", "."))
                weight.add_(b.float() @ a.float() * (settings["lora_alpha"] / settings["r"]))


@functools.cache
def load_head(folder: Path) -> HeadModel:
    """The model in `folder`, loaded once. Raises InputError if it is missing."""
    from safetensors.torch import load_file

    if not (folder / "head.safetensors").is_file():
        raise InputError(f"The shipped model {folder.name} is missing. Reinstall review-insights.")
    base, tokenizer = minilm.load()
    merge_lora(base, folder)
    head = load_file(folder / "head.safetensors")
    config = json.loads((folder / "config.json").read_text())
    return HeadModel(base.eval(), tokenizer, head["weight"].float(), head["bias"].float(), config)
