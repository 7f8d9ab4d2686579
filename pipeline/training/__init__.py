"""Trains the models that ship with the package, one module for each.

In: a folder of data. Out: weights and a config under pipeline/models.
Imported by cli; imports the rooms before it.
"""
