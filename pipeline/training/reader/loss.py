"""From examples to tensors, and the loss: the sum over the questions, each over what is labelled only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn import functional

from pipeline.reader.encoder import Encoder
from pipeline.reader.network import Heads, Questions, Span
from pipeline.training.reader import parallel
from pipeline.training.reader.examples import UNKNOWN, Example
from pipeline.training.reader.problems import Proxies

LONGEST = 384  # tokens of a training text; a longer one ends there
# How much a question counts, per labelled item.
WEIGHTS = {
    "themes": 1.0,
    "polarity": 1.0,
    "wish": 0.5,
    "target": 1.0,
    "sentiment": 1.0,
    "stars": 0.5,
    "emotions": 0.6,
    "taught": 1.0,
    "problems": 0.5,
}
# A question's loss is divided by its labelled items, but by no less than this: a single item in a batch is noise.
_FEWEST = {"themes": 8, "polarity": 8, "wish": 8, "target": 16, "sentiment": 8, "stars": 8, "emotions": 8}
PRESENT = 1.5  # weight of a label that applies, against one that does not
_TINY = 1e-6


@dataclass(frozen=True)
class Encoded:
    """An example's tokens; `sentences` and `targets` as token spans (start, end) of the wrapped text."""

    ids: list[int]
    sentences: list[tuple[int, int]]
    targets: list[tuple[int, int, int]]  # start, end, index of the example's target
    of_targets: list[tuple[int, int]] = field(default_factory=list)  # each target's sentence


def encode(encoder: Encoder, examples: Sequence[Example]) -> list[Encoded]:
    """Tokens of the examples, cut at LONGEST."""
    return [
        _encoded(encoder, example, *tokens)
        for example, tokens in zip(examples, encoder.tokenize([e.text for e in examples]), strict=True)
    ]


def _encoded(encoder: Encoder, example: Example, ids: list[int], offsets: list[tuple[int, int]]) -> Encoded:
    kept = ids[: LONGEST - len(encoder.prefix) - len(encoder.suffix)] or [encoder.pad_id]
    count = min(len(kept), len(offsets))  # a text of control characters has no tokens
    shift = len(encoder.prefix)
    sentences = [
        (start + shift, end + shift) for start, end in (token_span(offsets, *span, count) for span in example.sentences)
    ]
    targets, of_targets = [], []
    for index, target in enumerate(example.targets):
        start, end = token_span(offsets, target.start, target.end, count)
        if end > start:
            targets.append((start + shift, end + shift, index))
            of_targets.append(next((s for s in sentences if s[0] <= start + shift < s[1]), (shift, shift + len(kept))))
    return Encoded(encoder.wrap(kept), sentences, targets, of_targets)


def token_span(offsets: Sequence[tuple[int, int]], start: int, end: int, count: int) -> tuple[int, int]:
    """The tokens (first, after the last) of the first `count` that hold characters from `start` to `end`; an empty span at
    the place where there are none.
    """
    first = next((i for i in range(count) if offsets[i][1] > start), count)
    last = first
    while last < count and offsets[last][0] < end:
        last += 1
    return first, last


@dataclass(frozen=True)
class Known:
    """Index of each theme and emotion among the outputs."""

    questions: Questions
    theme: dict[str, int]
    emotion: dict[str, int]

    @classmethod
    def of(cls, questions: Questions) -> Known:
        """For these questions."""
        return cls(
            questions,
            {name: index for index, name in enumerate(questions.themes)},
            {name: index for index, name in enumerate(questions.emotions)},
        )


def losses(
    heads: Heads,
    proxies: Proxies,
    hidden: torch.Tensor,
    mask: torch.Tensor,
    batch: Sequence[tuple[Example, Encoded]],
    known: Known,
    lessons: parallel.Lessons | None = None,
) -> dict[str, torch.Tensor]:
    """Loss per question that the batch has labels or lessons for."""
    tokens = heads.tokens(hidden)
    review = heads.reviews(tokens, mask)
    found: dict[str, torch.Tensor] = {}
    sentiment = torch.tensor([example.sentiment for example, _ in batch])
    if (sentiment != UNKNOWN).any():
        at = sentiment != UNKNOWN
        found["sentiment"] = _mean(
            functional.cross_entropy(review["sentiment"][at], sentiment[at], reduction="none", label_smoothing=0.03),
            "sentiment",
        )
    starred = [(row, stars) for row, (example, _) in enumerate(batch) for stars in example.stars]
    if starred:
        rows, values = (torch.tensor(column) for column in zip(*starred, strict=True))
        found["stars"] = _mean(functional.cross_entropy(review["stars"][rows], values - 1, reduction="none"), "stars")
    emotion = _grouped(
        [(row, example.emotions, example.felt) for row, (example, _) in enumerate(batch) if example.emotions],
        review,
        known,
    )
    if emotion is not None:
        found["emotions"] = emotion
    found |= _of_sentences(heads, tokens, review["mean"], batch, known)
    targets = [(row, *t[:2]) for row, (_, encoded) in enumerate(batch) for t in encoded.targets]
    if targets:
        sentences = [(row, *s) for row, (_, encoded) in enumerate(batch) for s in encoded.of_targets]
        truth = torch.tensor(
            [example.targets[index].polarity for example, encoded in batch for *_, index in encoded.targets]
        )
        logits = heads.targets(tokens, targets, sentences)
        found["target"] = _mean(functional.cross_entropy(logits, truth, reduction="none"), "target")
    if lessons:
        spans = [(row, encoded.sentences[0], e.key) for row, (e, encoded) in enumerate(batch) if e.is_taught]
        taught = parallel.loss(heads, tokens, review, [span for span in spans if span[1][1] > span[1][0]], lessons)
        if taught is not None:
            found["taught"] = taught
    cases = [
        (row, encoded.sentences[case.sentence], case)
        for row, (example, encoded) in enumerate(batch)
        for case in example.cases
    ]
    apart = proxies.loss(hidden, [(row, span, case) for row, span, case in cases if span[1] > span[0]])
    if apart is not None:
        found["problems"] = apart
    return {name: WEIGHTS[name] * value for name, value in found.items()}


