"""The multilingual encoder of the reader: weights, tokenizer, one pass.

Shipped: a trimmed, trained copy of multilingual-e5-small (MIT; Wang et al. 2024, "Multilingual E5 Text Embeddings"), made
by `pipeline.training.reader`. `pretrained` loads any BERT- or XLM-R-like checkpoint in a folder or on the hub, from which the
training can start too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.core.defuse import defused
from pipeline.core.errors import InputError
from pipeline.reader import quantised

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

HUB_ID = "intfloat/multilingual-e5-small@614241f622f53c4eeff9890bdc4f31cfecc418b3"
MAX_TOKENS = 512
STEP = 16  # tokens are padded to a multiple of it, whatever else is in the batch: see `by_tokens`
WEIGHTS, TOKENIZER, CONFIG = "encoder.safetensors", "tokenizer.json", "encoder.json"


@dataclass(frozen=True)
class Encoder:
    """A network with its tokenizer. `prefix` and `suffix`: the token ids around a text."""

    network: PreTrainedModel
    tokenizer: Tokenizer
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad_id: int

    @property
    def width(self) -> int:
        """Length of a token vector."""
        return int(self.network.config.hidden_size)

    @property
    def room(self) -> int:
        """Tokens of a text that fit into one pass."""
        return MAX_TOKENS - len(self.prefix) - len(self.suffix)

    def tokenize(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Per text its token ids, without prefix and suffix, and the characters (start, end) that each stands for."""
        encoded = self.tokenizer.encode_batch([defused(text) for text in texts], add_special_tokens=False)
        return [(one.ids, one.offsets) for one in encoded]

    def wrap(self, ids: Sequence[int]) -> list[int]:
        """The ids with prefix and suffix."""
        return [*self.prefix, *ids, *self.suffix]

    def hidden(self, wrapped: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """(last layer (rows, longest, width) as float32, mask (rows, longest), True where there is a token); `longest` is padded."""
        import torch

        longest, device = padded(max(map(len, wrapped))), self.network.device
        ids = torch.full((len(wrapped), longest), self.pad_id)
        for row, tokens in enumerate(wrapped):
            ids[row, : len(tokens)] = torch.tensor(tokens)
        lengths = torch.tensor([len(tokens) for tokens in wrapped])
        ids, mask = ids.to(device), (torch.arange(longest) < lengths.unsqueeze(1)).to(device)
        return self.network(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float(), mask


def load(folder: Path, precision: str = "float32", device: str = "cpu") -> Encoder:
    """The encoder in a folder written by `save`; `precision` and `device`: PyTorch's names. Raises InputError if it is missing
    or damaged.
    """
    import torch
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModel

    try:
        settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        weights = quantised.unpack(load_file(folder / WEIGHTS))
        network = AutoModel.from_config(AutoConfig.for_model(**settings["network"]), add_pooling_layer=False)
        _fill(network, weights)
    except Exception as error:  # a truncated file fails in whichever library reads it
        raise InputError(f"The reader's encoder in {folder} cannot be loaded ({error}). Reinstall it.") from error
    network.to(device, getattr(torch, precision))
    return Encoder(network.eval(), tokenizer, tuple(settings["prefix"]), tuple(settings["suffix"]), settings["pad"])


def pretrained(name: str = HUB_ID) -> Encoder:
    """A BERT- or XLM-R-like checkpoint, untrimmed: a folder, or of the hub, ID or ID@REVISION. Raises InputError if it cannot
    be loaded.
    """
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    model, revision = (name, "main") if Path(name).is_dir() or "@" not in name else name.rsplit("@", 1)
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, revision=revision, use_fast=True, trust_remote_code=False)
        network = AutoModel.from_pretrained(
            model, revision=revision, use_safetensors=True, add_pooling_layer=False, trust_remote_code=False
        )
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"The encoder {name!r} could not be loaded: {cause} Check its name, or give a folder."
        ) from error
    start, end = tokenizer("", add_special_tokens=True)["input_ids"]
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    query = backend.encode("query:", add_special_tokens=False).ids  # what E5 was trained with; others do not mind
    return Encoder(network.eval(), backend, (start, *query), (end,), tokenizer.pad_token_id)


def _fill(network: Any, weights: Mapping[str, np.ndarray]) -> None:
    import torch

    network.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in weights.items()})


def save(encoder: Encoder, folder: Path, four_bits: frozenset[str] = frozenset()) -> None:
    """Writes the encoder, its matrices in 8 bits, those named in `four_bits` in 4."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().float().numpy() for name, value in encoder.network.state_dict().items()}
    save_file(quantised.pack(state, four_bits), folder / WEIGHTS)
    encoder.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    config = encoder.network.config
    keys = (
        "model_type",
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
        "layer_norm_eps",
        "pad_token_id",
    )
    settings = {
        "network": {key: getattr(config, key) for key in keys},
        "prefix": list(encoder.prefix),
        "suffix": list(encoder.suffix),
        "pad": encoder.pad_id,
    }
    (folder / CONFIG).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def by_tokens(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Indices of texts of the same padded length, in batches of one text or of at most `most` tokens, padding included.

    The same padding in every batch makes what is read in a text a function of the text: sums over another number of tokens
    are added up in another order, and a rounded value would now and then depend on the company that a text was in.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: padded(lengths[index])):
        length = padded(lengths[index])
        if batch and (length != padded(lengths[batch[0]]) or (len(batch) + 1) * length > most):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def padded(length: int) -> int:
    """The next multiple of STEP."""
    return -(-length // STEP) * STEP
