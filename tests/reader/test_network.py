"""The heads: every question reads its own span, and nothing beside it."""

from __future__ import annotations

import pytest
import torch

from pipeline.reader.network import Heads, LabelAttention, Questions, Span, gather, span_means

WIDTH = 8
THEMES = ("food_quality", "noise", "waiting_time")


@pytest.fixture
def heads() -> Heads:
    torch.manual_seed(0)
    made = Heads(Questions(THEMES, ("anger", "joy")), WIDTH)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter)
    return made.eval()


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randn(2, 6, WIDTH, generator=torch.Generator().manual_seed(1))


def test_spans_are_gathered_with_their_mask(tokens: torch.Tensor) -> None:
    spans: list[Span] = [(1, 4, 6), (0, 0, 3), (1, 2, 2)]
    gathered, mask, rows = gather(tokens, spans)
    assert gathered.shape == (3, 16, WIDTH) and rows.tolist() == [1, 0, 1], "padded, whatever the longest"
    assert mask.sum(1).tolist() == [2, 3, 0] and mask[:, :3].tolist() == [[True, True, False], [True] * 3, [False] * 3]
    assert gathered[0, :2].equal(tokens[1, 4:]) and gathered[1, :3].equal(tokens[0, :3])
    assert not gathered[~mask].any()
    assert gather(tokens, [])[0].shape == (0, 0, WIDTH)


def test_means_of_spans(tokens: torch.Tensor) -> None:
    means = span_means(tokens, [(1, 4, 6), (0, 2, 3), (1, 2, 2)])
    assert means[0].allclose(tokens[1, 4:].mean(0)) and means[1].allclose(tokens[0, 2])
    assert not means[2].any(), "an empty span"


def test_zero_queries_are_means(tokens: torch.Tensor) -> None:
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    vectors = LabelAttention(2, WIDTH)(tokens, mask)
    for label in range(2):
        assert vectors[0, label].allclose(tokens[0].mean(0), atol=1e-5)
        assert vectors[1, label].allclose(tokens[1, :4].mean(0), atol=1e-5)


def test_a_query_finds_its_token() -> None:
    attention = LabelAttention(2, WIDTH)
    with torch.no_grad():
        attention.query[0, 0] = 50.0
    tokens = torch.zeros(1, 3, WIDTH)
    tokens[0, 1, 0], tokens[0, 2, 0] = 1.0, 2.0
    found = attention(tokens, torch.tensor([[True, True, False]]))
    assert found[0, 0].allclose(tokens[0, 1]), "the strongest that is not masked"
    assert found[0, 1, 0].item() == pytest.approx(0.5)


def test_padding_has_no_influence(heads: Heads, tokens: torch.Tensor) -> None:
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    noisy = tokens.clone()
    noisy[1, 4:] = 99.0
    for name, value in heads.reviews(tokens, mask).items():
        assert value.allclose(heads.reviews(noisy, mask)[name], atol=1e-4), name
        alone = heads.reviews(tokens[1:, :4], mask[1:, :4])[name]
        assert value[1:].allclose(alone, atol=1e-4), name


def test_other_spans_have_no_influence(heads: Heads, tokens: torch.Tensor) -> None:
    mean = tokens.mean(1)
    span: Span = (0, 1, 3)
    alone = heads.spans(tokens, mean, [span])
    changed = tokens.clone()
    changed[0, 3:], changed[0, 0], changed[1] = 99.0, -99.0, 7.0
    among = heads.spans(changed, mean, [(0, 3, 6), span, (1, 0, 6)])
    assert alone["themes"].shape == (1, 3) and alone["polarity"].shape == (1, 3, 3) and alone["wish"].shape == (1,)
    for name, value in alone.items():
        assert value[0].allclose(among[name][1], atol=1e-4), name


def test_a_sentence_is_read_in_its_review(heads: Heads, tokens: torch.Tensor) -> None:
    one = heads.spans(tokens, tokens.mean(1), [(0, 1, 3)])
    other = heads.spans(tokens, tokens.mean(1) + 1, [(0, 1, 3)])
    assert not one["themes"].allclose(other["themes"]) and not one["polarity"].allclose(other["polarity"])


def test_targets_are_words_in_their_sentence(heads: Heads, tokens: torch.Tensor) -> None:
    logits = heads.targets(tokens, [(0, 1, 2), (0, 3, 4)], [(0, 0, 6), (0, 0, 6)])
    changed = tokens.clone()
    changed[1] = 99.0
    assert logits.shape == (2, 3) and not logits[0].allclose(logits[1])
    assert logits.allclose(heads.targets(changed, [(0, 1, 2), (0, 3, 4)], [(0, 0, 6), (0, 0, 6)]))


def test_an_untrained_head_expects_what_is_usual() -> None:
    made = Heads(Questions(THEMES, ("anger", "joy")), WIDTH).eval()
    hidden = torch.randn(1, 4, WIDTH, generator=torch.Generator().manual_seed(2))
    tokens = made.tokens(hidden)
    review = made.reviews(tokens, torch.ones(1, 4, dtype=torch.bool))
    answers = made.spans(tokens, review["mean"], [(0, 0, 4)])
    assert (answers["themes"].sigmoid() < 0.01).all(), "a theme is rare"
    assert review["felt"].allclose(review["emotions"]), "nothing is corrected yet"
