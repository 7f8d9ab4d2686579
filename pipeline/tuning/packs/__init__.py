"""Packs of single trades: drafted from a file of reviews, and checked.

In: reviews of a trade, or the folder of a pack (`pipeline.core.pack`). Out: a folder; what its examples are read as.
Imported by: cli.
"""
