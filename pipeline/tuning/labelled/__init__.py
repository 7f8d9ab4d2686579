"""Labelled rows: read, mapped onto our classes, cleaned, split.

rows (types) · records (from files and hubs) · labels (what values mean) · clean · split · read (all of it in order)
"""
