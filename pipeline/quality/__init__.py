"""Whether figures can be trusted: intervals, the metrics of a run, and the check against a baseline.

In: a warehouse. Out: rows of `metrics`, a verdict.
Imported by run, report and what stands above; imports the rooms before it.
"""
