"""Labelled rows for training and comparing classifiers.

In order: rows (the types), records (what a source holds), labels (what its values mean), clean, read (all of these in
one call), split (into train, validation and test).
"""
