"""The network of the reader: what the encoder's token vectors say about a review and about any span of it.

One pass of the encoder gives a vector per token, in the context of the whole review. Every question pools the tokens of
its span by a learnt query of its own (label-wise attention: Mullenbach et al. 2018, "Explainable Prediction of Medical
Codes from Clinical Text", CAML), so that a sentence with three complaints is read three times at the price of a few
multiplications.

What is said about a review or a span is a function of it, to the last bit: libraries add up a product of few rows, or a sum of
another length, in another order, so both are filled up to multiples of STEP, and spans are computed with those of their length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from pipeline.reader.encoder import padded

STARS = 5
CLASSES = 3  # negative, neutral, positive

Span = tuple[int, int, int]  # row of the batch, first token, token after the last


@dataclass(frozen=True)
class Questions:
    """What the heads answer, in the order of their outputs."""

    themes: tuple[str, ...]
    emotions: tuple[str, ...]


class LabelAttention(nn.Module):
    """Per label a vector: the mean of a span's tokens, weighted by how well they answer the label's query."""

    def __init__(self, labels: int, width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(labels, width))  # zero: a plain mean, until training knows better

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """tokens (spans, longest, width), mask (spans, longest), 1 where there is one -> (spans, labels, width)."""
        scores = functional.linear(tokens, self.query).transpose(1, 2)
        weights = scores.masked_fill(~mask.unsqueeze(1), -1e4).softmax(-1)
        return weights @ tokens


class Labels(nn.Module):
    """One logit per label, from its own attention over a span and from the whole review."""

    def __init__(self, labels: int, width: int, prior: float) -> None:
        super().__init__()
        self.attention = LabelAttention(labels, width)
        self.weight = nn.Parameter(torch.zeros(labels, width))
        self.of_review = nn.Linear(width, labels)
        nn.init.zeros_(self.of_review.weight)
        nn.init.constant_(self.of_review.bias, prior)  # log-odds of a label before anything is read

    def forward(
        self, tokens: torch.Tensor, mask: torch.Tensor, review: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(logits (spans, labels), vectors (spans, labels, width))."""
        vectors = self.attention(tokens, mask)
        return (vectors * self.weight).sum(-1) + row_by_row(self.of_review, review), vectors


class Heads(nn.Module):
    """All questions over the token vectors of a batch."""

    def __init__(self, questions: Questions, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.questions = questions
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.themes = Labels(len(questions.themes), width, -5.0)
        # Towards a theme: what all themes share, and what is its own ("long" is bad for a queue and good for a battery).
        self.polarity = nn.Linear(width, CLASSES)
        self.polarity_of_review = nn.Linear(width, CLASSES)
        self.polarity_of_theme = nn.Parameter(torch.zeros(len(questions.themes), CLASSES, width))
        self.wish = Labels(1, width, -3.0)
        self.target = nn.Linear(2 * width, CLASSES)
        self.emotions = Labels(len(questions.emotions), width, -3.0)
        # Readers of a review name what its writer feels; GoEmotions' readers what a comment says. The former is a
        # correction of the latter.
        self.felt = Labels(len(questions.emotions), width, 0.0)
        self.review = LabelAttention(2, width)
        self.stars = nn.Linear(width, STARS)
        self.sentiment = nn.Linear(width, CLASSES)

    def tokens(self, hidden: torch.Tensor) -> torch.Tensor:
        """The encoder's last layer (rows, tokens, width), ready for `reviews` and `spans`."""
        normed: torch.Tensor = self.dropout(self.norm(hidden.float()))
        return normed

    def reviews(self, tokens: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits per row: `stars` (rows, 5), `sentiment` (rows, 3), `emotions` and `felt` (rows, emotions); and `mean`
        (rows, width), which `spans` wants. `mask` (rows, tokens): True where there is a token.
        """
        mean = (tokens * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        views = self.review(tokens, mask)
        emotions, _ = self.emotions(tokens, mask, mean)
        correction, _ = self.felt(tokens, mask, mean)
        return {
            "mean": mean,
            "stars": row_by_row(self.stars, views[:, 0]),
            "sentiment": row_by_row(self.sentiment, views[:, 1]),
            "emotions": emotions,
            "felt": emotions + correction,
        }

    def spans(self, tokens: torch.Tensor, mean: torch.Tensor, spans: Sequence[Span]) -> dict[str, torch.Tensor]:
        """Logits per span: `themes` (spans, themes), `polarity` (spans, themes, 3), `wish` (spans)."""
        groups = by_length(spans) or [[]]
        answers = [self._of_one_length(tokens, mean, [spans[index] for index in group]) for group in groups]
        back = torch.tensor([index for group in groups for index in group], dtype=torch.long).argsort()
        return {name: torch.cat([answer[name] for answer in answers])[back] for name in answers[0]}

    def _of_one_length(
        self, tokens: torch.Tensor, mean: torch.Tensor, spans: Sequence[Span]
    ) -> dict[str, torch.Tensor]:
        count = len(spans)
        gathered, mask, rows = gather(tokens, [*spans, *[*spans[:1]] * (padded(count) - count)])
        review = mean[rows]
        themes, vectors = self.themes(gathered, mask, review)
        polarity = (
            self.polarity(vectors)
            + self.polarity_of_review(review).unsqueeze(1)
            + torch.einsum("utd,tkd->utk", vectors, self.polarity_of_theme)
        )
        wish, _ = self.wish(gathered, mask, review)
        return {"themes": themes[:count], "polarity": polarity[:count], "wish": wish[:count, 0]}

    def targets(self, tokens: torch.Tensor, targets: Sequence[Span], sentences: Sequence[Span]) -> torch.Tensor:
        """Logits (targets, 3) of what is said about words of a sentence: each target with the span of its sentence."""
        words, sentence = span_means(tokens, targets), span_means(tokens, sentences)
        return row_by_row(self.target, torch.cat([words, sentence], -1))


def row_by_row(layer: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """The layer's output per row (rows, in) -> (rows, out), whatever their number."""
    filled = functional.pad(rows, (0, 0, 0, padded(len(rows)) - len(rows)))
    output: torch.Tensor = layer(filled)
    return output[: len(rows)]


def by_length(spans: Sequence[Span]) -> list[list[int]]:
    """Indices of spans of the same padded length, the shortest first."""
    groups: dict[int, list[int]] = {}
    for index, (_, start, end) in enumerate(spans):
        groups.setdefault(padded(end - start), []).append(index)
    return [groups[length] for length in sorted(groups)]


def gather(tokens: torch.Tensor, spans: Sequence[Span]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(tokens of each span (spans, longest, width), mask (spans, longest), rows (spans)); `longest` is padded."""
    at = torch.tensor(spans, dtype=torch.long, device=tokens.device).reshape(-1, 3)
    rows, starts, lengths = at[:, 0], at[:, 1], at[:, 2] - at[:, 1]
    longest = padded(int(lengths.max())) if len(at) else 0
    steps = torch.arange(longest, device=tokens.device)
    mask = steps < lengths.unsqueeze(1)
    positions = (starts.unsqueeze(1) + steps).clamp(max=tokens.shape[1] - 1)
    return tokens[rows.unsqueeze(1), positions] * mask.unsqueeze(-1), mask, rows


def span_means(tokens: torch.Tensor, spans: Sequence[Span]) -> torch.Tensor:
    """Mean token vector per span, (spans, width)."""
    means = tokens.new_zeros(len(spans), tokens.shape[-1])
    for group in by_length(spans):
        gathered, mask, _ = gather(tokens, [spans[index] for index in group])
        means[group] = gathered.sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
    return means
