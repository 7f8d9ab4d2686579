"""What every room stands on: the warehouse, the Stage, rows, profiles, prompts, named queries, labels, errors.

In: a path, a profile name, SQL. Out: rows, settings, results. Nothing here knows what a review is about.
Imported by every room; imports none of them.
"""
