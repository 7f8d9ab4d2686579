"""Tools beside the daily run: forgetting reviews, speed, the state of an installation, studies of metrics and replies.

In: a warehouse, files and a machine. Out: figures; of forget, a new warehouse.
Imported by cli; imports the rooms before it.
"""
