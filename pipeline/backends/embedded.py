"""The embedded default: small models that travel with the package, on a CPU, without a download.

`sentiment()` and `emotions()` share one encoder pass over MiniLM with one LoRA adapter, trained by
`pipeline.training.embedded_classifier`; figures and limits stand in `pipeline/models/classifier/README.md`.
`BleurtStandIn` is a cross-encoder on the same MiniLM, trained by `pipeline.training.embedded_bleurt`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.assets import MODELS
from pipeline.backends import minilm
from pipeline.errors import InputError
from pipeline.labels import EMOTIONS, SENTIMENTS

if TYPE_CHECKING:
    from torch import nn

CLASSIFIER = MODELS / "classifier"
BLEURT = MODELS / "bleurt"
STUDENT = MODELS / "student"
_SIDE = 110  # tokens that the BLEURT stand-in reads of each text
_REMEMBERED = 200_000  # texts whose 31 numbers are kept between the sentiment and the emotions stage: 25 MB


def save(encoder: Any, heads: nn.Module, config: dict[str, Any], out: Path) -> None:
    """Writes adapter and heads in bfloat16 (half the size, no measurable loss) and `config.json`."""
    import torch
    from safetensors.torch import load_file, save_file

    encoder.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)  # peft's empty template; ours is the model card
    adapter = out / "adapter_model.safetensors"
    settings = json.loads((out / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = minilm.HUB_ID  # not the folder of the machine that trained it
    (out / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    save_file({name: value.to(torch.bfloat16) for name, value in load_file(adapter).items()}, adapter)
    state = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in heads.state_dict().items()}
    save_file(state, out / "heads.safetensors")
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def _load(folder: Path) -> tuple[Any, Any, dict[str, Any], dict[str, Any]]:
    """(encoder with the adapter merged in, tokenizer, heads' tensors in float32, config)."""
    from peft import PeftModel
    from safetensors.torch import load_file

    if not (folder / "heads.safetensors").is_file():
        raise InputError(f"The shipped model {folder.name} is missing. Reinstall review-insights.")
    base, tokenizer = minilm.load()
    encoder = PeftModel.from_pretrained(base, folder).merge_and_unload().eval()
    heads = {name: value.float() for name, value in load_file(folder / "heads.safetensors").items()}
    return encoder, tokenizer, heads, json.loads((folder / "config.json").read_text())


class _SharedEncoder:
    """Logits of both heads per text: columns 0-27 emotions, 28-30 sentiment."""

    def __init__(self) -> None:
        import torch

        self.encoder, self.tokenizer, heads, self.config = _load(CLASSIFIER)
        self.weight = torch.cat([heads["emotions.weight"], heads["sentiment.weight"]])
        self.bias = torch.cat([heads["emotions.bias"], heads["sentiment.bias"]])
        self._known: dict[bytes, np.ndarray] = {}

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        import torch

        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if len(self._known) + len(fresh) > _REMEMBERED:
            self._known.clear()
            fresh = dict(zip(keys, texts, strict=True))
        token_ids = minilm.tokenize(self.tokenizer, list(fresh.values())) if fresh else []
        names = list(fresh)
        with torch.inference_mode():
            for batch in minilm.by_length(token_ids, 32):
                ids, mask = minilm.pad([token_ids[index] for index in batch], self.tokenizer.pad_token_id)
                hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
                values = torch.nn.functional.linear(minilm.mean_pool(hidden, mask), self.weight, self.bias).numpy()
                for index, row in zip(batch, values, strict=True):
                    self._known[names[index]] = row
        return np.stack([self._known[key] for key in keys]) if keys else np.zeros((0, 31), dtype=np.float32)


_shared = functools.cache(_SharedEncoder)


class SentimentHead:
    model = "minilm-lora-sentiment"
    labels: tuple[str, ...] = SENTIMENTS

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        shared = _shared()
        # Training saw all classes equally often; the bias, chosen on dev, brings back how often they come in real files.
        logits = shared.logits(texts)[:, len(EMOTIONS) :] + np.array(shared.config["sentiment_bias"])
        exponent = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)


class EmotionsHead:
    model = "minilm-lora-emotions"
    labels: tuple[str, ...] = EMOTIONS

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        return (1 / (1 + np.exp(-_shared().logits(texts)[:, : len(EMOTIONS)]))).astype(np.float32)


def emotion_thresholds() -> dict[str, float]:
    """Per label, chosen on the dev split for the best F1."""
    thresholds: dict[str, float] = json.loads((CLASSIFIER / "config.json").read_text())["thresholds"]
    return thresholds


def tokenize_pairs(tokenizer: Any, candidates: Sequence[str], references: Sequence[str]) -> list[list[int]]:
    """[CLS] reference [SEP] candidate [SEP], each side cut to _SIDE tokens, as BLEURT-base-128 also sees openings only."""
    sides = [
        tokenizer(list(side), truncation=True, max_length=_SIDE + 2, verbose=False)["input_ids"]
        for side in (references, candidates)
    ]
    return [reference + candidate[1:] for reference, candidate in zip(*sides, strict=True)]


@functools.cache
def _bleurt_parts() -> tuple[Any, Any, dict[str, Any]]:
    return _load(BLEURT)[:3]


class BleurtStandIn:
    """Predicts BLEURT-base-128 from reference and candidate. A stand-in: compare its values only with themselves."""

    model = "stand-in: MiniLM trained on BLEURT-base-128"
    settings = f"{_SIDE} tokens of each text"

    def truncated(self, candidates: Sequence[str], references: Sequence[str]) -> list[bool]:
        """Which pairs have a text whose end is not read."""
        sides = [
            _bleurt_parts()[1](list(side), add_special_tokens=False, verbose=False)["input_ids"]
            for side in (candidates, references)
        ]
        return [max(len(candidate), len(reference)) > _SIDE for candidate, reference in zip(*sides, strict=True)]

    def score(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        import torch

        encoder, tokenizer, heads = _bleurt_parts()
        token_ids = tokenize_pairs(tokenizer, candidates, references)
        values = np.zeros(len(token_ids), dtype=np.float32)
        with torch.inference_mode():
            for batch in minilm.by_length(token_ids, 32):
                ids, mask = minilm.pad([token_ids[index] for index in batch], tokenizer.pad_token_id)
                pooled = minilm.mean_pool(encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask)
                values[batch] = torch.nn.functional.linear(pooled, heads["weight"], heads["bias"])[:, 0].numpy()
        return [float(value) for value in values]
