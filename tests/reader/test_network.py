"""The heads: spans see their own tokens and the review, and nothing else."""

from __future__ import annotations

import pytest
import torch

from pipeline.reader.network import Heads, LabelAttention, Questions, gather, span_means

TOKENS = torch.randn(2, 9, 16, generator=torch.Generator().manual_seed(0))


def heads() -> Heads:
    torch.manual_seed(0)
    made = Heads(Questions(("a", "b", "c"), ("joy", "anger")), 16).eval()
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made


def test_spans_are_gathered_from_their_rows() -> None:
    tokens, mask, rows = gather(TOKENS, [(1, 2, 5), (0, 0, 1), (1, 8, 9)])
    assert tokens.shape == (3, 3, 16) and mask.sum(1).tolist() == [3, 1, 1] and rows.tolist() == [1, 0, 1]
    assert torch.equal(tokens[0], TOKENS[1, 2:5]) and torch.equal(tokens[2, 0], TOKENS[1, 8])
    assert span_means(TOKENS, [(0, 3, 6)])[0].numpy() == pytest.approx(TOKENS[0, 3:6].mean(0).numpy(), abs=1e-6)


def test_a_query_of_zeros_is_a_plain_mean() -> None:
    tokens, mask, _ = gather(TOKENS, [(0, 1, 4)])
    assert LabelAttention(2, 16)(tokens, mask)[0, 1].detach().numpy() == pytest.approx(
        TOKENS[0, 1:4].mean(0).numpy(), abs=1e-6
    )


def test_a_span_is_not_influenced_by_others_or_by_padding() -> None:
    made, mean = heads(), torch.randn(2, 16)
    with torch.inference_mode():
        alone = made.spans(TOKENS, mean, [(0, 1, 4)])
        together = made.spans(TOKENS, mean, [(1, 0, 9), (0, 1, 4)])
        elsewhere = TOKENS.clone()
        elsewhere[0, 5:] = 99.0
        changed = made.spans(elsewhere, mean, [(0, 1, 4)])
    for name, shape in (("themes", (1, 3)), ("polarity", (1, 3, 3)), ("wish", (1,))):
        assert alone[name].shape == shape
        assert together[name][1].numpy() == pytest.approx(alone[name][0].numpy(), abs=1e-4)
        assert changed[name].numpy() == pytest.approx(alone[name].numpy(), abs=1e-4)


def test_a_review_is_not_influenced_by_its_padding() -> None:
    made = heads()
    mask = torch.tensor([[True] * 9, [True] * 4 + [False] * 5])
    noisy = TOKENS.clone()
    noisy[1, 4:] = 7.0
    with torch.inference_mode():
        one, other = (made.reviews(made.tokens(tokens), mask) for tokens in (TOKENS, noisy))
    for name, width in (("stars", 5), ("sentiment", 3), ("emotions", 2), ("felt", 2)):
        assert one[name].shape == (2, width)
        assert one[name].numpy() == pytest.approx(other[name].numpy(), abs=1e-4)
