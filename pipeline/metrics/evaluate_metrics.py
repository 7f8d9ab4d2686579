"""The metrics as `evaluate.Metric` classes, for use offline and with `evaluate.combine`.

    evaluate.combine([Meteor(), Bertscore(model="minilm"), Grounding(distractors=reviews)]).compute(
        predictions=texts, references=teacher_texts, reviews=reviews
    )

A module of its own, because importing `evaluate` takes seconds that scoring need not wait for. A metric takes its options
in the constructor, because `combine` passes every argument of `compute` to all metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import datasets
import evaluate

from pipeline.metrics import bertscore, bleurt, grounding, meteor


class _Metric(evaluate.Metric):
    """`compute` gives the mean under the metric's name, and under NAME_scores the values per row."""

    key: ClassVar[str]
    second: ClassVar[str] = "references"
    description: ClassVar[str]
    citation: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        self.options = options
        super().__init__(keep_in_memory=True)  # no files that two processes could fight over

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=self.description,
            citation=self.citation,
            inputs_description=f"predictions and {self.second}: lists of str, one each per row",
            features=datasets.Features({"predictions": text, self.second: text}),
        )

    def _compute(self, **inputs: Any) -> dict[str, float | list[float] | None]:
        values = self._score(list(inputs["predictions"]), list(inputs[self.second]))
        known = [value for value in values if value == value]
        return {self.key: sum(known) / len(known) if known else None, f"{self.key}_scores": values}

    def _score(self, predictions: Sequence[str], second: Sequence[str]) -> list[float]:
        raise NotImplementedError


class Bleurt(_Metric):
    """Options: model, revision, batch_size, device."""

    key = "bleurt"
    description = "BLEURT of each prediction against its reference."
    citation = "Sellam et al. 2020; Pu et al. 2021"

    def _score(self, predictions: Sequence[str], second: Sequence[str]) -> list[float]:
        return bleurt.score(predictions, second, **self.options)


class Bertscore(_Metric):
    """Options: model, revision, num_layers, rescale_with_baseline, lang, batch_size, device."""

    key = "bertscore_f1"
    description = "BERTScore F1 of each prediction against its reference."
    citation = "Zhang et al. 2020"

    def _score(self, predictions: Sequence[str], second: Sequence[str]) -> list[float]:
        return bertscore.score(predictions, second, **self.options)


class Meteor(_Metric):
    """No options."""

    key = "meteor"
    description = "METEOR of each prediction against its reference, by NLTK."
    citation = "Banerjee and Lavie 2005; Lavie and Agarwal 2007"

    def _score(self, predictions: Sequence[str], second: Sequence[str]) -> list[float]:
        return meteor.score(predictions, second, **self.options)


class Grounding(_Metric):
    """Options: distractors (required), pool, embed. Its second input is `reviews`, not `references`."""

    key = "grounding"
    second = "reviews"
    description = "Reciprocal rank of the text's own review among others, by the cosine of sentence embeddings."
    citation = "Mean reciprocal rank: Voorhees 1999"

    def _score(self, predictions: Sequence[str], second: Sequence[str]) -> list[float]:
        return grounding.score(predictions, second, **self.options)
