"""Text, whatever it says: repair, sentences and words, language detection, near-duplicates.

In: strings. Out: strings, spans, language codes.
Imported by every room but core; imports core.
"""
