"""Tiny random checkpoints of the real architectures, with real tokenizers, built from configs: no hub, no download."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertForMaskedLM,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaModel,
)

from pipeline.core.labels import EMOTIONS
from pipeline.reader import encoder, reading
from pipeline.reader.network import Heads, Questions

_TEXT = [
    "The waiter was rude and we waited fifty minutes for cold soup.",
    "A customer left us a 2-star review. Concisely, how can we best improve our services?",
    "1. Apologize. 2. Train the staff. 3. Keep the kitchen informed and the tables clean!",
]
_CHAT = "{% for m in messages %}[INST] {{ m['content'] }} [/INST]{% endfor %}"


def _tokenizer(special: dict[str, str], chat: str | None = None) -> PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE(unk_token=special.get("unk_token")))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(dict.fromkeys(special.values())),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(_TEXT, trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=raw, **special)
    if chat:
        wrapped.chat_template = chat
    return wrapped


PIECES = (
    *("<s>", "<pad>", "</s>", "<unk>", "▁"),
    *("▁the", "▁waiter", "▁was", "▁rude", "▁and", "▁we", "▁waited", "▁for", "▁cold", "▁soup", "▁query", "▁room"),
    *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?'-äöüéñ味道好不",
)


def unigram(pieces: Sequence[str] = PIECES) -> Tokenizer:
    """As XLM-R's: pieces with scores, normalised by NFKC; unknown characters become one token."""
    scores = [0.0 if piece.startswith("<") else -1.0 / len(piece) for piece in pieces]
    raw = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=3, byte_fallback=False))
    raw.normalizer = normalizers.NFKC()
    raw.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return raw


def bert(vocabulary: int = len(PIECES)) -> BertModel:
    """Three layers of the reader's architecture, as it is made for an encoder."""
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=512,
        pad_token_id=1,
        initializer_range=0.2,
    )
    return BertModel(config, add_pooling_layer=False)


class Checkpoints:
    """Each property is a folder that from_pretrained loads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _save(self, name: str, network: Any, tokenizer: Any) -> str:
        path = self.folder / name
        network.save_pretrained(path)
        tokenizer.save_pretrained(path)
        return str(path)

    @functools.cached_property
    def mistral(self) -> str:
        """Teacher: MistralForCausalLM with a chat template; its tokenizer has no pad token."""
        torch.manual_seed(0)
        tokenizer = _tokenizer({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, _CHAT)
        config = MistralConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        return self._save("mistral", MistralForCausalLM(config), tokenizer)

    @functools.cached_property
    def phi(self) -> str:
        """Student: PhiForCausalLM whose one special token is bos, eos and unk at once, as in phi-2."""
        torch.manual_seed(1)
        end = "<|endoftext|>"
        tokenizer = _tokenizer({"bos_token": end, "eos_token": end, "unk_token": end})
        config = PhiConfig(
            vocab_size=len(tokenizer) + 8,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=2048,
            initializer_range=0.2,  # so that adapters can steer it
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        return self._save("phi", PhiForCausalLM(config), tokenizer)

    def _roberta_config(self, tokenizer: Any, **options: Any) -> RobertaConfig:
        return RobertaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=130,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **options,
        )

    def _roberta_tokenizer(self) -> Any:
        names = {
            "bos_token": "<s>",
            "pad_token": "<pad>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "mask_token": "<mask>",
        }
        return _tokenizer(names)

    @functools.cached_property
    def roberta_emotions(self) -> str:
        """28 labels, multi-label, as SamLowe/roberta-base-go_emotions."""
        torch.manual_seed(2)
        tokenizer = self._roberta_tokenizer()
        config = self._roberta_config(
            tokenizer, num_labels=28, id2label=dict(enumerate(EMOTIONS)), problem_type="multi_label_classification"
        )
        return self._save("roberta_emotions", RobertaForSequenceClassification(config), tokenizer)

    @functools.cached_property
    def roberta(self) -> str:
        """A plain encoder, for BERTScore."""
        torch.manual_seed(3)
        tokenizer = self._roberta_tokenizer()
        tokenizer.model_max_length = 128
        return self._save("roberta", RobertaModel(self._roberta_config(tokenizer)), tokenizer)

    @functools.cached_property
    def bleurt(self) -> str:
        """BLEURT of the BERT layout."""
        from tests.metrics.conftest import build_bleurt_bert

        folder = self.folder / "bleurt"
        folder.mkdir()
        build_bleurt_bert(folder)
        return str(folder)

    @functools.cached_property
    def gpt2_sentiment(self) -> str:
        """A decoder with a classification head and no pad token; its labels are LABEL_0 to LABEL_2."""
        torch.manual_seed(4)
        end = "<|endoftext|>"
        tokenizer = _tokenizer({"bos_token": end, "eos_token": end, "unk_token": end})
        config = GPT2Config(
            vocab_size=len(tokenizer),
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=128,
            num_labels=3,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        return self._save("gpt2_sentiment", GPT2ForSequenceClassification(config), tokenizer)

    @functools.cached_property
    def encoder(self) -> encoder.Encoder:
        """The reader's encoder: a BERT with a unigram tokenizer and a prefix, as multilingual-e5-small."""
        torch.manual_seed(8)
        return encoder.Encoder(bert().eval(), unigram(), (0, PIECES.index("▁query")), (2,), 1)

    @functools.cached_property
    def reader(self) -> Path:
        """A folder that `reading.load` reads: heads that see every theme everywhere, a little."""
        torch.manual_seed(9)
        heads = Heads(Questions(("cleanliness", "general", "noise", "waiting_time"), EMOTIONS), self.encoder.width)
        for parameter in heads.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        reading.save(self.encoder, heads, {}, self.folder / "reader", frozenset())
        return self.folder / "reader"

    # Bases without a classification head, for fine-tuning. No dropout, so that one process and two can be compared.

    @functools.cached_property
    def gpt2_base(self) -> str:
        torch.manual_seed(5)
        end = "<|endoftext|>"
        tokenizer = _tokenizer({"bos_token": end, "eos_token": end, "unk_token": end})
        config = GPT2Config(
            vocab_size=len(tokenizer),
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=128,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        )
        return self._save("gpt2_base", GPT2LMHeadModel(config), tokenizer)

    @functools.cached_property
    def distilbert_base(self) -> str:
        torch.manual_seed(6)
        names = {
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "mask_token": "[MASK]",
        }
        tokenizer = _tokenizer(names)
        config = DistilBertConfig(
            vocab_size=len(tokenizer),
            dim=32,
            hidden_dim=64,
            n_layers=2,
            n_heads=4,
            max_position_embeddings=128,
            pad_token_id=tokenizer.pad_token_id,
            dropout=0.0,
            attention_dropout=0.0,
            seq_classif_dropout=0.0,
        )
        return self._save("distilbert_base", DistilBertForMaskedLM(config), tokenizer)

    @functools.cached_property
    def llama_base(self) -> str:
        """As Llama 2: no pad token, and a tokenizer that is saved to pad on the left."""
        torch.manual_seed(7)
        tokenizer = _tokenizer({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})
        tokenizer.padding_side = "left"
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            initializer_range=0.2,
        )
        return self._save("llama_base", LlamaForCausalLM(config), tokenizer)
