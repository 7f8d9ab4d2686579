"""What a review is about: the taxonomy, the words that name its aspects, themes that it does not name.

In: texts and their language. Out: mentions with the clause that proves them.
Imported by backends and what stands above; imports core, text and reader.
"""
