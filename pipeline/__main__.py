"""`python -m pipeline` is the same as `review-insights`."""

from pipeline.cli import entry

entry()
