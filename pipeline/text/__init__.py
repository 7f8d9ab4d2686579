"""Text as text: repaired, split into sentences and words, its language detected, near-duplicates found.

In: strings. Out: strings, spans, codes.
Imported by every room but core; imports core.
"""
