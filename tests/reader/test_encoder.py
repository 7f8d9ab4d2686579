"""The encoder: batches do not change what is read, and what is saved is what is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from pipeline.core.errors import InputError
from pipeline.reader import encoder
from pipeline.reader.encoder import WEIGHTS, Encoder, by_tokens
from tests.checkpoints import Checkpoints

TEXTS = ["the waiter was rude", "cold soup", "we waited and waited for a good room, and the soup was cold.", "好"]


def vectors(of: Encoder, texts: list[str]) -> list[np.ndarray]:
    """Token vectors per text, read in one batch."""
    with torch.inference_mode():
        hidden, mask = of.hidden([of.wrap(ids) for ids, _ in of.tokenize(texts)])
    return [row[at].numpy() for row, at in zip(hidden, mask, strict=True)]


def test_neither_padding_nor_order_changes_vectors(tiny: Checkpoints) -> None:
    alone = [vectors(tiny.encoder, [text])[0] for text in TEXTS]
    for batch in (TEXTS, TEXTS[::-1]):
        for text, found in zip(batch, vectors(tiny.encoder, batch), strict=True):
            assert found == pytest.approx(alone[TEXTS.index(text)], abs=1e-4)


def test_the_mask_counts_prefix_and_suffix(tiny: Checkpoints) -> None:
    of = tiny.encoder
    wrapped = [of.wrap(ids) for ids, _ in of.tokenize(TEXTS)]
    _, mask = of.hidden(wrapped)
    assert mask.sum(1).tolist() == [len(ids) + 3 for ids, _ in of.tokenize(TEXTS)]
    assert all(tuple(ids[:2]) == of.prefix and tuple(ids[-1:]) == of.suffix for ids in wrapped)
    assert of.room == 509


def test_tokens_know_their_characters(tiny: Checkpoints) -> None:
    text = "The  waiter 😀 was ｒｕｄｅ"
    ((ids, offsets),) = tiny.encoder.tokenize([text])
    assert len(ids) == len(offsets) and offsets == sorted(offsets)
    covered = {at for start, end in offsets for at in range(start, end)}
    assert covered >= {at for at, character in enumerate(text) if not character.isspace()}


def test_what_is_saved_is_what_is_loaded(tiny: Checkpoints, tmp_path: Path) -> None:
    encoder.save(tiny.encoder, tmp_path)
    again = encoder.load(tmp_path)
    assert (again.prefix, again.suffix, again.pad_id) == (tiny.encoder.prefix, tiny.encoder.suffix, 1)
    assert again.tokenize(TEXTS) == tiny.encoder.tokenize(TEXTS) and again.width == 32
    before, after = vectors(tiny.encoder, TEXTS), vectors(again, TEXTS)
    for one, other in zip(before, after, strict=True):
        cosine = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert (cosine > 0.99).all(), "eight bits"
    encoder.save(again, tmp_path / "again")
    for one, other in zip(after, vectors(encoder.load(tmp_path / "again"), TEXTS), strict=True):
        assert one == pytest.approx(other, abs=0.02), "saving again loses hardly anything more"


@pytest.mark.parametrize("name", ["encoder.safetensors", "tokenizer.json", "encoder.json"])
@pytest.mark.parametrize("is_truncated", [True, False])
def test_a_damaged_encoder_is_one_clear_error(tiny: Checkpoints, tmp_path: Path, name: str, is_truncated: bool) -> None:
    shutil.copytree(tiny.reader, tmp_path / "reader")
    file = tmp_path / "reader" / name
    if is_truncated:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        file.unlink()
    with pytest.raises(InputError, match=r"cannot be loaded .*Reinstall"):
        encoder.load(tmp_path / "reader")


def test_weights_of_another_network_are_refused(tiny: Checkpoints, tmp_path: Path) -> None:
    encoder.save(tiny.encoder, tmp_path)
    from safetensors.numpy import load_file, save_file

    weights = load_file(tmp_path / WEIGHTS)
    save_file({name: value for name, value in weights.items() if "layer.2" not in name}, tmp_path / WEIGHTS)
    with pytest.raises(InputError, match="cannot be loaded"):
        encoder.load(tmp_path)


@given(st.lists(st.integers(1, 600)), st.integers(1, 2048))
def test_batches_hold_their_bound_and_every_text_once(lengths: list[int], most: int) -> None:
    batches = list(by_tokens(lengths, most))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= most


def test_a_checkpoint_of_others_is_read_as_well(tmp_path: Path) -> None:
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((c, -2.0) for c in "▁abcdefgquery:")]
    raw = Tokenizer(models.Unigram(pieces, unk_id=3))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    PreTrainedTokenizerFast(tokenizer_object=raw, **names).save_pretrained(tmp_path)
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    XLMRobertaModel(XLMRobertaConfig(vocab_size=len(pieces), max_position_embeddings=64, **size)).save_pretrained(
        tmp_path
    )
    made = encoder.pretrained(str(tmp_path))
    encoder.save(made, tmp_path / "ours")
    again = encoder.load(tmp_path / "ours")
    wrapped = [made.wrap(ids) for ids, _ in made.tokenize(["abc", "a"])]
    assert made.prefix[0] == 0 and made.suffix == (2,) and type(again.network) is type(made.network)
    with torch.inference_mode():
        assert again.hidden(wrapped)[0].numpy() == pytest.approx(made.hidden(wrapped)[0].numpy(), abs=0.2)
    with pytest.raises(InputError, match="could not be loaded"):
        encoder.pretrained(str(tmp_path / "nothing") + "@v1")
