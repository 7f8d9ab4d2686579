"""Tiny random BLEURT checkpoints with real tokenizers, and NLTK's own WordNet reader where Debian's WordNet is."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.bench.meteor import debian_reader

SENTENCES = [
    "The waiter forgot our order twice and never came back to apologise.",
    "Train the evening staff to confirm every order before it leaves the kitchen.",
    "Parking was easy, the room was spotless, and breakfast lasted until eleven.",
    "My parcel arrived crushed; the seller refunded me within a day.",
    "Offer a refund, explain the delay, and call the guest back the same week.",
    "Great coffee, slow wifi, friendly dog behind the counter.",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "hidden_act": "gelu",
    "initializer_range": 0.5,
}


def write_bleurt(folder: Path, model: Any, config: dict[str, Any], prefix: str) -> None:
    """`model` is transformers' sequence classifier; its tensors get the names BLEURT is published with."""
    from safetensors.torch import save_file

    renamed = {
        name.replace(f"{prefix}.", "bleurt.").replace("embedding_hidden_mapping_in", "embedding_projection"): value
        for name, value in model.state_dict().items()
    }
    save_file(renamed, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "bleurt", **config}))


def build_bleurt_bert(folder: Path) -> Any:
    """Writes a checkpoint of the BERT layout with 24 positions; returns transformers' model with the same weights."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    characters = sorted({character for sentence in SENTENCES for character in sentence.lower() if character != " "})
    vocabulary = [*SPECIAL, *characters, *(f"##{character}" for character in characters), "the", "order", "refund"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "model_max_length": 512}))
    config = {**SIZES, "vocab_size": len(vocabulary), "max_position_embeddings": 24}
    torch.manual_seed(1)
    model = BertForSequenceClassification(BertConfig(**config, id2label={0: "score"})).eval()
    write_bleurt(folder, model, config, "bert")
    return model


@pytest.fixture(scope="session")
def bleurt_bert(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """(folder of a checkpoint, transformers' model with the same weights)."""
    folder = tmp_path_factory.mktemp("bleurt-bert")
    return folder, build_bleurt_bert(folder)


@pytest.fixture(scope="session")
def bleurt_rembert(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The same for the RemBERT layout with SentencePiece, 33 positions."""
    import torch
    from sentencepiece import SentencePieceTrainer
    from transformers import RemBertConfig, RemBertForSequenceClassification

    folder = tmp_path_factory.mktemp("bleurt-rembert")
    pieces = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 4),
        model_writer=pieces,
        vocab_size=72,
        pad_id=0,
        unk_id=1,
        bos_id=2,
        eos_id=3,
        pad_piece="[PAD]",
        unk_piece="[UNK]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        control_symbols=["[MASK]"],
        minloglevel=2,
    )
    (folder / "spm.model").write_bytes(pieces.getvalue())
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    config = {**SIZES, "vocab_size": 72, "max_position_embeddings": 33, "embedding_size": 8}
    torch.manual_seed(2)
    model = RemBertForSequenceClassification(
        RemBertConfig(**config, input_embedding_size=8, id2label={0: "score"})
    ).eval()
    write_bleurt(folder, model, config, "rembert")
    return folder, model


@pytest.fixture(scope="session")
def debian_wordnet() -> Path:
    """Folder of Debian's packages wordnet-base and wordnet-sense-index (WordNet 3.0), which CI installs."""
    folder = Path("/usr/share/wordnet")
    if not (folder / "index.sense").is_file() or not (folder / "data.noun").is_file():
        pytest.skip("needs Debian's wordnet-base and wordnet-sense-index")
    return folder


@pytest.fixture(scope="session")
def nltk_wordnet(debian_wordnet: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """NLTK's reader over Debian's files."""
    import nltk

    root = tmp_path_factory.mktemp("nltk_data")
    yield debian_reader(root, debian_wordnet)
    nltk.data.path.remove(str(root))


@pytest.fixture(scope="session")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random RoBERTa of 3 layers and 40 tokens, with the files of RoBERTa's own tokenizer."""
    import torch
    from tokenizers import pre_tokenizers
    from transformers import RobertaConfig, RobertaModel

    folder = tmp_path_factory.mktemp("roberta")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *alphabet, "Ġh", "he", "Ġhe", "Ġt", "Ġth", "Ġthe"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\nĠ t\nĠt h\nĠth e\nĠ h\nh e\nĠh e\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "RobertaTokenizer"}))
    sizes = {name: value for name, value in SIZES.items() if name not in {"pad_token_id", "type_vocab_size"}}
    config = RobertaConfig(**{**sizes, "num_hidden_layers": 3}, vocab_size=len(vocabulary), max_position_embeddings=42)
    # With this seed no token's best cosine is negative, which bert-score would lift to 0 in a padded batch.
    torch.manual_seed(5)
    RobertaModel(config).save_pretrained(folder)
    return folder
