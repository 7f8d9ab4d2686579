"""The embedded default: small shipped models that run on a CPU, without a download.

Each is MiniLM with its own LoRA adapter and one linear head; for figures and limits see the model cards under
`pipeline/models/`. `SentimentHead` predicts stars, `EmotionsHead` the 28 GoEmotions labels, `AspectHead` the sentiment
towards one aspect of a sentence; `pipeline.metrics.bleurt_standin` imitates BLEURT-base-128 in the same way. Trained by
`pipeline.training.{sentiment,emotions,aspects,bleurt}`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.core.assets import MODELS
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS, SENTIMENTS
from pipeline.reader import minilm
from pipeline.text.sentences import sentence_spans

if TYPE_CHECKING:
    import torch
    from torch import nn

SENTIMENT = MODELS / "sentiment"
EMOTION = MODELS / "emotions"
ASPECTS = MODELS / "aspects"
_COMMENT_TOKENS = 40  # 99 % of the comments that the emotions model was trained on are shorter
# For `AspectHead.mix`: the weight of the clause's sentiment, and a factor for neutral, since MAMS has twice as many neutral
# aspects as other files. See models/aspects/README.md.
CLAUSE_WEIGHT, NEUTRAL = 0.4, 2 / 3


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
                pooled = minilm.pool(hidden, [token_ids[i] for i in batch], mask, self.config.get("pool", "all"))
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


def by_class(stars: torch.Tensor) -> torch.Tensor:
    """Log-probabilities of negative, neutral, positive from those of one to five stars: (n, 5) -> (n, 3)."""
    import torch

    return torch.stack([stars[:, :2].logsumexp(1), stars[:, 2], stars[:, 3:].logsumexp(1)], dim=1)


class SentimentHead:
    """Sentiment of English texts, from predicted stars."""

    model = "minilm-lora-sentiment"
    labels: tuple[str, ...] = SENTIMENTS

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, 3)."""
        import torch

        model = load_head(SENTIMENT)
        logits = torch.from_numpy(model.logits(minilm.tokenize(model.tokenizer, list(texts))))
        stars = torch.log_softmax(logits / model.config["temperature"], dim=1)
        # Training saw all classes equally often; the bias, chosen on dev, restores their frequencies in real files.
        values: np.ndarray = torch.softmax(by_class(stars) + torch.tensor(model.config["bias"]), dim=1).numpy()
        return values


class EmotionsHead:
    """The 28 GoEmotions labels of English texts."""

    model = "minilm-lora-emotions"
    labels: tuple[str, ...] = EMOTIONS

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, 28). Trained on comments of a line or two, the model calls nearly every long review
        neutral. So a longer text is read sentence by sentence: it gets each emotion's highest probability among its
        sentences, and the lowest one of neutral.
        """
        model = load_head(EMOTION)
        token_ids = minilm.tokenize(model.tokenizer, list(texts), _COMMENT_TOKENS + 1)
        split = [
            [text[start:end] for start, end in sentence_spans(text)] if len(ids) > _COMMENT_TOKENS else []
            for text, ids in zip(texts, token_ids, strict=True)
        ]
        sentences = [sentence for group in split for sentence in group]
        by_sentence = _sigmoid(model.logits(minilm.tokenize(model.tokenizer, sentences))) if sentences else None
        short = [row for row, group in enumerate(split) if not group]
        values = np.zeros((len(texts), len(EMOTIONS)), dtype=np.float32)
        values[short] = _sigmoid(model.logits([token_ids[row] for row in short]))
        start, neutral = 0, EMOTIONS.index("neutral")
        for row, group in enumerate(split):
            if group and by_sentence is not None:
                of_text = by_sentence[start : start + len(group)]
                values[row] = of_text.max(axis=0)
                values[row, neutral] = of_text[:, neutral].min()
                start += len(group)
        return values


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


class AspectHead:
    """Sentiment towards one aspect that an English sentence mentions."""

    model = "minilm-lora-aspects"

    def probabilities(self, sentences: Sequence[str], terms: Sequence[str]) -> np.ndarray:
        """Of SENTIMENTS: float32, shape (sentences, 3). `terms`: each sentence's aspect, as worded in it."""
        model = load_head(ASPECTS)
        logits = model.logits(tokenize_aspects(model.tokenizer, sentences, terms))
        values = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: np.ndarray = values / values.sum(axis=1, keepdims=True)
        return probabilities

    @staticmethod
    def mix(aspects: np.ndarray, clauses: np.ndarray) -> np.ndarray:
        """Weighted geometric mean of the probabilities of aspects and of the clauses around them: (n, 3), (n, 3) -> (n, 3).

        The aspect model separates what one sentence praises and blames, but was trained on restaurants; the sentence
        model does not, but knows many trades.
        """
        logs = (1 - CLAUSE_WEIGHT) * np.log(aspects + 1e-6) + CLAUSE_WEIGHT * np.log(clauses + 1e-6)
        values = np.exp(logs) * np.array([1, NEUTRAL, 1])
        probabilities: np.ndarray = values / values.sum(axis=1, keepdims=True)
        return probabilities


def emotion_thresholds() -> dict[str, float]:
    """{label: threshold}, chosen on the dev split for the best F1."""
    thresholds: dict[str, float] = json.loads((EMOTION / "config.json").read_text())["thresholds"]
    return thresholds


def tokenize_aspects(tokenizer: Any, sentences: Sequence[str], aspects: Sequence[str]) -> list[list[int]]:
    """Token ids of [CLS] sentence [SEP] aspect [SEP]. A long sentence keeps its head and tail, an aspect its first 16 tokens."""
    # Truncated here: in the tokenizer, truncation is a setting that another thread could change meanwhile.
    aspect_ids = [ids if len(ids) <= 18 else ids[:17] + ids[-1:] for ids in minilm.tokenize(tokenizer, aspects)]
    sentence_ids = minilm.tokenize(tokenizer, sentences, minilm.MAX_TOKENS // 2)
    return [sentence + aspect[1:] for sentence, aspect in zip(sentence_ids, aspect_ids, strict=True)]