def _mean(values: torch.Tensor, question: str) -> torch.Tensor:
    return values.sum() / max(len(values), _FEWEST[question])


def _any(logits: torch.Tensor) -> torch.Tensor:
    """log P(none of the labels) for independent labels: sum of log(1 - p)."""
    return functional.logsigmoid(-logits).sum(-1)


def _grouped(
    rows: Sequence[tuple[int, Sequence[tuple[tuple[str, ...], bool]], bool]],
    review: dict[str, torch.Tensor],
    known: Known,
) -> torch.Tensor | None:
    if not rows:
        return None
    singles: list[tuple[int, int, list[int], bool]] = []
    groups: list[tuple[int, int, list[int], bool]] = []
    for row, labels, felt in rows:
        for names, present in labels:
            entry = (row, int(felt), [known.emotion[name] for name in names], present)
            (singles if len(names) == 1 else groups).append(entry)
    both = torch.stack([review["emotions"], review["felt"]])
    total = both.new_zeros(())
    if singles:
        at = torch.tensor([(which, row, columns[0]) for row, which, columns, _ in singles])
        logits = both[at[:, 0], at[:, 1], at[:, 2]]
        truth = torch.tensor([float(present) for *_, present in singles])
        total = total + functional.binary_cross_entropy_with_logits(
            logits, truth * 0.98 + 0.002, pos_weight=torch.tensor(PRESENT), reduction="sum"
        )
    for row, which, columns, present in groups:
        none = _any(both[which, row, columns])
        total = total - (PRESENT * torch.log(-torch.expm1(none.clamp(max=-_TINY))) if present else none)
    return total / max(len(rows), _FEWEST["emotions"])


def _of_sentences(
    heads: Heads,
    tokens: torch.Tensor,
    mean: torch.Tensor,
    batch: Sequence[tuple[Example, Encoded]],
    known: Known,
) -> dict[str, torch.Tensor]:
    spans: list[Span] = []
    where: dict[tuple[int, int], int] = {}
    for row, (example, encoded) in enumerate(batch):
        if example.themes or example.mentions or example.wishes is not None:
            for number, (start, end) in enumerate(encoded.sentences):
                if end > start:
                    where[row, number] = len(spans)
                    spans.append((row, start, end))
    if not spans:
        return {}
    answers = heads.spans(tokens, mean, spans)
    truth = torch.zeros_like(answers["themes"])
    weight = torch.zeros_like(truth)
    divided: list[tuple[int, list[int]]] = []
    towards: list[tuple[int, int, int]] = []
    share: list[float] = []  # of a mention: whichever theme of a group is meant, this is what is said about it
    for row, (example, _) in enumerate(batch):
        columns = [known.theme[theme] for theme in example.themes]
        for number in range(len(example.sentences)):
            if columns and (row, number) in where:
                weight[where[row, number], columns] = 1.0
        for mention in example.mentions:
            span = where.get((row, mention.sentence))
            if span is None:
                continue
            named = [known.theme[theme] for theme in mention.themes]
            if len(named) == 1:
                truth[span, named] = 1.0
                weight[span, named] = PRESENT
            else:
                weight[span, named] = 0.0
                divided.append((span, named))
            if mention.polarity != UNKNOWN:
                towards += [(span, theme, mention.polarity) for theme in named]
                share += [1 / len(named)] * len(named)
    found = {}
    decided = (weight > 0).any(1)
    if decided.any() or divided:
        per_label = functional.binary_cross_entropy_with_logits(answers["themes"], truth, reduction="none") * weight
        total = per_label.sum()
        for span, named in divided:
            total = total - PRESENT * torch.log(-torch.expm1(_any(answers["themes"][span, named]).clamp(max=-_TINY)))
        found["themes"] = total / max(int(decided.sum()), _FEWEST["themes"])
    if towards:
        at = torch.tensor(towards)
        logits = answers["polarity"][at[:, 0], at[:, 1]]
        of_each = functional.cross_entropy(logits, at[:, 2], reduction="none", label_smoothing=0.03)
        weights = torch.tensor(share)
        found["polarity"] = (of_each * weights).sum() / max(float(weights.sum()), _FEWEST["polarity"])
    wishes = [
        (span, float(number in example.wishes))
        for (row, number), span in where.items()
        if (example := batch[row][0]).wishes is not None
    ]
    if wishes:
        at = torch.tensor([span for span, _ in wishes])
        truth_of = torch.tensor([value for _, value in wishes])
        found["wish"] = _mean(
            functional.binary_cross_entropy_with_logits(answers["wish"][at], truth_of, reduction="none"), "wish"
        )
    return found
