"""BLEURT for the published PyTorch checkpoints, on transformers' own BERT and RemBERT.

Sources: Sellam et al. 2020, "BLEURT: Learning Robust Metrics for Text Generation"; Pu et al. 2021, "Learning Compact
Metrics for MT" (BLEURT-20). Checkpoints: https://huggingface.co/lucadiliello, made with bleurt-pytorch, which does
not import under transformers 5. Two layouts:

- BERT (`bleurt-tiny|base|large-128|512`): WordPiece, 128 or 512 tokens for both texts together.
- RemBERT (`BLEURT-20`, `-D12`, `-D6`, `-D3`): SentencePiece, factorised embeddings, 512 tokens.

The input is `[CLS] reference [SEP] candidate [SEP]`; the score is a linear regression over the pooled `[CLS]`.
Special tokens spelled out in a text are read as plain text, so that a candidate cannot fake its own end.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.assets import BLEURT
from pipeline.core.errors import InputError
from pipeline.core.profile import Profile, model_identity
from pipeline.core.warehouse import Warehouse
from pipeline.metrics import bleurt_standin, check_pairs, hub
from pipeline.metrics.scorer import Candidate, Columns, Scorer, score_pairs
from pipeline.reader import minilm

if TYPE_CHECKING:
    import torch

DEFAULT = "lucadiliello/BLEURT-20"
_SPECIAL = 3  # [CLS] and two [SEP]
_SHARED = {
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"),
    *("max_position_embeddings", "type_vocab_size", "layer_norm_eps", "pad_token_id"),
}


@dataclass(frozen=True)
class Tokenizer:
    """Token ids of a pair, cut to `max_tokens` from the end of the longer side (transformers' `longest_first`)."""

    encode: Callable[[Sequence[str]], list[list[int]]]
    cls_id: int
    sep_id: int
    pad_id: int
    max_tokens: int
    odd_to_reference: bool  # which side keeps the odd token when both are cut: the two families of tokenizers differ

    def pairs(self, candidates: Sequence[str], references: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        """(reference, candidate) per pair, uncut and without special tokens."""
        return list(zip(self.encode(references), self.encode(candidates), strict=True))

    def is_cut(self, reference: list[int], candidate: list[int]) -> bool:
        """Whether the pair exceeds `max_tokens`."""
        return len(reference) + len(candidate) + _SPECIAL > self.max_tokens

    def join(self, reference: list[int], candidate: list[int]) -> tuple[list[int], list[int]]:
        """(token ids, token types) of the model's input."""
        if self.is_cut(reference, candidate):
            budget = self.max_tokens - _SPECIAL
            half = (budget + (self.odd_to_reference or len(reference) > len(candidate))) // 2
            kept = min(len(reference), max(half, budget - len(candidate)))
            reference, candidate = reference[:kept], candidate[: budget - kept]
        ids = [self.cls_id, *reference, self.sep_id, *candidate, self.sep_id]
        return ids, [0] * (len(reference) + 2) + [1] * (len(candidate) + 1)


@dataclass(frozen=True)
class Bleurt:
    """A loaded checkpoint. `revision` is the hub commit the weights came from, None for a local folder."""

    module: torch.nn.ModuleDict
    tokenizer: Tokenizer
    revision: str | None


def scorer(profile: Profile) -> Scorer:
    """Fills `bleurt` and `bleurt_cut`; the embedded profile uses the stand-in."""
    config = profile.score
    if config.bleurt == "embedded":
        name, settings = bleurt_standin.MODEL, bleurt_standin.SETTINGS
        values, cuts = bleurt_standin.score, bleurt_standin.truncated
    else:
        name, settings = config.bleurt, f"revision {config.bleurt_revision}"
        checkpoint: Any = {"model": config.bleurt, "revision": config.bleurt_revision}
        values, cuts = functools.partial(score, **checkpoint), functools.partial(truncated, **checkpoint)

    def columns(rows: Sequence[Candidate], warehouse: Warehouse) -> Columns:
        return score_pairs(rows, {"bleurt": values, "bleurt_cut": cuts})

    model = str(BLEURT) if config.bleurt == "embedded" else config.bleurt
    weights = model_identity(model, config.bleurt_revision)
    return Scorer(columns, {"bleurt": [weights, settings]}, name, settings)


def score(
    candidates: Sequence[str],
    references: Sequence[str],
    model: str = DEFAULT,
    *,
    revision: str | None = None,
    batch_size: int | None = None,
    device: str | None = None,
) -> list[float]:
    """BLEURT of each pair, in order; not bounded, and comparable only within one checkpoint.

    `model` is a folder or a hub id; `revision` the hub commit to pin. `device` defaults to CUDA if there is one. Pairs are read
    sorted by length, `batch_size` at a time: by default 16 on a GPU; on a CPU about 512 tokens, as more do not fit its caches. Within 1e-5 of bleurt-pytorch 0.0.1 in float32. Raises InputError for texts that do not pair up and for unusable
    checkpoints.
    """
    import torch

    check_pairs(candidates, references)
    if not candidates:
        return []
    bleurt = load(model, revision)
    target = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    bleurt.module.to(target)
    tokenizer = bleurt.tokenizer
    inputs = [tokenizer.join(*pair) for pair in tokenizer.pairs(candidates, references)]
    token_ids = [ids for ids, _ in inputs]
    if batch_size is None and target.type == "cpu":
        batches = minilm.by_tokens(token_ids)
    else:
        batches = minilm.by_length(token_ids, batch_size or 16)
    scores = torch.zeros(len(inputs))
    with torch.inference_mode():
        for batch in batches:
            ids, mask = minilm.pad([inputs[index][0] for index in batch], tokenizer.pad_id)
            types, _ = minilm.pad([inputs[index][1] for index in batch], 0)
            pooled = bleurt.module["encoder"](
                input_ids=ids.to(target), attention_mask=mask.to(target), token_type_ids=types.to(target)
            ).pooler_output
            scores[batch] = bleurt.module["classifier"](pooled)[:, 0].float().cpu()
    return [float(value) for value in scores]


def truncated(
    candidates: Sequence[str], references: Sequence[str], model: str = DEFAULT, *, revision: str | None = None
) -> list[bool]:
    """Whether each pair exceeds the model's window, so that ends were not read. Loads no weights; raises as `score` does."""
    check_pairs(candidates, references)
    if not candidates:
        return []
    folder, _ = hub.locate(model, revision)
    tokenizer = _tokenizer(folder, _config(folder), model)
    return [tokenizer.is_cut(*pair) for pair in tokenizer.pairs(candidates, references)]


@functools.lru_cache(maxsize=2)
def load(model: str = DEFAULT, revision: str | None = None) -> Bleurt:
    """The checkpoint in float32, in evaluation mode. Raises InputError if it is missing or has neither layout."""
    import torch
    from transformers import BertConfig, BertModel, RemBertConfig, RemBertModel

    folder, commit = hub.locate(model, revision)
    config = _config(folder)
    shared = {key: value for key, value in config.items() if key in _SHARED}
    encoder: torch.nn.Module
    if config.get("embedding_size"):
        encoder = RemBertModel(RemBertConfig(**shared, input_embedding_size=config["embedding_size"]))
    else:
        encoder = BertModel(BertConfig(**shared))
    module = torch.nn.ModuleDict({"encoder": encoder, "classifier": torch.nn.Linear(config["hidden_size"], 1)})
    state = {}
    for name, value in _weights(folder).items():
        if name.endswith("position_ids"):  # a buffer that transformers computes itself
            continue
        name = re.sub(r"^(?:bleurt|bert)\.", "encoder.", name)
        state[name.replace("encoder.embedding_projection", "encoder.embedding_hidden_mapping_in")] = value.float()
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(
            f"{model} is not a BLEURT checkpoint of the BERT or RemBERT layout "
            f"({str(error).splitlines()[-1].strip()[:120]}). Use one of {DEFAULT}, {DEFAULT}-D12, "
            "lucadiliello/bleurt-base-128."
        ) from error
    return Bleurt(module.eval(), _tokenizer(folder, config, model), commit)


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} has no readable config.json. Give the folder of a BLEURT checkpoint.") from error
    return config


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    if (folder / "model.safetensors").is_file():
        from safetensors.torch import load_file

        return load_file(folder / "model.safetensors")
    raise InputError(
        f"{folder} holds no model.safetensors, and pickled weights are not read. On the hub, name the revision that holds the "
        "safetensors conversion (refs/pr/N); locally, convert it with transformers' save_pretrained."
    )


def _tokenizer(folder: Path, config: dict[str, Any], model: str) -> Tokenizer:
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    # bleurt-base-128 has 512 positions, but was trained and is to be used with 128 tokens.
    length_in_name = re.search(r"-(128|512)$", model.rstrip("/"))
    limits = [config["max_position_embeddings"], settings.get("model_max_length") or 512]
    max_tokens = min([*limits, int(length_in_name[1])] if length_in_name else limits)
    if (folder / "spm.model").is_file():
        return _sentencepiece(folder, max_tokens, lowercase=bool(settings.get("do_lower_case", False)))
    return _wordpiece(folder, max_tokens)


def _sentencepiece(folder: Path, max_tokens: int, lowercase: bool) -> Tokenizer:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(folder / "spm.model"))

    def encode(texts: Sequence[str]) -> list[list[int]]:
        inputs = [text.lower() for text in texts] if lowercase else list(texts)
        ids: list[list[int]] = processor.encode(inputs, out_type=int)
        return ids

    cls_id, sep_id, pad_id = (int(processor.piece_to_id(name)) for name in ("[CLS]", "[SEP]", "[PAD]"))
    if processor.unk_id() in {cls_id, sep_id, pad_id}:
        raise InputError(f"{folder}/spm.model has no [CLS], [SEP] or [PAD]: it belongs to no BLEURT checkpoint.")
    return Tokenizer(encode, cls_id, sep_id, pad_id, max_tokens, odd_to_reference=True)


def _wordpiece(folder: Path, max_tokens: int) -> Tokenizer:
    from transformers import BertTokenizer

    try:
        words = BertTokenizer.from_pretrained(folder)
    except Exception as error:
        raise InputError(f"{folder} has no usable tokenizer ({type(error).__name__}). Download it again.") from error

    def encode(texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = words(
            list(texts), add_special_tokens=False, split_special_tokens=True, truncation=False, verbose=False
        )["input_ids"]
        return ids

    ids = words.cls_token_id, words.sep_token_id, words.pad_token_id
    return Tokenizer(encode, *ids, max_tokens, odd_to_reference=False)
