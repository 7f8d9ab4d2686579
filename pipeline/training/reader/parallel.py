"""Translations learn from their originals: what the reader says of an English sentence holds for the same sentence in other
languages, whatever the labels leave open (distillation across languages: Reimers and Gurevych 2020, "Making Monolingual
Sentence Embeddings Multilingual", does so with vectors).

The original's answers are the reader's own, taken anew every EVERY steps, as English is what it has most labels of; where people
labelled the sentence, their labels stand in their place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from pipeline.reader.encoder import Encoder, by_tokens
from pipeline.reader.network import Heads
from pipeline.training.reader.examples import Example

EVERY = 1_000  # steps
BATCH = 8_000  # tokens of originals at a time
_OF_REVIEWS = ("sentiment", "stars", "emotions", "felt")
_FEWEST = 8  # a loss is divided by no less: a single sentence in a batch is noise


@dataclass(frozen=True)
class Lessons:
    """Answers of the originals: `rows` of a key in each tensor of probabilities. `themes` (originals, themes), `polarity`
    (originals, themes, 3), `sentiment` (originals, 3), `stars` (originals, 5), `emotions` and `felt` (originals, emotions).
    """

    rows: Mapping[str, int]
    answers: Mapping[str, torch.Tensor]


def originals(examples: Iterable[Example]) -> list[Example]:
    """The English sentences that have translations, by key."""
    rows = list(examples)
    translated = {row.key for row in rows if row.language != "en"}
    return sorted(
        (row for row in rows if row.language == "en" and row.key in translated - {""}), key=lambda row: row.key
    )


def translations(examples: Iterable[Example]) -> list[Example]:
    """The translations of `originals`, with nothing to learn but what these say."""
    rows = list(examples)
    known = {row.key for row in originals(rows)}
    return [
        Example(row.text, row.language, f"{row.source}/parallel", sentences=row.sentences, key=row.key, is_taught=True)
        for row in rows
        if row.language != "en" and row.key in known
    ]


@torch.no_grad()
def lessons(
    encoder: Encoder, heads: Heads, rows: Sequence[Example], ids: Sequence[list[int]], theme: Mapping[str, int]
) -> Lessons:
    """What the network says of the originals now. `ids`: their tokens, wrapped; `theme`: index of each among the outputs."""
    training = encoder.network.training
    encoder.network.eval()
    heads.eval()
    answers: dict[str, list[torch.Tensor | None]] = {}
    for batch in by_tokens([len(one) for one in ids], BATCH):
        with torch.autocast("cpu", torch.bfloat16):
            hidden, mask = encoder.hidden([ids[index] for index in batch])
        tokens = heads.tokens(hidden)
        review = heads.reviews(tokens, mask)
        whole = [(row, len(encoder.prefix), len(ids[index]) - len(encoder.suffix)) for row, index in enumerate(batch)]
        said = heads.spans(tokens, review["mean"], whole)
        found = {
            "themes": said["themes"].sigmoid(),
            "polarity": said["polarity"].softmax(-1),
            "sentiment": review["sentiment"].softmax(-1),
            "stars": review["stars"].softmax(-1),
            "emotions": review["emotions"].sigmoid(),
            "felt": review["felt"].sigmoid(),
        }
        for name, values in found.items():
            column = answers.setdefault(name, [None] * len(rows))
            for row, index in enumerate(batch):
                column[index] = values[row]
    encoder.network.train(training)
    heads.train(training)
    stacked = {name: torch.stack([value for value in column if value is not None]) for name, column in answers.items()}
    _overrule(stacked, rows, theme)
    return Lessons({row.key: index for index, row in enumerate(rows)}, stacked)


def _overrule(answers: Mapping[str, torch.Tensor], rows: Sequence[Example], theme: Mapping[str, int]) -> None:
    """Puts what people said of the originals in the place of the answers."""
    for index, row in enumerate(rows):
        answers["themes"][index, [theme[name] for name in sorted(row.themes)]] = 0.0
        for mention in row.mentions:
            if len(mention.themes) == 1:
                answers["themes"][index, theme[mention.themes[0]]] = 1.0
            if mention.polarity >= 0:
                columns = [theme[name] for name in mention.themes]
                answers["polarity"][index, columns] = functional.one_hot(torch.tensor(mention.polarity), 3).float()


def loss(
    heads: Heads,
    tokens: torch.Tensor,
    review: Mapping[str, torch.Tensor],
    taught: Sequence[tuple[int, tuple[int, int], str]],
    known: Lessons,
) -> torch.Tensor | None:
    """How far translations are from their lessons, per sentence; None if the batch has none. `taught`: row of the batch,
    tokens (start, end), key.
    """
    given = [(row, span, known.rows[key]) for row, span, key in taught if key in known.rows]
    if not given:
        return None
    rows = torch.tensor([row for row, *_ in given])
    wanted = {name: values[[index for *_, index in given]] for name, values in known.answers.items()}
    said = heads.spans(tokens, review["mean"], [(row, *span) for row, span, _ in given])
    themes = functional.binary_cross_entropy_with_logits(said["themes"], wanted["themes"], reduction="none").sum()
    towards = -(wanted["polarity"] * said["polarity"].log_softmax(-1)).sum(-1)
    total = themes + (wanted["themes"] * towards).sum()
    for name in _OF_REVIEWS:
        logits = review[name][rows]
        if name in ("sentiment", "stars"):
            total = total - 0.5 * (wanted[name] * logits.log_softmax(-1)).sum()
        else:
            total = total + 0.3 * functional.binary_cross_entropy_with_logits(logits, wanted[name], reduction="sum")
    return total / max(len(given), _FEWEST)
