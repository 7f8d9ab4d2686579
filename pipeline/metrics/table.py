"""What each metric is. A new one is a module with a `scorer(profile)`, a line here, and a migration with its columns.

The stage `score` fills the columns, the run's `metrics` and `comparisons`, the check, the report, the view
`text_metrics` and docs/metrics.md follow. Regenerate: python -m tests.test_docs, and
python -m tests.core.test_warehouse > warehouse/schema.sql.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.core.profile import Profile
from pipeline.metrics.scorer import Scorer


@dataclass(frozen=True)
class Metric:
    """A figure of a candidate text. Unless `value` derives it, it is the column of that name in `scores`."""

    name: str
    title: str  # in the report
    against: Literal["reference", "review", "text"]  # the teacher's text, the review it was written for, or nothing
    meaning: str  # in docs/metrics.md
    scorer: str = ""  # "module:function" that gives the Scorer of a profile; one scorer may fill several columns
    signal: bool = False  # shows that a text is broken or games other metrics, rather than how good it is
    higher_is_better: bool | None = None  # None: neither is
    unit: Literal["value", "share"] = "value"  # a share is shown in percent
    tolerance: float | None = None  # how far the mean may move before it matters; None: not compared
    broken: tuple[str, float] | None = (
        None  # (name, limit): `check` follows the share of texts above the limit under this name
    )
    chart: bool = False  # the report shows the distribution of its values
    also: Mapping[str, str] | None = None  # further columns of its scorer that are not metrics -> meaning
    rows: Literal["scores", "feedback"] = "scores"  # the view that `value` reads
    value: Callable[[Mapping[str, Any]], float | None] | None = None

    def of(self, row: Mapping[str, Any]) -> float | None:
        """The value in a row of `scores` or `feedback`."""
        value = self.value(row) if self.value else row[self.name]
        return None if value is None else float(value)


_BLEURT = "pipeline.metrics.bleurt:scorer"
_BERTSCORE = "pipeline.metrics.bertscore:scorer"
_GROUNDING = "pipeline.metrics.grounding:scorer"
_JUDGE = "pipeline.metrics.judge:scorer"
_SIGNALS = "pipeline.metrics.signals:scorer"

METRICS = (
    Metric(
        "bleurt",
        "BLEURT",
        "reference",
        "learned similarity to the teacher's text (Sellam et al. 2020; Pu et al. 2021). Not bounded; comparable within one "
        "checkpoint only. In the `embedded` profile a **stand-in**: MiniLM trained to predict BLEURT-base-128",
        _BLEURT,
        higher_is_better=True,
        tolerance=0.01,
        chart=True,
    ),
    Metric(
        "bertscore_f1",
        "BERTScore F1",
        "reference",
        "F1 of greedily matched token vectors (Zhang et al. 2020). In the `embedded` profile on MiniLM: a **stand-in** too",
        _BERTSCORE,
        higher_is_better=True,
        tolerance=0.003,
        chart=True,
    ),
    Metric(
        "meteor",
        "METEOR",
        "reference",
        "word matches by form, stem and WordNet 3.0 synonym, with a penalty for other word order (Banerjee and Lavie 2005), "
        "with NLTK's values. 0 to 1",
        "pipeline.metrics.meteor:scorer",
        higher_is_better=True,
        tolerance=0.005,
        chart=True,
    ),
    Metric(
        "grounding",
        "Grounding (reciprocal rank)",
        "review",
        "1 / rank of the text's own review among 100 by MiniLM cosine: 1 means found first, an unspecific text gets about 0.05. "
        "NULL where there is no other review",
        _GROUNDING,
        higher_is_better=True,
        tolerance=0.02,
        chart=True,
    ),
    Metric(
        "grounding_r1",
        "Grounding (found first of 100)",
        "review",
        "share found first",
        _GROUNDING,
        higher_is_better=True,
        value=lambda row: row["grounding"] == 1,
    ),
    Metric(
        "judge",
        "Judge (prefers it to the teacher's)",
        "reference",
        "a language model's verdict against the teacher's text, asked in both orders (Zheng et al. 2023): 1 preferred, "
        "0.5 tie, 0 not; NULL where no judge was asked or it gave no verdict",
        _JUDGE,
        higher_is_better=True,
        tolerance=0.05,
        also={
            "judge_reason": "the judge's own words",
            "judge_error": "why the judge gave no verdict",
            "masked": "kind (e-mail, name, ...) -> values for which the judge read a placeholder",
        },
    ),
    Metric(
        "prompt_echo",
        "prompt echoed",
        "text",
        "share of the prompt's word 4-grams that the raw output repeats",
        _SIGNALS,
        signal=True,
        higher_is_better=False,
        unit="share",
    ),
    Metric(
        "copied_share",
        "copied",
        "review",
        "share of the text's word 4-grams that occur in the review: near 1 for a text that only quotes",
        _SIGNALS,
        signal=True,
        higher_is_better=False,
        unit="share",
    ),
    Metric(
        "repetition",
        "repeated",
        "text",
        "share of the text's word 4-grams that it used before: near 1 in a loop",
        _SIGNALS,
        signal=True,
        higher_is_better=False,
        unit="share",
        broken=("repetitive", 0.2),
    ),
    Metric(
        "length_ratio",
        "length",
        "reference",
        "words per word of the teacher's text, best near 1; NULL for the teacher",
        "pipeline.metrics.signals:length_scorer",
        signal=True,
    ),
    Metric(
        "unfinished",
        "unfinished",
        "text",
        "stops in mid-sentence or after a bare list number, or is empty",
        _SIGNALS,
        signal=True,
        higher_is_better=False,
        unit="share",
        broken=("unfinished", 0),
    ),
    Metric(
        "truncated",
        "cut by token limit",
        "text",
        "cut by the token limit",
        signal=True,
        higher_is_better=False,
        unit="share",
        broken=("truncated", 0),
        rows="feedback",
        value=lambda row: bool(row["truncated"]),
    ),
    Metric(
        "wrong_language",
        "wrong language",
        "text",
        "not in English, the language of the prompts; NULL where the detector is not sure",
        _SIGNALS,
        signal=True,
        higher_is_better=False,
        unit="share",
        broken=("wrong_language", 0),
    ),
    Metric(
        "failed",
        "failed",
        "text",
        "no usable text",
        signal=True,
        higher_is_better=False,
        unit="share",
        broken=("failed", 0),
        rows="feedback",
        value=lambda row: row["error"] is not None,
    ),
    Metric(
        "bleurt_cut",
        "not read to the end by BLEURT",
        "reference",
        "the pair did not fit into BLEURT's window: ends were not read, and the value speaks of the openings only",
        _BLEURT,
        signal=True,
        higher_is_better=False,
        unit="share",
    ),
    Metric(
        "bertscore_cut",
        "by BERTScore",
        "reference",
        "the same for BERTScore",
        _BERTSCORE,
        signal=True,
        higher_is_better=False,
        unit="share",
    ),
)
QUALITY = tuple(metric for metric in METRICS if not metric.signal)
SIGNALS = tuple(metric for metric in METRICS if metric.signal)
COMPARED = tuple(metric for metric in METRICS if metric.tolerance is not None)  # with controls, and with a baseline

# Who wrote a candidate.
ROLES = {
    "teacher": "teacher",
    "student": "tuned student",
    "student_base": "base student",
    "control_constant": "control: one constant text",
    "control_nearest": "control: nearest review's text",
    "control_shuffled": "control: shuffled texts",
}


def scorers(profile: Profile) -> Iterator[tuple[Scorer, tuple[Metric, ...]]]:
    """Each scorer of the table once, with the metrics it serves, in the table's order. Loads no model."""
    for path in dict.fromkeys(metric.scorer for metric in METRICS if metric.scorer):
        scorer: Scorer = pkgutil.resolve_name(path)(profile)
        yield scorer, tuple(metric for metric in METRICS if metric.scorer == path)
