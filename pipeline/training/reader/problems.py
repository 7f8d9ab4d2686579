"""Sentences of the library of problems, and the loss that keeps its problems apart in the reader's vectors.

Each problem has a vector of its own while the reader is trained, to which the sentences that describe it are drawn and from
which those of all others are kept (proxies: Movshovitz-Attias et al. 2017, "No Fuss Distance Metric Learning using Proxies").
They become the weights that ship; those of a problem that is added later are computed from its sentences (`advice.matching`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import filterfalse

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pipeline.advice import matching
from pipeline.advice.problems import Problem, load_problems
from pipeline.reader.network import span_means
from pipeline.themes.taxonomy import load_taxonomy
from pipeline.training.reader.examples import Case, Example, Mention, is_held_out

SEED = 20261126
_AND = {"en": " and ", "de": " und ", "fr": " et ", "es": " y ", "it": " e ", "pt": " e ", "zh": "，", "ja": "、"}
_UNSPACED = ("zh", "ja")
_FEWEST = 8


def examples() -> Iterator[Example]:
    """Every sentence of `say` that is not held out, alone; about as many reviews that string two or three of one trade and language together; and the
    sentences of `not`, of which only that is known.
    """
    problems = load_problems()
    absent = _absent(problems)
    by_trade: dict[tuple[str, str], list[tuple[Problem, str]]] = {}
    for problem in problems:
        for language, sentences in problem.say:
            for sentence in filterfalse(is_held_out, sentences):
                yield _joined([(problem, sentence)], language, absent)
                for trade in problem.trades:
                    by_trade.setdefault((trade, language), []).append((problem, sentence))
        for sentence in problem.unlike:
            yield Example(
                sentence,
                "en",
                "own/problems",
                ((0, len(sentence)),),
                cases=(Case(0, (problem.id,), is_one=False),),
                key=sentence,
            )
    rng = random.Random(SEED)
    for (_, language), pairs in sorted(by_trade.items()):
        rng.shuffle(pairs)
        at = 0
        while at + 1 < len(pairs):
            some = pairs[at : at + rng.choice((2, 2, 3))]
            at += len(some)
            yield _joined(some, language, absent, as_list=rng.random() < 0.3)


def _absent(problems: Sequence[Problem]) -> dict[str, frozenset[str]]:
    """Per problem the themes that its sentences cannot be about, as they belong to other trades."""
    aspects = load_taxonomy().aspects
    return {
        problem.id: frozenset(a.id for a in aspects if a.trades and not set(a.trades) & set(problem.trades))
        for problem in problems
    }


def _joined(
    pairs: Sequence[tuple[Problem, str]], language: str, absent: dict[str, frozenset[str]], as_list: bool = False
) -> Example:
    if as_list:
        parts = [sentence.rstrip(".!。！ ") for _, sentence in pairs]
        text = ", ".join(parts[:-1]) + _AND.get(language, ", ") + parts[-1] + ("。" if language in _UNSPACED else ".")
        spans, numbers = [(0, len(text))], [0] * len(pairs)
    else:
        text, spans, numbers = "", [], list(range(len(pairs)))
        for _, sentence in pairs:
            text += ("" if language in _UNSPACED or not text else " ") + sentence
            spans.append((len(text) - len(sentence), len(text)))
    named = {problem.theme for problem, _ in pairs} - {"general"}
    known = frozenset.intersection(*(absent[problem.id] for problem, _ in pairs)) | named
    return Example(
        text,
        language,
        "own/problems",
        tuple(spans),
        mentions=tuple(
            Mention(n, (problem.theme,), 0)
            for n, (problem, _) in zip(numbers, pairs, strict=True)
            if problem.theme != "general"
        ),
        themes=known if as_list or len(pairs) == 1 else known - named,
        sentiment=0,
        stars=(1, 2),
        cases=() if as_list else tuple(Case(n, (problem.id,)) for n, (problem, _) in enumerate(pairs)),
        key=text,
    )


class Proxies(nn.Module):
    """A vector per problem, and the score of none."""

    def __init__(self, width: int) -> None:
        super().__init__()
        problems = load_problems()
        self.index = {problem.id: index for index, problem in enumerate(problems)}
        self.of_theme: dict[str, list[int]] = {}
        for index, problem in enumerate(problems):
            self.of_theme.setdefault(problem.theme, []).append(index)
        self.weight = nn.Parameter(torch.randn(len(self.index), width) / width**0.5)
        self.none = nn.Parameter(torch.tensor(matching.SCALE / 2))

    def loss(self, hidden: torch.Tensor, found: Sequence[tuple[int, tuple[int, int], Case]]) -> torch.Tensor | None:
        """Cross-entropy of the right problems among those that compete and none; of a sentence that is no case of one, minus
        log of that. `hidden`: the encoder's last layer (rows, tokens, width); `found`: row, tokens (start, end), what they are
        a case of. None: nothing is known.
        """
        given = [(row, span, case) for row, span, case in found if set(case.problems) <= self.index.keys()]
        if not given:
            return None
        vectors = functional.normalize(span_means(hidden.float(), [(row, *span) for row, span, _ in given]), dim=-1)
        cosines = vectors @ functional.normalize(self.weight, dim=-1).T
        logits = torch.cat([matching.SCALE * cosines, self.none.expand(len(given), 1)], 1)
        compete, right = (torch.zeros(logits.shape, dtype=torch.bool) for _ in range(2))
        for number, (*_, case) in enumerate(given):
            indices = [self.index[name] for name in case.problems] or [len(self.index)]
            right[number, indices] = True
            if case.theme:
                compete[number, [*self.of_theme.get(case.theme, ()), *indices, len(self.index)]] = True
            else:
                compete[number] = True
        of_each = logits.masked_fill(~compete, -torch.inf).log_softmax(-1).masked_fill(~right, -torch.inf).logsumexp(-1)
        is_one = torch.tensor([case.is_one for *_, case in given])
        total = torch.where(is_one, -of_each, -torch.log(-torch.expm1(of_each.clamp(max=-1e-6))))
        return total.sum() / max(len(given), _FEWEST)

    def weights(self, centre: Sequence[float]) -> matching.Weights:
        """For vectors from which the mean `centre` was taken and which were stretched to unit length, as the reader stores them."""
        middle = np.array(centre, np.float32)
        proxies = functional.normalize(self.weight.detach(), dim=-1).numpy()
        none = float(self.none.detach())
        return matching.Weights(matching.SCALE * proxies, matching.SCALE * (proxies @ middle), none, middle)
