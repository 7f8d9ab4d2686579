"""The user's own classifiers: fine-tuned, compared, calibrated and published.

In: labelled rows and the name of a model. Out: a model, a page, rows of `metrics`.
Imported by training and cli; imports the rooms before it.
"""
