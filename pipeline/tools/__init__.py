"""Tools for whoever works on the project: speed, the state of an installation, studies of metrics and replies.

In: files and a machine. Out: figures.
Imported by cli; imports the rooms before it.
"""
