"""Texts that are written side by side are those that each prompt gets alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from transformers import (
    FalconH1Config,
    FalconH1ForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PhiConfig,
    PhiForCausalLM,
)

from pipeline.backends import decoding
from pipeline.backends.cache import ROOM, RoomyLayer

PAD, END = 1, 0
SMALL: dict[str, Any] = {
    "vocab_size": 12,  # few tokens, so that the one that ends a text comes soon in some and late in others
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "initializer_range": 0.4,
    "bos_token_id": END,
    "eos_token_id": END,
    "pad_token_id": PAD,
}


def options(**changes: Any) -> dict[str, Any]:
    fixed = {"max_new_tokens": 30, "do_sample": False, "pad_token_id": PAD, "eos_token_id": END}
    return fixed | {"repetition_penalty": 1.3} | changes


def phi() -> Any:
    torch.manual_seed(10)
    return PhiForCausalLM(PhiConfig(**SMALL)).eval()


def sliding() -> Any:
    torch.manual_seed(4)
    return MistralForCausalLM(MistralConfig(**SMALL, sliding_window=6)).eval()


def prompts(count: int = 9, common: int = 0) -> list[list[int]]:
    torch.manual_seed(5)
    start = torch.randint(2, 12, (common,)).tolist()
    return [start + torch.randint(2, 12, (2 + 3 * index % 11,)).tolist() for index in range(count)]


def text(tokens: list[int]) -> list[int]:
    return list(itertools.takewhile(lambda token: token != END, tokens))


def alone(network: Any, prompts: list[list[int]], **changes: Any) -> list[list[int]]:
    """By transformers itself, one by one."""
    result = []
    for prompt in prompts:
        output = network.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), **options(**changes)
        )
        result.append(text(output[0, len(prompt) :].tolist()))
    return result


@pytest.mark.parametrize("build", [phi, sliding])
@pytest.mark.parametrize("batch_size", [4, 16])
def test_texts_leave_and_join_and_are_the_same(build: Any, batch_size: int) -> None:
    network, asked = build(), prompts()
    expected = alone(network, asked)
    lengths = {len(one) for one in expected}
    assert len(lengths) > 3 and max(lengths) > 2 * decoding.EVERY > min(lengths), "some end long before others"
    assert [text(one) for one in decoding.decode(network, asked, options(), batch_size)] == expected


def test_repeats_that_are_forbidden_stay_forbidden() -> None:
    network, asked = phi(), prompts(6, common=20)
    changes = {"no_repeat_ngram_size": 2, "repetition_penalty": 1.0}
    found = decoding.decode(network, asked, options(**changes), 3)
    assert [text(one) for one in found] == alone(network, asked, **changes)


def test_what_prompts_begin_with_is_computed_once() -> None:
    network, asked = phi(), prompts(7, common=40)
    expected = alone(network, asked)
    computed = []
    network.register_forward_pre_hook(
        lambda module, args, kwargs: computed.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    assert [text(one) for one in decoding.decode(network, asked, options(), 4)] == expected
    rest = 12 + decoding.EVERY  # of a prompt; and what is computed of a text after its end
    assert sum(computed) < 40 + sum(rest + len(one) for one in expected)


def test_one_prompt_and_none() -> None:
    network, asked = phi(), prompts(1, common=20)
    assert [text(one) for one in decoding.decode(network, asked, options(), 4)] == alone(network, asked)
    assert decoding.decode(network, [], options(), 4) == []


def test_no_token_is_written_beyond_the_limit() -> None:
    found = decoding.decode(phi(), prompts(), options(max_new_tokens=11), 4)
    assert max(map(len, found)) == 11


def test_tokens_are_told_as_they_come() -> None:
    told: dict[int, list[list[int]]] = {}
    network, asked = phi(), prompts()
    found = decoding.decode(
        network, asked, options(), 4, lambda index, tokens: told.setdefault(index, []).append(tokens)
    )
    for index, tokens in enumerate(found):
        assert told[index][-1] == tokens
        assert [len(one) for one in told[index]] == list(range(1, len(tokens) + 1))


def test_a_model_with_another_memory_keeps_its_batches_whole() -> None:
    """A state space cannot be cut by columns."""
    torch.manual_seed(6)
    config = FalconH1Config(
        **SMALL, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8, mamba_n_groups=1, mamba_d_state=8, mamba_chunk_size=8
    )
    network, asked = FalconH1ForCausalLM(config).eval(), [[5, 6, 7], [7, 8, 9], [2, 3, 4]]
    assert not decoding._separable(network) and decoding._separable(phi()) and decoding._separable(sliding())
    assert [text(one) for one in decoding.decode(network, asked, options(), 2)] == alone(network, asked)


def test_the_cache_grows_in_place_and_survives_a_change_of_its_texts() -> None:
    layer, new = RoomyLayer(), torch.arange(2 * 3 * 4.0).reshape(2, 1, 3, 4)
    layer.update(new, -new)
    first = layer.keys.data_ptr()
    keys, values = layer.update(new[:, :, :1], -new[:, :, :1])
    assert (
        keys.data_ptr() == first
        and torch.equal(keys, torch.cat([new, new[:, :, :1]], 2))
        and torch.equal(values, -keys)
    )
    layer.batch_select_indices(torch.tensor([1]))
    keys, _ = layer.update(new[:1], -new[:1])
    assert torch.equal(keys, torch.cat([new[1:], new[1:, :, :1], new[:1]], 2))
    many = torch.zeros(1, 1, ROOM + 1, 4)
    assert layer.update(many, many)[0].shape[2] == 7 + ROOM + 1
