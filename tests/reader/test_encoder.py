"""The encoder: saved and loaded, padded and batched, from our files and from a checkpoint of others."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from pipeline.core.errors import InputError
from pipeline.reader import encoder
from tests import checkpoints


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    made = checkpoints.reader().encoder
    encoder.save(made, tmp_path, frozenset({"embeddings.word_embeddings.weight"}))
    again = encoder.load(tmp_path)
    assert (again.prefix, again.suffix, again.pad_id, again.width, again.room) == ((0,), (2,), 1, 32, 510)
    wrapped = [made.wrap(ids) for ids, _ in made.tokenize(["the soup was cold"])]
    with torch.inference_mode():
        assert again.hidden(wrapped)[0].numpy() == pytest.approx(made.hidden(wrapped)[0].numpy(), abs=0.5)


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    encoder.save(checkpoints.reader().encoder, tmp_path)
    weights = tmp_path / encoder.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be loaded"):
        encoder.load(tmp_path)


def test_padding_does_not_change_what_is_read() -> None:
    made = checkpoints.reader().encoder
    short, long = (made.wrap(ids) for ids, _ in made.tokenize(["cold soup", "the waiter was rude and slow"]))
    with torch.inference_mode():
        alone, _ = made.hidden([short])
        padded, mask = made.hidden([long, short])
    assert mask.sum(1).tolist() == [len(long), len(short)]
    assert padded[1, : len(short)].numpy() == pytest.approx(alone[0].numpy(), abs=1e-4)


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 200))
def test_batches_hold_every_text_once_and_no_more_than_they_may(lengths: list[int], most: int) -> None:
    batches = list(encoder.by_tokens(lengths, most))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= most for batch in batches)


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
    made = encoder.pretrained(str(tmp_path), "main")
    encoder.save(made, tmp_path / "ours")
    again = encoder.load(tmp_path / "ours")
    wrapped = [made.wrap(ids) for ids, _ in made.tokenize(["abc", "a"])]
    assert made.prefix[0] == 0 and made.suffix == (2,) and type(again.network) is type(made.network)
    with torch.inference_mode():
        assert again.hidden(wrapped)[0].numpy() == pytest.approx(made.hidden(wrapped)[0].numpy(), abs=0.2)
    with pytest.raises(InputError, match="could not be loaded"):
        encoder.pretrained(str(tmp_path / "nothing"), "main")
