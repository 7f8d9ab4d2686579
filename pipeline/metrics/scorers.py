"""The scorers of a profile: text metrics with their models and settings filled in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.backends.base import Scorer
from pipeline.core.profile import (
    Score,
)

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class PairScorer:
    """A text metric with its model and settings filled in: see `base.Scorer`."""

    model: str
    settings: str
    score: Callable[[Sequence[str], Sequence[str]], list[float]]
    truncated: Callable[[Sequence[str], Sequence[str]], list[bool]]


def bleurt(config: Score) -> Scorer:
    """Loads nothing before it scores."""
    if config.bleurt == "embedded":
        from pipeline.metrics.bleurt_standin import BleurtStandIn

        return BleurtStandIn()
    from pipeline.metrics import bleurt as metric

    where: Any = {"model": config.bleurt, "revision": config.bleurt_revision}
    return PairScorer(
        config.bleurt,
        f"revision {config.bleurt_revision}",
        functools.partial(metric.score, **where),
        functools.partial(metric.truncated, **where),
    )


def bertscore(config: Score) -> Scorer:
    """Loads nothing before it scores."""
    from pipeline.metrics import bertscore as metric

    where: Any = {"model": config.bertscore, "revision": config.bertscore_revision}
    how: Any = {"num_layers": config.bertscore_layers or None, "rescale_with_baseline": config.bertscore_rescale}
    return PairScorer(
        "stand-in: all-MiniLM-L6-v2" if config.bertscore == "minilm" else config.bertscore,
        metric.settings_hash(config.bertscore, **how),
        functools.partial(metric.score, **where, **how),
        functools.partial(metric.truncated, **where),
    )
