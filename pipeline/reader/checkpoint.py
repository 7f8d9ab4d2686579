"""The encoder of a reader as a checkpoint that transformers loads: a multilingual base for fine-tuning that needs no download.

`finetune --model reader` starts from it. Tokens are those of the reader, with its prefix and suffix.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from pipeline.core.assets import READER
from pipeline.core.integrity import require_intact
from pipeline.reader import encoder as encoders
from pipeline.reader.encoder import Encoder

NAME = "reader"
_VERSION = 1  # to be raised when the same weights are written otherwise


def folder() -> Path:
    """That of the shipped reader's encoder, written below the user's cache when it is first asked for. Raises InputError if the
    reader is damaged.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "review-insights"
    made = home / f"encoder-{_VERSION}-{_digest()}"
    if not made.is_dir():
        require_intact(READER)
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as place:
            write(encoders.load(READER), Path(place) / made.name)
            try:
                os.replace(Path(place) / made.name, made)
            except OSError:  # another process was faster
                if not made.is_dir():
                    raise
    return made


@functools.cache
def _digest() -> str:
    return hashlib.sha256((READER / encoders.WEIGHTS).read_bytes()).hexdigest()[:16]


def write(encoder: Encoder, out: Path) -> None:
    """Writes the encoder, in float32, with a tokenizer that wraps each text as the reader does. The pooler, which a BERT
    classifier wants and the reader has not, hands on the first token.
    """
    import torch
    from tokenizers.processors import TemplateProcessing
    from transformers import BertModel, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    network = BertModel(encoder.network.config)
    state = {name: value.float() for name, value in encoder.network.state_dict().items()}
    state["pooler.dense.weight"] = torch.eye(encoder.width)
    state["pooler.dense.bias"] = torch.zeros(encoder.width)
    network.load_state_dict(state)
    network.save_pretrained(out)
    backend = type(encoder.tokenizer).from_str(encoder.tokenizer.to_str())
    backend.post_processor = TemplateProcessing(
        single="prefix $A suffix",
        special_tokens=[
            {"id": name, "ids": list(ids), "tokens": [backend.id_to_token(token) for token in ids]}
            for name, ids in (("prefix", encoder.prefix), ("suffix", encoder.suffix))
        ],
    )
    start, pad, end, unknown = (backend.id_to_token(token) for token in range(4))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=start, cls_token=start, eos_token=end, sep_token=end, pad_token=pad, unk_token=unknown,
        model_max_length=encoders.MAX_TOKENS,
    )  # fmt: skip
    tokenizer.save_pretrained(out)
    shutil.copyfile(READER / "LICENSE", out / "LICENSE")
