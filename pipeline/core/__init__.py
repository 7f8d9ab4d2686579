"""What every room stands on: the warehouse, the Stage, rows, profiles, prompts, named queries, labels, errors.

In: a path, a profile name, SQL. Out: rows, settings, results.
Imported by every room; imports none of them.
"""
