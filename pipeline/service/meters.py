"""Metrics for operators, in Prometheus' text format. No label holds anything a client sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # environment variable: the folder in which several processes count together
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Meters:
    """The service's counters and histograms, in a registry of their own: those of all its processes where SHARED is set. Gauges are
    those of this process.
    """

    def __init__(self) -> None:
        # Here: it looks at SHARED when it is imported.
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry, self.gauges = CollectorRegistry(), CollectorRegistry()
        self.requests = Counter(
            "review_insights_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "review_insights_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.batches = Histogram(
            "review_insights_batch_reviews",
            "Reviews that the models saw at once",
            buckets=_SIZES,
            registry=self.registry,
        )
        # source: request, file
        self.reviews = Counter("review_insights_reviews", "Reviews analysed", ["source"], registry=self.registry)
        self.votes = Counter("review_insights_votes", "Votes on suggestions", ["vote"], registry=self.registry)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Adds a gauge whose `value` is read at each scrape."""
        self.gauges.register(_Watched(f"review_insights_{name}", text, value))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        counted = self.registry
        if SHARED in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)
        return generate_latest(counted) + generate_latest(self.gauges)


class _Watched:
    """A gauge that is read when it is asked for. prometheus_client's own would be kept in SHARED too, as 0."""

    def __init__(self, name: str, text: str, value: Callable[[], float]) -> None:
        self.name, self.text, self.value = name, text, value

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        yield GaugeMetricFamily(self.name, self.text, value=float(self.value()))
