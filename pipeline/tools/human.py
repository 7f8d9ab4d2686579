"""Do the metrics agree with people? Segment-level correlation with human ratings of translations into English (WMT17).

    review-insights study people --data DATA

DATA holds `metrics/wmt17/*.tsv`, one file per language pair with the columns LP, translation, reference, HUMAN_score (a
standardised direct assessment: higher is better) and sentBLEU: the segments of the WMT17 metrics task as
https://github.com/AIPHES/ACL20-Reference-Free-MT-Evaluation reads them. Every metric that runs without a download is
measured beside two baselines: the ratio of lengths, and the sentBLEU that comes with the data. Results:
docs/metrics-and-people.md.
"""

from __future__ import annotations

import csv
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.core.errors import InputError
from pipeline.quality import intervals

Values = Sequence[float] | np.ndarray
Metric = Callable[[Sequence[str], Sequence[str]], Values]  # (candidates, references) -> a value per pair

COLUMNS = ("LP", "translation", "reference", "HUMAN_score", "sentBLEU")
RESAMPLES = 1000


@dataclass(frozen=True)
class Segment:
    """A rated translation."""

    pair: str  # of languages: "cs-en"
    translation: str
    reference: str
    human: float
    sentbleu: float


@dataclass(frozen=True)
class Agreement:
    """How one metric's values correlate with people's on the segments of one language pair."""

    pair: str
    metric: str
    n: int
    pearson: float
    low: float  # 95 % bootstrap interval of pearson, over segments
    high: float
    kendall: float  # tau-b


def read(data: Path) -> list[Segment]:
    """All rated segments below `data`/metrics/wmt17, entities such as &apos; resolved.

    Raises InputError if there is no file, a column is missing, or a rating is not a number.
    """
    folder = data / "metrics" / "wmt17"
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise InputError(f"There is no .tsv file in {folder}. Give the folder that holds metrics/wmt17 with --data.")
    segments = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as opened:
            rows = csv.DictReader(opened, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise InputError(f"{file} has no column {missing[0]}. It needs {', '.join(COLUMNS)}, tab-separated.")
            for number, row in enumerate(rows, 2):
                try:
                    human, sentbleu = float(row["HUMAN_score"]), float(row["sentBLEU"])
                except (TypeError, ValueError) as error:
                    raise InputError(
                        f"{file}, line {number}: HUMAN_score or sentBLEU is no number. Mend it."
                    ) from error
                texts = html.unescape(row["translation"]), html.unescape(row["reference"])
                segments.append(Segment(row["LP"], *texts, human, sentbleu))
    return segments


def pearson(first: Values, second: Values) -> float:
    """Pearson's r; nan if a side is constant."""
    from scipy import stats

    return float("nan") if _constant(first) or _constant(second) else float(stats.pearsonr(first, second).statistic)


def kendall(first: Values, second: Values) -> float:
    """Kendall's tau-b, which corrects for ties; nan if a side is constant."""
    from scipy import stats

    return float("nan") if _constant(first) or _constant(second) else float(stats.kendalltau(first, second).statistic)


def _constant(values: Values) -> bool:
    return bool(np.ptp(values) == 0)


def metrics() -> dict[str, Metric]:
    """Name -> metric, for all that run without a download; stand-ins are named as such."""
    from pipeline.metrics import bertscore, bleurt_standin, meteor

    return {
        "METEOR": meteor.score,
        "BERTScore stand-in (MiniLM)": lambda candidates, references: bertscore.score(candidates, references, "minilm"),
        "BLEURT stand-in (MiniLM)": bleurt_standin.score,
        "cosine of MiniLM sentence embeddings": _cosine,
        "ratio of lengths": _length_ratio,
    }


def _cosine(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    from pipeline.reader import minilm

    return [float(value) for value in (minilm.embed(candidates) * minilm.embed(references)).sum(axis=1)]


def _length_ratio(candidates: Sequence[str], references: Sequence[str]) -> list[float]:
    """Words of the shorter text over words of the longer one: 1 for equal lengths."""
    counts = [
        (len(candidate.split()), len(reference.split()))
        for candidate, reference in zip(candidates, references, strict=True)
    ]
    return [min(pair) / max(*pair, 1) for pair in counts]


def agreement(segments: Sequence[Segment], chosen: dict[str, Metric] | None = None) -> list[Agreement]:
    """One Agreement per language pair and metric (default: `metrics()`), then those of the data's own sentBLEU."""
    chosen = metrics() if chosen is None else chosen
    results = []
    for pair in sorted({segment.pair for segment in segments}):
        rows = [segment for segment in segments if segment.pair == pair]
        people = np.array([row.human for row in rows])
        texts = [row.translation for row in rows], [row.reference for row in rows]
        values = {name: np.asarray(metric(*texts), dtype=np.float64) for name, metric in chosen.items()}
        values["sentBLEU (came with the data)"] = np.array([row.sentbleu for row in rows])
        for name, series in values.items():
            low, high = _interval(series, people)
            results.append(
                Agreement(pair, name, len(rows), pearson(series, people), low, high, kendall(series, people))
            )
    return results


def _interval(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of Pearson's r."""
    rng = np.random.default_rng(intervals.SEED)
    drawn = rng.integers(0, len(first), size=(RESAMPLES, len(first)))
    values = np.array([pearson(first[rows], second[rows]) for rows in drawn])
    values = values[~np.isnan(values)]  # a resample of few segments may be constant
    if len(values) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def as_text(results: Sequence[Agreement]) -> str:
    """A Markdown table: a row per metric, per language pair Pearson's r with its interval, and Kendall's tau."""
    pairs = list(dict.fromkeys(row.pair for row in results))
    count = {row.pair: row.n for row in results}
    lines = [
        "| metric | " + " | ".join(f"{pair} (n = {count[pair]}): r [95 %], τ" for pair in pairs) + " | mean r |",
        "|---" * (len(pairs) + 2) + "|",
    ]
    for name in dict.fromkeys(row.metric for row in results):
        rows = {row.pair: row for row in results if row.metric == name}
        cells = [f"{r.pearson:.3f} [{r.low:.3f}, {r.high:.3f}], {r.kendall:.3f}" for r in map(rows.__getitem__, pairs)]
        mean = sum(row.pearson for row in rows.values()) / len(rows)
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {mean:.3f} |")
    return "\n".join(lines)
