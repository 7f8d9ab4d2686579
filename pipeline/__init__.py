"""Review Insights: from a file of customer reviews to what went wrong, the sentence that proves it, and what to do."""

__version__ = "0.3.0"
