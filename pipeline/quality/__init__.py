"""Whether figures can be trusted: intervals, what a run measured, and the check against a baseline.

In: a warehouse. Out: rows of `metrics`, a verdict.
Imported by run, report and what stands above; imports the rooms before it.
"""
