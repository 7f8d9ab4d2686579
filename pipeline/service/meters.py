"""Metrics for operators, in Prometheus' text format. No label holds anything a client sent."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Meters:
    """The service's counters and histograms, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
        Gauge(f"review_insights_{name}", text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
